"""Where tracks stand, told by the node over DDS."""

import math
import sys
import time

import pytest
from support.positions import camera_info, depth_message, standing, track_message
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.types import TrackState

PLACES = {1: (5.0, 1.0), 2: (8.0, -2.0)}
ROWS = [standing(identity, *place) for identity, place in PLACES.items()]


class Talk:
    """Publishes to a position_node and reads what it makes of it."""

    def __init__(self, peer, graph, **parameters):
        from rclpy.qos import DurabilityPolicy, QoSProfile
        from rtreid_ros.msg import TrackArray
        from sensor_msgs.msg import CameraInfo, Image
        from visualization_msgs.msg import MarkerArray

        # nothing may be lost here, not even what is sent while both ends still find each other
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        wants_depth = parameters.get("position.method") != "ground"
        for topic in ("camera_info", "depth") if wants_depth else ("camera_info",):
            parameters[f"qos_overrides./{topic}.subscription.reliability"] = "reliable"
            parameters[f"qos_overrides./{topic}.subscription.durability"] = "transient_local"
        self.node = graph(NodeSpec("position_node", parameters=parameters))
        self.sent = 0
        self.peer = peer
        self.answers = peer.collect(TrackArray, "tracks_3d", 100)
        self.markers = peer.collect(MarkerArray, "markers_3d", 100)
        self.diagnostics = peer.diagnostics()
        self.tracks = peer.publisher(TrackArray, "tracks")
        self.info = peer.publisher(CameraInfo, "camera_info", latched)
        self.depth = peer.publisher(Image, "depth", latched) if wants_depth else None
        until(lambda: self.diagnostics("position_node"), 20, "diagnostics of position_node")

    def answer(self, stamp, rows=ROWS, states=None):
        """Publish tracks; what comes back."""
        count = len(self.answers)
        self.sent += 1
        self.tracks.publish(track_message(stamp, rows, states))
        until(lambda: len(self.answers) > count, 10, f"an answer to {stamp}")
        return self.answers[-1]

    def tell_camera(self, **fields):
        self.info.publish(camera_info(**fields))
        self.wait_for_receipt()

    def tell_depth(self, *arguments, **options):
        self.depth.publish(depth_message(*arguments, **options))
        self.wait_for_receipt()

    def wait_for_receipt(self):
        """Messages of different topics overtake each other."""
        self.sent += 1
        self.values(received=str(self.sent))

    def values(self, **expected):
        """Wait for values in /diagnostics."""
        wanted = {name.replace("_", "."): value for name, value in expected.items()}
        until(
            lambda: wanted.items() <= self.diagnostics("position_node").items(),
            5,
            f"{wanted} in {self.diagnostics('position_node')}",
        )


def places(message):
    return {
        track.id: (track.position.x, track.position.y, track.position.z)
        for track in message.tracks
        if track.has_position
    }


def test_tracks_stand_on_the_ground_in_the_frame_asked_for(graph, peer):
    talk = Talk(
        peer,
        graph,
        **{"position.method": "ground", "ground.height": 1.0, "frame": "ground", "ground.frame": "base"},
    )
    without = talk.answer(1.0)
    assert places(without) == {}
    assert [track.id for track in without.tracks] == [1, 2]
    talk.node.wait_for_log("position_node", "nothing on /camera_info yet", 5)
    talk.tell_camera()
    message = talk.answer(1.1)
    assert message.position_frame == "base"
    assert message.header.frame_id == "camera"
    found = places(message)
    assert found[1] == pytest.approx((5.0, 1.0, 0.0), abs=1e-4)
    assert found[2] == pytest.approx((8.0, -2.0, 0.0), abs=1e-4)

    def bodies():
        talk.answer(1.1 + len(talk.answers) / 1000)
        time.sleep(0.1)
        return talk.markers and [item for item in talk.markers[-1].markers if item.ns == "bodies"]

    made = until(bodies, 10, "markers")
    assert [(body.id, body.header.frame_id) for body in made] == [(1, "base"), (2, "base")]
    assert made[0].pose.position.z == pytest.approx(0.9, abs=0.01)
    located = str(2 * (len(talk.answers) - 1))
    talk.values(positions_ground=located, positions_unknown="2", positions_depth="0")

    talk.tell_camera(k=[0.0] * 9)
    assert places(talk.answer(2.0)) == {}
    talk.node.wait_for_log("position_node", "camera_info cannot be used: the camera is not calibrated", 5)
    talk.values(rejected="1")


def test_depth_goes_before_the_ground_where_it_is_known(graph, peer):
    talk = Talk(peer, graph, **{"ground.height": 1.0})
    talk.tell_camera()
    assert places(talk.answer(1.0))[1] == pytest.approx((-1, 1, 5), abs=1e-4)  # nobody waits for depth
    talk.tell_depth(1.1, 3.0)
    message = talk.answer(1.1, states=[TrackState.CONFIRMED, TrackState.LOST])
    assert message.position_frame == "camera"
    assert places(message)[1] == pytest.approx((-0.6, 1, 3), abs=1e-3)
    assert places(message)[2] == pytest.approx((2, 1, 8), abs=1e-3)  # a lost one is not what stands there

    talk.tell_depth(1.2, 3.0, frame="depth_camera")
    assert places(talk.answer(1.2))[1][2] == pytest.approx(5, abs=1e-3)
    talk.node.wait_for_log("position_node", "its frame is 'depth_camera', that of the tracks 'camera'", 5)
    talk.values(positions_depth="1", positions_ground="5", rejected="1")


