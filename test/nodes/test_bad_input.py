"""Bad input costs a frame, never a node: counted, logged, shown in /diagnostics."""

import time

import numpy as np
import pytest
from support.models import brittle_detector, mean_color_embedder
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.types import Detections

pytestmark = pytest.mark.usefixtures("ros")

PERSON = {"names": "{0: 'person'}", "task": "detect"}
ROWS = [(160, 160, 40, 80, 0.9), (60, 100, 30, 60, 0.8)]


@pytest.fixture
def detector(tmp_path):
    return {"detector.model": str(brittle_detector(tmp_path / "brittle.onnx", ROWS, metadata=PERSON))}


@pytest.fixture
def embedder(tmp_path):
    path = mean_color_embedder(tmp_path / "mean.onnx")
    return {"embedder.model": str(path), "embedder.preprocessing": "unit"}


def image_message(stamp, value=50, **fields):
    from sensor_msgs.msg import Image

    message = Image(height=320, width=320, encoding="bgr8", step=960)
    message.data.frombytes(np.full((320, 320, 3), value, np.uint8).tobytes())
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(stamp * 1e9), 10**9)
    for name, content in fields.items():
        setattr(message, name, content)
    return message


def detections_at(stamp, boxes, embeddings=None):
    from rtreid_ros.nodes.messages.conversions import detections_message, header

    boxes = np.asarray(boxes, np.float32)
    detections = Detections(boxes, np.full(len(boxes), 0.9, np.float32), embeddings=embeddings)
    return detections_message(detections, header(round(stamp * 1e9), "camera"), (320, 320), ["person"])


def stamp_of(message):
    return message.header.stamp.sec + message.header.stamp.nanosec * 1e-9


class Talk:
    """Publishes to a node under test and waits for what it makes of it."""

    def __init__(self, peer, node, kind, topic, answer_kind, answer_topic):
        from rclpy.qos import QoSProfile

        self.diagnostics = peer.diagnostics()
        self.answers = peer.collect(answer_kind, answer_topic, 100)
        self.publisher = peer.publisher(kind, topic, QoSProfile(depth=50))
        # what has come from a node shows that its publishers have found us
        until(lambda: self.diagnostics(node), 20, f"diagnostics of {node}")

    def send(self, message, *, answered=True):
        """Publish, so that nothing is dropped for being behind: wait for the answer, or a little."""
        self.publisher.publish(message)
        stamp = stamp_of(message)
        if answered:
            until(lambda: stamp in self.stamps(), 20, f"the answer to {stamp} s, got {self.stamps()}")
        else:
            time.sleep(0.3)

    def play(self, stamp, amount=3):
        """Images from `stamp` on until so many have been answered; the answers.

        The first ones are lost when they come before the node has found their publisher.
        """
        begin = len(self.answers)

        def answered():
            nonlocal stamp
            self.send(image_message(stamp), answered=False)
            stamp += 0.1
            return len(self.answers) >= begin + amount

        until(answered, 30, f"{amount} answers from {stamp} s on")
        return self.answers[begin:]

    def stamps(self):
        return [stamp_of(message) for message in self.answers]

    def expect(self, *stamps):
        until(
            lambda: self.stamps() == pytest.approx(list(stamps)), 10, f"answers {stamps}, got {self.stamps()}"
        )


def test_unusable_images_are_skipped(graph, peer, detector):
    from rtreid_ros.msg import DetectionArray
    from sensor_msgs.msg import Image

    started = graph(NodeSpec("detector_node", parameters=detector))
    talk = Talk(peer, "detector_node", Image, "image", DetectionArray, "detections")
    talk.send(image_message(1))
    talk.send(image_message(2, encoding="rgb99"), answered=False)
    talk.send(image_message(3, step=100), answered=False)
    talk.send(image_message(4, height=0, width=0, step=0), answered=False)
    talk.send(image_message(5, height=4000), answered=False)
    talk.send(image_message(6))
    talk.expect(1, 6)
    assert [len(message.detections) for message in talk.answers] == [2, 2]
    expected = {"received": "6", "processed": "2", "rejected": "4", "errors": "0"}
    until(lambda: expected.items() <= talk.diagnostics("detector_node").items(), 20, f"{expected}")
    log = started.log("detector_node")
    assert "unknown image encoding 'rgb99'" in log
    assert "Traceback" not in log


def test_a_failing_model_costs_one_frame(graph, peer, detector):
    from rtreid_ros.msg import DetectionArray
    from sensor_msgs.msg import Image

    started = graph(NodeSpec("detector_node", parameters=detector))
    talk = Talk(peer, "detector_node", Image, "image", DetectionArray, "detections")
    talk.send(image_message(1))
    talk.send(image_message(2, value=255), answered=False)
    talk.send(image_message(3))
    talk.expect(1, 3)

    def failed():
        values = talk.diagnostics("detector_node")
        return int(values.get("rejected", 0)) + int(values.get("errors", 0)) == 1

    until(failed, 20, "the failure in /diagnostics")
    assert "WARN" in started.log("detector_node") or "ERROR" in started.log("detector_node")


