"""What visualizer_node draws, and for whom."""

import time

import cv2
import numpy as np
import pytest
from support.positions import track_message
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.visualization import colour_of

SIZE = (240, 320)


class Show:
    """Images and tracks for a visualizer_node."""

    def __init__(self, peer, graph, **parameters):
        from rtreid_ros.msg import TrackArray
        from sensor_msgs.msg import Image

        graph(NodeSpec("visualizer_node", parameters=parameters))
        self.images = peer.publisher(Image, "image")
        self.tracks = peer.publisher(TrackArray, "tracks")
        peer.wait_for_publisher("/markers")
        self.stamp = 0

    def send(self, message):
        """A grey image with the tracks of `message`, which takes its stamp."""
        from sensor_msgs.msg import Image

        self.stamp += 1
        image = Image(height=SIZE[0], width=SIZE[1], encoding="bgr8", step=SIZE[1] * 3)
        image.data.frombytes(np.full((*SIZE, 3), 90, np.uint8).tobytes())
        image.header.frame_id = "camera"
        image.header.stamp.sec = message.header.stamp.sec = self.stamp
        image.header.stamp.nanosec = message.header.stamp.nanosec = 0
        message.image_height, message.image_width = SIZE
        self.images.publish(image)
        self.tracks.publish(message)


def people(**changes):
    message = track_message(0, [[5, 40, 100, 100, 220, 0.9], [6, 200, 100, 260, 220, 0.9]])
    for name, value in changes.items():
        setattr(message.tracks[0], name, value)
    return message


def picture(message):
    return cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)


def pixels(message):
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


def test_compressed_and_raw_images_are_made_for_those_who_listen(graph, peer):
    from sensor_msgs.msg import CompressedImage, Image

    show = Show(peer, graph, **{"jpeg_quality": 95, "annotator.hud": False})
    compressed = peer.collect(CompressedImage, "annotated/compressed")
    until(lambda: show.send(people()) or time.sleep(0.1) or compressed, 20, "a compressed image")
    assert compressed[0].format == "bgr8; jpeg compressed bgr8"
    assert compressed[0].header.frame_id == "camera"
    raw = peer.collect(Image, "annotated")
    until(lambda: show.send(people()) or time.sleep(0.1) or raw, 20, "a raw image")
    difference = np.abs(picture(compressed[-1]).astype(int) - pixels(raw[-1]))
    assert difference.mean() < 2
    assert (np.abs(pixels(raw[-1])[150:200, 40] - np.array(colour_of(5))) < 25).all()


def test_global_ids_give_the_colour_and_positions_the_distance(graph, peer):
    from sensor_msgs.msg import Image
    from visualization_msgs.msg import MarkerArray

    show = Show(peer, graph, **{"annotator.hud": False, "marker_lifetime": 0.75})
    raw, markers = peer.collect(Image, "annotated"), peer.collect(MarkerArray, "markers")
    message = people(global_id=31, has_position=True)
    message.position_frame = "camera"
    message.tracks[0].position.z = 4.26
    until(lambda: show.send(message) or time.sleep(0.1) or (raw and markers), 20, "an image and markers")
    assert (np.abs(pixels(raw[-1])[150:200, 40] - np.array(colour_of(31))) < 25).all()
    labels = [marker.text for marker in markers[-1].markers if marker.ns == "ids"]
    assert labels == ["5 G31 4.3 m", "6"]
    living = {(marker.lifetime.sec, marker.lifetime.nanosec) for marker in markers[-1].markers[1:]}
    assert living == {(0, 750_000_000)}
    message.position_frame = "map"  # whose origin is somewhere else
    count = len(markers)
    show.send(message)
    until(lambda: len(markers) > count, 10, "more markers")
    assert [marker.text for marker in markers[-1].markers if marker.ns == "ids"] == ["5 G31", "6"]


def test_only_the_classes_asked_for_are_shown(graph, peer):
    from visualization_msgs.msg import MarkerArray

    show = Show(peer, graph, classes=["person", "dog"])
    markers = peer.collect(MarkerArray, "markers")
    until(lambda: show.send(people(class_name="car")) or time.sleep(0.1) or markers, 20, "markers")
    assert {marker.text for marker in markers[-1].markers if marker.ns == "ids"} == {"6"}


def test_what_is_drawn_may_change_while_running(graph, peer):
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters
    from sensor_msgs.msg import Image

    show = Show(peer, graph)
    raw = peer.collect(Image, "annotated")

    def shown():
        count = len(raw)
        until(lambda: show.send(people()) or time.sleep(0.1) or len(raw) > count, 20, "an image")
        return pixels(raw[-1])

    corner = (slice(6, 30), slice(6, 60))
    assert (shown()[corner] != 90).any()
    client = peer.node.create_client(SetParameters, "/visualizer_node/set_parameters")
    assert client.wait_for_service(10)

    def change(name, kind, **value):
        wanted = Parameter(name=name, value=ParameterValue(type=kind, **value))
        future = client.call_async(SetParameters.Request(parameters=[wanted]))
        until(future.done, 10, "the answer about a parameter")
        return future.result().results[0]

    assert change("annotator.hud", ParameterType.PARAMETER_BOOL, bool_value=False).successful
    until(lambda: not (shown()[corner] - 90).any(), 10, "an image without text in the corner")
    refused = change("annotator.trail", ParameterType.PARAMETER_DOUBLE, double_value=3.0)
    assert "is read when the node configures" in refused.reason


@pytest.mark.parametrize("name", ["visualizer_node", "position_node"])
def test_nodes_live_more_than_once(ros, name):
    from importlib import import_module

    from rclpy.lifecycle import TransitionCallbackReturn

    kind = next(
        value
        for value in vars(import_module(f"rtreid_ros.nodes.{name}")).values()
        if isinstance(value, type) and vars(value).get("kind") == name
    )
    context = ros.Context()
    ros.init(context=context, args=[])
    node = kind(context=context)
    for _ in range(3):
        assert node.start()
        topics = sorted(node.outputs)
        for step in (node.trigger_deactivate, node.trigger_cleanup):
            assert step() == TransitionCallbackReturn.SUCCESS
        assert not node.outputs
    assert len(topics) >= 2
    node.close()
    node.destroy_node()
    context.try_shutdown()


@pytest.mark.parametrize("age", [None, 42.4])
def test_the_corner_tells_who_is_there_and_how_the_graph_keeps_up(age):
    from support.results import tracks_of

    from rtreid_ros.nodes.flow.statistics import Statistics
    from rtreid_ros.nodes.stages.hud import Hud
    from rtreid_ros.types import TrackState

    states = [TrackState.CONFIRMED, TrackState.LOST, TrackState.CONFIRMED, TrackState.TENTATIVE]
    tracks = tracks_of([[identity, 0, 0, 9, 9, 1] for identity in (3, 9, 12, 20)], states)
    statistics, hud = Statistics(), Hud()
    statistics.count("dropped", 2)
    who, pace = hud.lines(tracks, statistics, age)
    assert who == "2 tracked   1 lost   12 ids so far"
    assert pace == ("0.0 Hz   2 dropped" if age is None else "0.0 Hz   42 ms   2 dropped")
    statistics.count("dropped", 5)
    assert hud.lines(tracks[:1], statistics, 99.0) == ["1 tracked   0 lost   12 ids so far", pace]  # readable
