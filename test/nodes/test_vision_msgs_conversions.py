"""vision_msgs as installed, and as it was in its earlier generations: there and back."""

import math

import numpy as np
import pytest
from support.results import tracks_of

from rtreid_ros.errors import ConfigError
from rtreid_ros.types import Detections, TrackState

pytestmark = pytest.mark.usefixtures("ros")


@pytest.fixture
def installed():
    import vision_msgs.msg

    return vision_msgs.msg


@pytest.fixture(params=["installed", "3.0", "2.0"])
def vision(request, installed):
    from support.vision_generations import GENERATIONS

    return GENERATIONS.get(request.param, installed)


def external(vision, name="person", score=0.5, box=(100.0, 50.0, 40.0, 80.0), theta=0.0):
    """A Detection2D of any generation, with a less likely second class."""
    item = vision.Detection2D()
    place = getattr(item.bbox.center, "position", item.bbox.center)
    place.x, place.y, item.bbox.size_x, item.bbox.size_y = box
    item.bbox.center.theta = theta
    for title, likelihood in ((name, score), ("nonsense", score / 2)):
        result = vision.ObjectHypothesisWithPose()
        hypothesis = getattr(result, "hypothesis", result)
        setattr(hypothesis, "class_id" if hasattr(hypothesis, "class_id") else "id", title)
        hypothesis.score = likelihood
        item.results.append(result)
    return item


def take(vision, *items, classes=()):
    from rtreid_ros.nodes.messages.vision_msgs_conversions import ClassMap, detections_from_vision

    message = vision.Detection2DArray(detections=list(items))
    message.header.frame_id = "camera"
    message.header.stamp.sec = 7
    return detections_from_vision(message, ClassMap(classes), (480, 640))


def test_the_installed_one_is_that_of_humble_and_later(installed):
    """What is said here is what goes over the wire, in this order."""
    layout = {
        "Detection2DArray": {"header": "std_msgs/Header", "detections": "sequence<vision_msgs/Detection2D>"},
        "Detection2D": {
            "header": "std_msgs/Header",
            "results": "sequence<vision_msgs/ObjectHypothesisWithPose>",
            "bbox": "vision_msgs/BoundingBox2D",
            "id": "string",
        },
        "ObjectHypothesisWithPose": {
            "hypothesis": "vision_msgs/ObjectHypothesis",
            "pose": "geometry_msgs/PoseWithCovariance",
        },
        "ObjectHypothesis": {"class_id": "string", "score": "double"},
        "BoundingBox2D": {"center": "vision_msgs/Pose2D", "size_x": "double", "size_y": "double"},
        "Pose2D": {"position": "vision_msgs/Point2D", "theta": "double"},
        "Point2D": {"x": "double", "y": "double"},
    }
    for name, fields in layout.items():
        found = getattr(installed, name).get_fields_and_field_types()
        assert list(found.items()) == list(fields.items()), name


def test_detections_survive_the_way_there_and_back(vision, installed):
    from rclpy.serialization import deserialize_message, serialize_message

    from rtreid_ros.nodes.messages.conversions import detections_from_message, detections_message, header
    from rtreid_ros.nodes.messages.vision_msgs_conversions import (
        ClassMap,
        detections_from_vision,
        detections_to_vision,
    )

    rng = np.random.default_rng(0)
    corners = rng.uniform(-20, 600, (200, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 300, (200, 2))], 1).astype(np.float32)
    before = Detections(boxes, rng.random(200, np.float32), rng.integers(0, 3, 200))
    names = ("person", "bicycle", "car")
    message = detections_message(before, header(1_500_000_000, "camera"), (480, 640), names)
    neighbour = detections_to_vision(vision, message)
    if vision is installed:
        neighbour = deserialize_message(serialize_message(neighbour), vision.Detection2DArray)
    assert neighbour.header == message.header
    assert {item.header.frame_id for item in neighbour.detections} == {"camera"}
    back, refused = detections_from_vision(neighbour, ClassMap(names), (480, 640))
    assert refused == {}
    assert (back.header, back.image_height, back.image_width) == (message.header, 480, 640)
    assert [row.class_name for row in back.detections] == [row.class_name for row in message.detections]
    after = detections_from_message(back)
    assert (after.boxes == before.boxes).all()
    assert (after.scores == before.scores).all()
    assert (after.class_ids == before.class_ids).all()