def test_depth_of_a_nearby_time_counts_if_allowed(graph, peer):
    talk = Talk(peer, graph, **{"position.method": "depth", "depth_tolerance": 0.02})
    talk.tell_camera()
    talk.tell_depth(1.01, 3.0, shape=(120, 160), encoding="32FC1")
    found = places(talk.answer(1.0))
    assert found[1][2] == pytest.approx(3)
    assert found[2][2] == pytest.approx(3)
    talk.tell_depth(1.14, 3.0)
    assert places(talk.answer(1.1)) == {}
    talk.values(unmatched="1")


def test_the_mount_may_be_corrected_while_running(graph, peer):
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters

    talk = Talk(peer, graph, **{"position.method": "ground", "ground.height": 2.0})
    talk.tell_camera()
    assert math.hypot(*places(talk.answer(1.0))[1]) == pytest.approx(2 * math.hypot(5, 1, 1), abs=1e-3)
    client = peer.node.create_client(SetParameters, "/position_node/set_parameters")
    assert client.wait_for_service(10)

    def set_height(metres):
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=metres)
        request = SetParameters.Request(parameters=[Parameter(name="ground.height", value=value)])
        future = client.call_async(request)
        until(future.done, 10, "the answer about a parameter")
        return future.result().results[0]

    refused = set_height(0.0)
    assert not refused.successful
    assert refused.reason.startswith("position.method: ground needs ground.height, the camera's height")
    assert set_height(1.0).successful
    assert math.hypot(*places(talk.answer(1.1))[1]) == pytest.approx(math.hypot(5, 1, 1), abs=1e-3)


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"position.method": "ground"}, "position.method: ground needs ground.height"),
        ({"frame": "ground"}, "frame: ground needs ground.height"),
        ({"ground.height": -1.0}, "parameter ground.height must be a number >= 0"),
    ],
)
def test_what_cannot_be_told_is_said_at_the_start(graph, parameters, line):
    started = graph(NodeSpec("position_node", parameters=parameters))
    until(lambda: not started.running("position_node"), 20, "the end of the node")
    assert line in started.log("position_node")
    assert started.stop() == {"position_node": 1}


@pytest.mark.parametrize("parameter", ["publish_tf", "ground.from_tf"])
def test_without_tf2_msgs_frames_are_refused_with_what_to_install(make_node, monkeypatch, parameter):
    for module in ("tf2_msgs", "tf2_msgs.msg"):
        monkeypatch.setitem(sys.modules, module, None)
    node = make_node("position_node", {"autostart": False, parameter: True})
    node.trigger_configure()
    assert not node.is_configured
    assert f"{parameter}: true needs the message package tf2_msgs: sudo apt install ros-" in node.failure
    assert "make build" in node.failure
    assert "Traceback" not in node.failure


def test_every_track_has_a_frame_and_the_ground_one_too(graph, peer):
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    moving = peer.collect(TFMessage, "/tf", 100)
    fixed = peer.collect(TFMessage, "/tf_static", latched)
    parameters = {
        "position.method": "ground", "ground.height": 1.0, "ground.pitch": 0.0, "frame": "ground",
        "publish_tf": True, "tf_prefix": "left/track_",
    }  # fmt: skip
    talk = Talk(peer, graph, **parameters)
    talk.tell_camera()
    states = [TrackState.CONFIRMED, TrackState.TENTATIVE]
    for number in range(3):
        talk.answer(1 + number / 10, states=states)
    until(lambda: len(moving) >= 3 and fixed, 10, "frames")
    assert [len(message.transforms) for message in moving] == [1, 1, 1]
    frame = moving[-1].transforms[0]
    assert (frame.header.frame_id, frame.child_frame_id) == ("camera_ground", "left/track_1")
    assert (frame.header.stamp.sec, frame.header.stamp.nanosec) == (1, 200_000_000)
    place, turn = frame.transform.translation, frame.transform.rotation
    assert (place.x, place.y, place.z) == pytest.approx((5, 1, 0), abs=1e-3)
    assert (turn.x, turn.y, turn.z, turn.w) == (0, 0, 0, 1)
    (ground,) = (item for message in fixed for item in message.transforms)
    assert (ground.header.frame_id, ground.child_frame_id) == ("camera", "camera_ground")
    place, turn = ground.transform.translation, ground.transform.rotation
    assert (place.x, place.y, place.z) == pytest.approx((0, 1, 0))
    # x of the ground's frame is ahead, which is z of the camera's
    assert abs(turn.x) == abs(turn.y) == abs(turn.z) == abs(turn.w) == pytest.approx(0.5)