def test_the_composed_node_goes_on_too(graph, peer, detector, embedder):
    from rtreid_ros.msg import TrackArray
    from sensor_msgs.msg import Image

    started = graph(NodeSpec("tracking_node", parameters={**detector, **embedder}))
    talk = Talk(peer, "tracking_node", Image, "image", TrackArray, "tracks")
    for stamp in (1.0, 1.1, 1.2):
        talk.send(image_message(stamp))
    talk.send(image_message(1.3, value=255), answered=False)
    talk.send(image_message(1.4, encoding="nonsense"), answered=False)
    talk.send(image_message(1.2), answered=False)  # a duplicate
    talk.send(image_message(1.5))
    talk.expect(1.0, 1.1, 1.2, 1.5)
    ids = [[track.id for track in message.tracks] for message in talk.answers]
    assert ids[0] == ids[-1] == [1, 2]
    assert "came after later ones" in started.log("tracking_node")


def test_nonsense_boxes_are_left_out(graph, peer, embedder):
    from rtreid_ros.msg import DetectionArray, TrackArray
    from sensor_msgs.msg import Image

    graph(NodeSpec("embedder_node", parameters=embedder), NodeSpec("tracker_node"))
    images = peer.publisher(Image, "image")
    talk = Talk(peer, "tracker_node", DetectionArray, "detections", TrackArray, "tracks")
    until(lambda: talk.diagnostics("embedder_node"), 30, "diagnostics of embedder_node")
    good = [10, 10, 50, 90]
    for number in range(5):
        stamp = 1 + number / 10
        images.publish(image_message(stamp))
        bad = [[np.nan, 0, 5, 5], good, [30, 30, 20, 20], [0, 0, np.inf, 9]]
        talk.send(detections_at(stamp, bad if number == 2 else [good]))
    talk.expect(1, 1.1, 1.2, 1.3, 1.4)
    assert [[track.id for track in message.tracks] for message in talk.answers] == [[1]] * 5
    assert [track.detection_index for track in talk.answers[2].tracks] == [1]
    until(lambda: talk.diagnostics("tracker_node").get("rejected") == "3", 20, "3 rejected")


def test_embeddings_of_another_length_reset_the_tracker(graph, peer):
    from rtreid_ros.msg import DetectionArray, TrackArray

    started = graph(NodeSpec("tracker_node", parameters={"tracker.min_hits": 1}))
    talk = Talk(peer, "tracker_node", DetectionArray, "embeddings", TrackArray, "tracks")
    boxes = [[10, 10, 50, 90], [100, 10, 140, 90]]
    for number, length in enumerate((8, 8, 16, 16)):
        talk.send(detections_at(1 + number / 10, boxes, np.eye(2, length, dtype=np.float32)))
    mixed = detections_at(1.4, boxes, np.eye(2, 16, dtype=np.float32))
    mixed.detections[0].embedding = [1.0]
    talk.send(mixed, answered=False)
    talk.send(detections_at(1.5, boxes, np.eye(2, 16, dtype=np.float32)))
    talk.expect(1, 1.1, 1.2, 1.3, 1.5)
    assert [track.state for track in talk.answers[-1].tracks] == [2, 2]
    log = started.log("tracker_node")
    assert "embeddings now have length 16, before 8" in log
    assert "differ in length: [1, 16]" in log


def test_stamps_that_run_backwards_reset_the_tracker(graph, peer):
    from rtreid_ros.msg import DetectionArray, TrackArray

    started = graph(NodeSpec("tracker_node", parameters={"tracker.name": "bytetrack"}))
    talk = Talk(peer, "tracker_node", DetectionArray, "detections", TrackArray, "tracks")
    boxes = [[10, 10, 50, 90]]
    for stamp in (100.0, 100.1, 100.05, 100.2, 5.0, 5.1):
        talk.send(detections_at(stamp, boxes), answered=stamp != 100.05)
    talk.expect(100.0, 100.1, 100.2, 5.0, 5.1)
    ages = [message.tracks[0].age for message in talk.answers]
    assert ages == pytest.approx([0, 0.1, 0.2, 0, 0.1], abs=1e-3)
    assert "tracks are reset" in started.log("tracker_node")
    until(
        lambda: talk.diagnostics("tracker_node").get("tracker.resets") == "1", 20, "the reset in /diagnostics"
    )


def test_a_publisher_that_vanishes_and_returns_is_followed_again(graph, peer, detector, embedder):
    from rclpy.qos import qos_profile_sensor_data
    from rtreid_ros.msg import TrackArray
    from sensor_msgs.msg import Image

    started = graph(NodeSpec("tracking_node", parameters={**detector, **embedder}))
    talk = Talk(peer, "tracking_node", Image, "image", TrackArray, "tracks")
    first = talk.play(1.0)
    assert {track.id for track in first[-1].tracks} == {1, 2}
    peer.node.destroy_publisher(talk.publisher)

    def silent():
        return "no data on /image for" in talk.diagnostics("tracking_node").get("message", "")

    until(silent, 20, "the silence in /diagnostics")
    talk.publisher = peer.publisher(Image, "image", qos_profile_sensor_data)
    again = talk.play(stamp_of(first[-1]) + 5.0)
    assert {track.id for track in again[-1].tracks}.isdisjoint({1, 2})  # lost for too long
    until(lambda: not silent(), 20, "the end of the silence in /diagnostics")
    assert started.running("tracking_node")
