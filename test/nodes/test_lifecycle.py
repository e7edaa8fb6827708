"""Managed nodes as a robot's launch system drives them: over DDS, in processes of their own."""

from pathlib import Path

import numpy as np
import pytest
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec

pytestmark = pytest.mark.usefixtures("ros")

CYCLES, WARM_UP = 12, 4
MEMORY_MB = 15.0
"""The models left over in each cycle would be many times as much."""


class Manager:
    """Asks the services of one node."""

    def __init__(self, peer, name):
        from lifecycle_msgs.srv import ChangeState, GetState
        from rclpy.parameter_client import AsyncParameterClient

        self._change = peer.node.create_client(ChangeState, f"{name}/change_state")
        self._get = peer.node.create_client(GetState, f"{name}/get_state")
        self._parameters = AsyncParameterClient(peer.node, name)
        for client in (self._change, self._get):
            until(client.service_is_ready, 60, f"services of {name}")
        assert self._parameters.wait_for_services(30)

    def transition(self, name):
        """Whether a transition succeeded."""
        from lifecycle_msgs.srv import ChangeState

        request = ChangeState.Request()
        request.transition.label = name
        return self._answer(self._change.call_async(request)).success

    def state(self):
        from lifecycle_msgs.srv import GetState

        return self._answer(self._get.call_async(GetState.Request())).current_state.label

    def set(self, name, value):
        """The result of `ros2 param set`."""
        from rclpy.parameter import Parameter

        return self._answer(self._parameters.set_parameters([Parameter(name, value=value)])).results[0]

    def _answer(self, future):
        until(future.done, 60, "an answer")
        return future.result()


def picture(stamp):
    from sensor_msgs.msg import Image

    message = Image(height=240, width=320, encoding="bgr8", step=960)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(stamp * 1e9), 10**9)
    message.data.frombytes(bytes(320 * 240 * 3))
    return message


def publish_until(condition, publisher, what):
    """Publish images at about 20 Hz until `condition()`."""
    stamps = iter(np.arange(100.0, 1000.0, 0.05))

    def shown():
        publisher.publish(picture(next(stamps)))
        return condition()

    until(shown, 30, what)


def test_a_model_that_is_missing_fails_the_transition_and_can_be_put_right(graph, peer, quick_models):
    from diagnostic_msgs.msg import DiagnosticStatus
    from rtreid_ros.msg import DetectionArray
    from sensor_msgs.msg import Image

    latest = peer.diagnostics()
    found = peer.collect(DetectionArray, "detections")
    parameters = {"autostart": False, "detector.model": "/no/such.onnx"}
    started = graph(NodeSpec("detector_node", parameters=parameters))
    manager = Manager(peer, "detector_node")
    assert manager.state() == "unconfigured"
    assert not manager.transition("configure")
    assert manager.state() == "unconfigured"
    started.wait_for_log("detector_node", "cannot configure: model file '/no/such.onnx' does not exist", 10)
    until(lambda: "/no/such.onnx" in latest("detector_node").get("message", ""), 20, "the reason")
    values = latest("detector_node")
    assert (values["level"], values["state"]) == (DiagnosticStatus.ERROR, "unconfigured")

    assert manager.set("detector.model", quick_models["detector"]["detector.model"]).successful
    assert manager.transition("configure")
    assert manager.transition("activate")
    publisher = peer.publisher(Image, "image")
    publish_until(lambda: found and len(found[-1].detections) == 1, publisher, "a detection")
    until(lambda: latest("detector_node").get("state") == "active", 20, "the state in /diagnostics")
    assert latest("detector_node")["level"] != DiagnosticStatus.ERROR
    assert "Traceback" not in started.log("detector_node")
    assert started.stop() == {"detector_node": 0}


