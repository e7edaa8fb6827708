"""A detector of the neighbourhood feeds our tracker, and sees what it makes of it, over DDS."""

import sys
import time

import pytest
from support.positions import camera_info
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec


@pytest.fixture
def vision(ros):
    import vision_msgs.msg

    return vision_msgs.msg


def array(vision, stamp, *boxes):
    """A Detection2DArray with people in boxes (centre and size)."""
    message = vision.Detection2DArray()
    message.header.frame_id = "camera"
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(stamp * 1e9), 10**9)
    for name, x, y, width, height in boxes:
        item = vision.Detection2D()
        place = getattr(item.bbox.center, "position", item.bbox.center)
        place.x, place.y = float(x), float(y)
        item.bbox.size_x, item.bbox.size_y = float(width), float(height)
        result = vision.ObjectHypothesisWithPose()
        hypothesis = getattr(result, "hypothesis", result)
        setattr(hypothesis, "class_id" if hasattr(hypothesis, "class_id") else "id", name)
        hypothesis.score = 0.9
        item.results = [result]
        message.detections.append(item)
    return message


def test_a_foreign_detector_feeds_our_tracker_and_gets_tracks_back(graph, peer, vision):
    started = graph(
        NodeSpec("vision_msgs_node", parameters={"external": True, "classes": ["human:person"]}),
        NodeSpec("tracker_node", parameters={"tracker.name": "bytetrack"}),
    )
    tracks = peer.collect(vision.Detection2DArray, "tracks_2d", 100)
    mirrored = peer.collect(vision.Detection2DArray, "detections_2d", 100)
    diagnostics = peer.diagnostics()
    detections = peer.publisher(vision.Detection2DArray, "external_detections")
    info = peer.publisher(type(camera_info()), "camera_info")
    for name in ("vision_msgs_node", "tracker_node"):
        until(lambda name=name: diagnostics(name), 20, name)
    detections.publish(array(vision, 0.5, ("human", 50, 50, 20, 40)))
    started.wait_for_log(
        "vision_msgs_node", "the size of their image is not known, nothing usable on /camera_info yet", 5
    )

    def sized():
        info.publish(camera_info(k=[0.0] * 9))
        detections.publish(array(vision, 0.6))
        time.sleep(0.1)
        return tracks

    until(sized, 10, "tracks of an empty frame")
    time.sleep(0.5)  # what else was sent comes back
    empty = len(tracks)
    mirrored.clear()
    for number in range(6):
        boxes = [("human", 100 + number, 100, 40, 80), ("tree", 300, 100, 40, 80)]
        detections.publish(array(vision, 1 + number / 10, *boxes))
        until(lambda number=number: len(tracks) == empty + number + 1, 10, f"tracks of frame {number}")
    last = tracks[-1]
    assert (last.header.stamp.nanosec, last.header.frame_id) == (500_000_000, "camera")
    (item,) = last.detections
    assert (getattr(item, "id", None) or item.tracking_id) == "1"
    place = getattr(item.bbox.center, "position", item.bbox.center)
    assert (place.x, place.y) == pytest.approx((105, 100), abs=1)
    until(lambda: len(mirrored) == 6, 5, "our own detections mirrored")
    assert len(mirrored[-1].detections) == 1
    assert "'tree' (1); name those to take" in started.log("vision_msgs_node")
    until(lambda: int(diagnostics("vision_msgs_node").get("rejected", 0)) >= 7, 5, "7 rejected")


def test_the_size_of_images_may_come_from_the_images_or_a_parameter(graph, peer, vision):
    from rtreid_ros.msg import DetectionArray
    from sensor_msgs.msg import Image

    sized = {"external": True, "mirror": False}
    graph(
        NodeSpec("vision_msgs_node", name="a", namespace="/a", parameters={**sized, "size_from": "image"}),
        NodeSpec(
            "vision_msgs_node",
            name="b",
            namespace="/b",
            parameters={**sized, "image_width": 64, "image_height": 48},
        ),
    )
    answers = {name: peer.collect(DetectionArray, f"/{name}/detections") for name in "ab"}
    publishers = {
        name: peer.publisher(vision.Detection2DArray, f"/{name}/external_detections") for name in "ab"
    }
    for name in "ab":
        peer.wait_for_publisher(f"/{name}/detections")
    image = Image(height=30, width=40, encoding="mono8", step=40)
    image.data.frombytes(bytes(1200))
    images = peer.publisher(Image, "/a/image")

    def answered():
        images.publish(image)
        for publisher in publishers.values():
            publisher.publish(array(vision, 1.0, ("person", 5, 5, 2, 4)))
        time.sleep(0.1)
        return all(answers.values())

    until(answered, 10, "answers of both")
    assert [(answers[name][0].image_width, answers[name][0].image_height) for name in "ab"] == [
        (40, 30),
        (64, 48),
    ]


def test_without_vision_msgs_the_node_says_what_to_install(make_node, monkeypatch):
    for module in ("vision_msgs", "vision_msgs.msg"):
        monkeypatch.setitem(sys.modules, module, None)
    node = make_node("vision_msgs_node", {"autostart": False})
    node.trigger_configure()
    assert not node.is_configured
    assert "this node needs the message package vision_msgs: sudo apt install ros-" in node.failure
    assert "Traceback" not in node.failure


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"mirror": False}, "mirror and external are both false"),
        ({"image_width": 640}, "image_width and image_height must be given together"),
        ({"classes": ["a", "a:b"]}, "classes: 'a' is given twice"),
    ],
)
def test_settings_that_make_no_sense_are_refused(graph, vision, parameters, line):
    started = graph(NodeSpec("vision_msgs_node", parameters=parameters))
    until(lambda: not started.running("vision_msgs_node"), 20, "the end of the node")
    assert line in started.log("vision_msgs_node")
