import numpy as np
import pytest

from rtreid_ros.errors import MessageError
from rtreid_ros.types import Detections, GroundTruth, Tracks, TrackState

pytestmark = pytest.mark.usefixtures("ros")


@pytest.fixture
def convert(ros):
    from rtreid_ros.nodes.messages import conversions

    return conversions


@pytest.fixture
def wire(ros):
    """A message after its way through CDR."""
    from rclpy.serialization import deserialize_message, serialize_message

    return lambda message: deserialize_message(serialize_message(message), type(message))


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def corners(rng, count):
    """Awkward float32 corners: tiny and huge sizes, negative and fractional places."""
    start = rng.normal(0, 500, (count, 2)).astype(np.float32)
    size = np.exp(rng.normal(0, 4, (count, 2))).astype(np.float32)
    return np.hstack([start, start + size])


def test_detections_survive_the_wire_bit_by_bit(convert, wire, rng):
    sent = Detections(
        corners(rng, 200),
        rng.random(200).astype(np.float32),
        rng.integers(0, 80, 200),
        rng.random((200, 16)).astype(np.float32),
    )
    head = convert.header(1_234_567_890_123_456_789, "front")
    names = [f"class {index}" for index in range(79)]
    message = wire(convert.detections_message(sent, head, (480, 640), names, 1.5, 2.5))
    assert convert.stamp_ns(message) == 1_234_567_890_123_456_789
    assert (message.header.frame_id, message.image_height, message.image_width) == ("front", 480, 640)
    assert (message.detection_ms, message.embedding_ms) == (1.5, 2.5)
    got = convert.detections_from_message(message)
    for column in ("boxes", "scores", "class_ids", "embeddings"):
        np.testing.assert_array_equal(getattr(got, column), getattr(sent, column))
    for row in message.detections:
        assert row.class_name == (f"class {row.class_id}" if row.class_id < 79 else "")


def test_camera_motion_survives_the_wire_bit_by_bit(convert, wire, rng):
    from rtreid_ros.nodes.flow.motion import MotionStep

    message = convert.detections_message(Detections.empty(), convert.header(7, "c"), (480, 640), [])
    assert convert.camera_motion_of(wire(message)) is None
    affine = np.eye(2, 3) + rng.normal(0, 0.1, (2, 3))
    convert.set_camera_motion(message, MotionStep(1_234_567_890_123_456_789, affine))
    got = convert.camera_motion_of(wire(message))
    assert got.since == 1_234_567_890_123_456_789
    assert got.affine.tobytes() == affine.tobytes()
    convert.set_camera_motion(message, None)
    assert convert.camera_motion_of(wire(message)) is None


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_camera_motion_that_is_no_affine_is_refused(convert, value):
    message = convert.detections_message(Detections.empty(), convert.header(7, "c"), (480, 640), [])
    message.has_camera_motion = True
    message.camera_motion = np.full(6, value)
    with pytest.raises(MessageError, match="camera_motion is no invertible affine"):
        convert.camera_motion_of(message)


def test_no_detections_are_a_message_too(convert, wire):
    message = wire(convert.detections_message(Detections.empty(), convert.header(0, ""), (1, 2), []))
    got = convert.detections_from_message(message)
    assert len(got) == 0
    assert got.boxes.shape == (0, 4)


def test_tracks_survive_the_wire_bit_by_bit(convert, wire, rng):
    count = 50
    sent = Tracks(
        ids=np.arange(1, count + 1) * 10**10,
        boxes=corners(rng, count),
        scores=rng.random(count).astype(np.float32),
        class_ids=np.zeros(count, np.int32),
        states=rng.integers(1, 4, count).astype(np.uint8),
        ages=rng.random(count).astype(np.float32),
        time_since_update=rng.random(count).astype(np.float32),
        detection_index=rng.integers(-1, 9, count),
        velocities=rng.normal(size=(count, 2)).astype(np.float32),
        embeddings=rng.random((count, 8)).astype(np.float32),
    )
    message = wire(
        convert.tracks_message(sent, convert.header(1, "c"), (3, 4), ["person"], (1, 2, 3), True, 4)
    )
    got = convert.tracks_from_message(message)
    for column in Tracks.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(got, column), getattr(sent, column), err_msg=column)
    assert message.tracks[0].class_name == "person"
    assert (message.detection_ms, message.embedding_ms, message.tracking_ms) == (1, 2, 3)
    assert message.camera_motion_ms == 4
    bare = convert.tracks_message(sent, convert.header(1, "c"), (3, 4), ["person"])
    assert all(len(track.embedding) == 0 for track in bare.tracks)


def test_states_are_the_constants_of_the_message(ros):
    from rtreid_ros.msg import Track

    for state in TrackState:
        assert getattr(Track, f"STATE_{state.name}") == state


def test_ground_truth_survives_the_wire(convert, wire, rng):
    sent = GroundTruth(
        ids=np.array([4, 9, 2]),
        boxes=corners(rng, 3),
        class_ids=np.array([1, 1, 7], np.int32),
        visibility=np.array([1, 0.25, 0], np.float32),
        considered=np.array([True, True, False]),
    )
    got = convert.ground_truth_from_message(
        wire(convert.ground_truth_message(sent, convert.header(5, ""), (1, 1), []))
    )
    for column in GroundTruth.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(got, column), getattr(sent, column), err_msg=column)


def test_nonsense_boxes_are_passed_on_for_the_stages_to_judge(convert, wire):
    boxes = np.array(
        [[np.nan, 0, 1, 1], [0, 0, np.inf, 1], [-np.inf, 0, np.inf, 1], [5, 5, 2, 2]], np.float32
    )
    message = wire(
        convert.detections_message(Detections(boxes, np.ones(4)), convert.header(0, ""), (1, 1), [])
    )
    assert not convert.detections_from_message(message).is_valid().any()


def test_embeddings_of_different_length_are_refused(convert):
    detections = Detections(np.array([[0, 0, 1, 1], [0, 0, 1, 1]]), np.ones(2))
    message = convert.detections_message(detections, convert.header(0, ""), (1, 1), [])
    message.detections[0].embedding = [1.0, 0.0]
    with pytest.raises(MessageError, match=r"differ in length: \[0, 2\]"):
        convert.detections_from_message(message)