def test_parameters_change_while_images_come_or_are_refused_with_the_reason(graph, peer, quick_models):
    from rtreid_ros.msg import DetectionArray
    from sensor_msgs.msg import Image

    found = peer.collect(DetectionArray, "detections")
    graph(NodeSpec("detector_node", parameters=quick_models["detector"]))
    manager = Manager(peer, "detector_node")
    publisher = peer.publisher(Image, "image")
    publish_until(lambda: found and len(found[-1].detections) == 1, publisher, "a detection")
    assert manager.set("detector.score_threshold", 0.95).successful  # the model's only person has 0.9
    publish_until(lambda: not found[-1].detections, publisher, "images without detections")

    wrong = manager.set("detector.score_threshold", 1.5)
    assert not wrong.successful
    assert "detector.score_threshold" in wrong.reason
    fixed = manager.set("detector.model", "/no/such.onnx")
    assert not fixed.successful
    assert "deactivate" in fixed.reason
    assert manager.set("detector.score_threshold", 0.5).successful
    publish_until(lambda: len(found[-1].detections) == 1, publisher, "the detection again")


def resources(pid):
    """Threads, open files and megabytes of a process, without memory it shares with others."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return int(status["Threads"]), files, int(status["RssAnon"].split()[0]) / 1024


def test_nothing_is_left_over_from_one_life_to_the_next(graph, peer):
    from rtreid_ros.msg import TrackArray
    from sensor_msgs.msg import Image

    started = graph(NodeSpec("tracking_node", parameters={"detector.threads": 1, "embedder.threads": 1}))
    manager = Manager(peer, "tracking_node")
    publisher = peer.publisher(Image, "image")
    tracks = peer.collect(TrackArray, "tracks")
    measured = []
    for _ in range(CYCLES):
        before = len(tracks)
        publish_until(lambda before=before: len(tracks) > before + 3, publisher, "tracks")
        assert manager.transition("deactivate")
        assert manager.transition("cleanup")
        until(lambda: peer.node.count_subscribers("image") == 0, 20, "the end of the subscription")
        until(lambda: peer.node.count_publishers("tracks") == 0, 20, "the end of the publisher")
        measured.append(resources(started.pid("tracking_node")))
        assert manager.transition("configure")
        assert manager.transition("activate")
        until(lambda: peer.node.count_subscribers("image") == 1, 20, "one subscription")
    threads, files, megabytes = (np.array(column) for column in zip(*measured[WARM_UP:], strict=True))
    assert threads.max() == threads.min(), measured
    assert files.max() - files.min() <= 2, measured  # the middleware opens and closes some of its own
    assert megabytes[-4:].mean() - megabytes[:4].mean() < MEMORY_MB, measured
    assert "Traceback" not in started.log("tracking_node")
    assert started.stop() == {"tracking_node": 0}


def test_a_recorder_and_a_source_pause_and_go_on(graph, peer, quick_models, tmp_path):
    latest = peer.diagnostics()
    source = {"source": "synthetic:frames=100000,people=2,noise=0,width=320,height=240", "rate": 20.0}
    started = graph(
        NodeSpec("tracking_node", parameters={**quick_models["detector"], **quick_models["embedder"]}),
        NodeSpec("recorder_node", parameters={"output": str(tmp_path / "out"), "video": True}),
        NodeSpec("source_node", parameters={**source, "wait_for_observers": 1}),
    )

    def recorded():
        return int(latest("recorder_node").get("processed", 0))

    until(lambda: recorded() > 20, 60, "20 frames")
    for name in ("recorder_node", "source_node"):
        manager = Manager(peer, name)
        assert manager.transition("deactivate")
        until(lambda name=name: latest(name).get("state") == "inactive", 20, "the state in /diagnostics")
        assert manager.transition("activate")
        seen = recorded()
        until(lambda seen=seen: recorded() > seen + 20, 60, "20 more frames")
    assert set(started.stop().values()) == {0}
    for name in ("recorder_node", "source_node"):
        assert "Traceback" not in started.log(name)
    frames = [int(line.split(",")[0]) for line in (tmp_path / "out" / "tracks.txt").read_text().splitlines()]
    assert frames == sorted(set(frames))
    assert len(frames) > 50
    assert (tmp_path / "out" / "bag" / "metadata.yaml").is_file()
    assert (tmp_path / "out" / "annotated.mp4").stat().st_size > 0
