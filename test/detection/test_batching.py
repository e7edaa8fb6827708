"""Several images in one inference give what each gives alone."""

import numpy as np
import pytest
from support.models import brightness_detector, constant_detector

from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.detection.session_detector import MOST_IMAGES, SessionDetector
from rtreid_ros.errors import ImageError
from rtreid_ros.runtime.ort import OrtSession
from rtreid_ros.runtime.session import COMPILES_EACH_SHAPE

NAMES = {"names": "{0: 'person'}", "task": "detect"}
PEOPLE = [(100, 100, 40, 80, 0.9), (160, 200, 40, 80, 0.8)]


class Recorder(OrtSession):
    """Remembers how many images came at once."""

    def __init__(self, path):
        super().__init__(path, ["cpu"])
        self.batches = []

    def run(self, array):
        self.batches.append(len(array))
        return super().run(array)


@pytest.fixture
def session(tmp_path):
    return Recorder(brightness_detector(tmp_path / "bright.onnx", PEOPLE, metadata=NAMES))


def pictures(count):
    """Grey images of different sizes and brightness."""
    sizes = [(320, 320), (240, 320), (640, 480), (33, 77)]
    return [np.full((*sizes[index % 4], 3), 20 * index % 256, np.uint8) for index in range(count)]


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.boxes, other.boxes, rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(one.scores, other.scores, rtol=1e-5)
        np.testing.assert_array_equal(one.class_ids, other.class_ids)


def test_images_of_any_sizes_share_inferences_and_give_what_each_gives_alone(session):
    detector = SessionDetector(session, DetectorOptions())
    images = pictures(MOST_IMAGES + 3)
    expected = [detector.detect(image) for image in images]
    assert len({float(one.boxes[0, 0]) for one in expected}) > 4
    session.batches.clear()
    assert detector.max_batch == MOST_IMAGES
    session.batches.clear()
    assert_same(detector.detect_many(images), expected)
    assert session.batches == [MOST_IMAGES, 3]
    assert_same([detector.detect(images[1])], expected[1:2])


def test_one_image_alone_is_never_tried_in_a_batch(session):
    detector = SessionDetector(session, DetectorOptions())
    detector.detect_many(pictures(1))
    assert session.batches == [1, 1]
    assert detector.detect_many([]) == []


def test_a_graph_that_reshapes_to_one_image_inside_takes_them_one_by_one(tmp_path):
    table = np.zeros((1, 5, 2100), np.float32)
    table[0, :, 0] = PEOPLE[0]
    shape = ["batch", 3, 320, 320]
    path = constant_detector(tmp_path / "one.onnx", table, shape=shape, metadata=NAMES)
    detector = create_detector(DetectorOptions(model=str(path)))
    assert detector.max_batch == 1
    assert [len(found) for found in detector.detect_many(pictures(3))] == [1, 1, 1]


def test_a_provider_that_compiles_each_shape_gets_images_one_by_one(session):
    session.provider = COMPILES_EACH_SHAPE
    detector = SessionDetector(session, DetectorOptions())
    assert len(detector.detect_many(pictures(3))) == 3
    assert set(session.batches) == {1}


def test_the_builtin_detector_gives_each_its_own():
    detector = create_detector()
    images = [frame.image for frame in SyntheticScene(frames=3, people=6, seed=2)]
    assert detector.max_batch == 1
    expected = [detector.detect(image) for image in images]
    assert all(len(one) for one in expected)
    assert_same(detector.detect_many(images), expected)


def test_an_unusable_image_refuses_the_batch_before_anything_is_run(session):
    detector = SessionDetector(session, DetectorOptions())
    session.batches.clear()
    with pytest.raises(ImageError):
        detector.detect_many([*pictures(2), np.zeros((8, 8), np.uint8)])
    assert session.batches == []