def test_confirmed_tracks_go_with_their_ids(vision):
    from rtreid_ros.nodes.messages.conversions import header, tracks_message
    from rtreid_ros.nodes.messages.vision_msgs_conversions import tracks_to_vision

    rows = [[3, 10, 20, 50, 100, 0.8], [4, 0, 0, 9, 9, 0.9], [12, 1, 2, 4, 8, 0.7]]
    states = [TrackState.CONFIRMED, TrackState.LOST, TrackState.CONFIRMED]
    message = tracks_message(tracks_of(rows, states, [0, 0, 5]), header(0, "camera"), (480, 640), ["person"])
    first, second = tracks_to_vision(vision, message).detections
    assert [getattr(item, "id", None) or item.tracking_id for item in (first, second)] == ["3", "12"]
    place = getattr(first.bbox.center, "position", first.bbox.center)
    assert (place.x, place.y, first.bbox.size_x, first.bbox.size_y) == (30, 60, 40, 80)
    hypotheses = [getattr(item.results[0], "hypothesis", item.results[0]) for item in (first, second)]
    assert [getattr(item, "class_id", None) or item.id for item in hypotheses] == ["person", "5"]
    assert hypotheses[0].score == pytest.approx(0.8)


def test_the_likeliest_class_counts(vision):
    converted, refused = take(vision, external(vision, "car", 0.6))
    (row,) = converted.detections
    assert (row.class_id, row.class_name, row.score) == (2, "car", pytest.approx(0.6))
    assert (row.x, row.y, row.width, row.height) == (80, 10, 40, 80)
    assert refused == {}
    assert converted.header.stamp.sec == 7


def test_turned_boxes_become_upright(vision):
    (row,) = take(vision, external(vision, theta=math.pi / 2))[0].detections
    assert (row.x, row.y, row.width, row.height) == pytest.approx((60, 30, 80, 40))
    (row,) = take(vision, external(vision, box=(0.0, 0.0, 2.0, 2.0), theta=-math.pi / 4))[0].detections
    assert (row.width, row.height) == pytest.approx((8**0.5, 8**0.5))


def test_other_classes_and_detections_without_any_are_left_out_and_named(vision):
    from rtreid_ros.nodes.messages.vision_msgs_conversions import refusal_text

    items = [external(vision, name) for name in ("tree", "person", "tree")]
    converted, refused = take(vision, *items, vision.Detection2D())
    assert len(converted.detections) == 1
    assert refused == {"tree": 2, "": 1}
    assert "'tree' (2), none (1); name those to take in `classes`" in refusal_text(refused)


def test_without_a_list_numbers_and_names_of_coco_are_taken():
    from rtreid_ros.nodes.messages.vision_msgs_conversions import ClassMap

    classes = ClassMap(())
    assert classes["person"] == classes["0"] == (0, "person")
    assert classes["2"] == classes["car"] == (2, "car")
    assert classes["80"] == (80, "")
    for name in ("", "Person", "-1", "²", "99999999999"):
        assert classes[name] is None


def test_a_list_of_classes_names_and_numbers_them():
    from rtreid_ros.nodes.messages.vision_msgs_conversions import ClassMap

    classes = ClassMap(("0:person", "pedestrian: person", "car", "7:truck"))
    assert classes["0"] == classes["pedestrian"] == (0, "person")
    assert classes["car"] == (1, "car")
    assert classes["7"] == (2, "truck")
    assert classes["person"] is None


@pytest.mark.parametrize(
    ("entries", "message"),
    [(("a", "a:b"), "'a' is given twice"), ((":b",), "THEIRS:OURS or OURS, got ':b'"), (("a:",), "got 'a:'")],
)
def test_a_list_of_classes_that_cannot_be_is_refused(entries, message):
    from rtreid_ros.nodes.messages.vision_msgs_conversions import ClassMap

    with pytest.raises(ConfigError, match=message):
        ClassMap(entries)