def pose(parent, child, stamp, place, turn=(0.0, 0.0, 0.0, 1.0)):
    from geometry_msgs.msg import Quaternion, TransformStamped, Vector3

    from rtreid_ros.nodes.messages.conversions import header

    message = TransformStamped(header=header(round(stamp * 1e9), parent), child_frame_id=child)
    message.transform.translation = Vector3(**dict(zip("xyz", place, strict=True)))
    message.transform.rotation = Quaternion(**dict(zip("xyzw", turn, strict=True)))
    return message


def test_a_camera_that_moves_is_followed_by_tf(graph, peer):
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from tf2_msgs.msg import TFMessage

    parameters = {
        "position.method": "ground", "ground.from_tf": True, "ground.frame": "map", "frame": "ground",
    }  # fmt: skip
    talk = Talk(peer, graph, **parameters)
    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    fixed, moving = peer.publisher(TFMessage, "/tf_static", latched), peer.publisher(TFMessage, "/tf")
    talk.tell_camera()
    assert places(talk.answer(1.0)) == {}
    talk.node.wait_for_log(
        "position_node", "the ground is not known: TF does not connect 'camera' and 'map'", 5
    )
    # one metre above the base, looking ahead: x of the base is z of the camera
    mount = pose("base", "camera", 0, (0.0, 0.0, 1.0), (-0.5, 0.5, -0.5, 0.5))
    fixed.publish(TFMessage(transforms=[mount]))

    def drive(stamp, x):
        moving.publish(TFMessage(transforms=[pose("map", "base", stamp, (x, 0.0, 0.0))]))

    def found(stamp):
        drive(stamp - 0.05, 10 * (stamp - 0.05))
        drive(stamp + 0.05, 10 * (stamp + 0.05))
        time.sleep(0.1)
        return places(talk.answer(stamp))

    stamps = iter(range(2, 100))
    first = until(lambda: found(float(next(stamps))), 20, "positions")
    stamp = float(next(stamps))
    assert first[1][1:] == pytest.approx((1, 0), abs=1e-3)
    assert found(stamp)[1] == pytest.approx((10 * stamp + 5, 1, 0), abs=1e-3)
    assert talk.answers[-1].position_frame == "map"


def test_people_of_the_street_stand_where_they_walk_through_the_whole_graph(graph, peer):
    import numpy as np
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from rtreid_ros.msg import TrackArray
    from sensor_msgs.msg import CameraInfo, TimeReference
    from std_msgs.msg import UInt64

    from rtreid_ros.boxes import iou
    from rtreid_ros.datasets.synthetic import SyntheticScene
    from rtreid_ros.nodes.messages.conversions import tracks_from_message

    scene = SyntheticScene(seed=3, frames=60, people=12)
    view = scene.camera
    parameters = {
        "position.method": "ground",
        "ground.height": float(view.position[1]),
        "ground.pitch": float(-np.arcsin(view.rotation[2, 1])),
        "lossless": True,
    }
    latched = QoSProfile(depth=500, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    found, truths = (peer.collect(TrackArray, topic, latched) for topic in ("tracks_3d", "ground_truth"))
    frames = peer.collect(TimeReference, "frames", latched)
    peer.collect(UInt64, "source_finished", latched)
    started = graph(
        NodeSpec("tracking_node", parameters={"tracker.name": "bytetrack", "lossless": True}),
        NodeSpec("position_node", parameters=parameters),
    )
    info = peer.publisher(CameraInfo, "camera_info", latched)
    k = [view.focal, 0.0, view.centre[0], 0.0, view.focal, view.centre[1], 0.0, 0.0, 1.0]
    info.publish(camera_info(k=k))
    peer.wait_for_publisher("/tracks_3d")
    street = {"source": "synthetic:seed=3,frames=60,people=12", "lossless": True, "wait_for_observers": 1}
    started.start(NodeSpec("source_node", parameters=street))
    started.wait("source_node", timeout=120)
    for topic, messages in (("tracks_3d", found), ("ground_truth", truths), ("frames", frames)):
        until(lambda messages=messages: len(messages) == 60, 20, f"60 messages of {topic}")

    numbers = {(item.header.stamp.sec, item.header.stamp.nanosec): item.source for item in frames}
    errors = []
    for message, told in zip(found, truths, strict=True):
        stamp = message.header.stamp
        assert stamp == told.header.stamp
        index = int(numbers[stamp.sec, stamp.nanosec].rpartition("#")[2])
        truth, tracks = tracks_from_message(told), tracks_from_message(message)
        overlaps = iou(tracks.boxes, truth.boxes)
        for row, track in enumerate(message.tracks):
            if track.has_position and overlaps[row].max() > 0.5:
                place = scene.standing_places(index, truth.ids[[overlaps[row].argmax()]])
                expected = ((place - view.position) @ view.rotation.T)[0]
                errors.append(
                    np.hypot.reduce([track.position.x, track.position.y, track.position.z] - expected)
                )
    assert len(errors) > 200
    assert np.median(errors) < 0.3
