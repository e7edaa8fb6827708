import logging

import numpy as np
import pytest
from onnx import TensorProto
from support.models import constant_detector

from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.detection.backends import backends
from rtreid_ros.detection.labels import COCO
from rtreid_ros.errors import ConfigError, ImageError, ModelError
from rtreid_ros.options import describe

PERSON = (100, 100, 40, 80, 0.9, 0)
BICYCLE = (102, 100, 40, 80, 0.8, 1)


def test_default_keeps_persons_only(detector_of, image):
    assert detector_of([PERSON, BICYCLE]).detect(image).class_ids.tolist() == [0]


def test_classes_are_chosen_by_name_or_id(detector_of, image):
    for chosen in (("bicycle",), ("1",), ("Bicycle",)):
        assert detector_of([PERSON, BICYCLE], classes=chosen).detect(image).class_ids.tolist() == [1]
    assert len(detector_of([PERSON, BICYCLE], classes=("0", "bicycle")).detect(image)) == 2
    assert len(detector_of([PERSON, BICYCLE], classes=()).detect(image)) == 2


@pytest.mark.parametrize("name", ["3", "-1", "persn"])
def test_an_unknown_class_is_refused(detector_of, name):
    with pytest.raises(ConfigError, match=r"person, bicycle, traffic light"):
        detector_of([PERSON], classes=(name,))


def test_a_misspelt_class_is_answered_with_the_nearest(detector_of):
    with pytest.raises(ConfigError, match="did you mean 'traffic light'"):
        detector_of([PERSON], classes=("trafic light",))


def test_class_names_come_from_the_metadata_or_are_coco_or_numbered(detector_of):
    assert detector_of([]).class_names == ("person", "bicycle", "traffic light")
    assert detector_of([], metadata={}, classes=()).class_names == ("class0", "class1", "class2")


def test_eighty_classes_without_names_are_those_of_coco(tmp_path):
    path = constant_detector(tmp_path / "coco.onnx", np.zeros((1, 84, 2100), np.float32))
    assert create_detector(DetectorOptions(model=str(path))).class_names == COCO
    assert len(set(COCO)) == 80
    assert (COCO[0], COCO[16], COCO[79]) == ("person", "dog", "toothbrush")


@pytest.mark.parametrize("names", ["person", "{'a': 'person'}", "{0: 'person', 2: 'car'}", "{broken"])
def test_names_that_are_no_list_are_refused(detector_of, names):
    with pytest.raises(ModelError, match="names"):
        detector_of([], metadata={"names": names})


def test_scores_below_the_threshold_are_dropped(detector_of, image):
    rows = [(60, 60, 20, 20, 0.5, 0), (160, 160, 20, 20, 0.25, 0), (260, 260, 20, 20, 0.2, 0)]
    scores = detector_of(rows, score_threshold=0.25).detect(image).scores
    np.testing.assert_allclose(scores, [0.5, 0.25])


def test_detections_come_by_descending_score_and_no_more_than_asked(detector_of, image):
    rows = [(20 * i + 15, 50, 10, 10, score, 0) for i, score in enumerate((0.3, 0.9, 0.5, 0.7))]
    np.testing.assert_allclose(detector_of(rows).detect(image).scores, [0.9, 0.7, 0.5, 0.3])
    np.testing.assert_allclose(detector_of(rows, max_detections=2).detect(image).scores, [0.9, 0.7])


def test_overlapping_boxes_of_one_class_are_suppressed(detector_of, image):
    double = (104, 100, 40, 80, 0.5, 0)  # IoU 36 / 44 with PERSON
    assert len(detector_of([PERSON, double], nms_threshold=0.8).detect(image)) == 1
    assert len(detector_of([PERSON, double], nms_threshold=0.85).detect(image)) == 2
    assert len(detector_of([PERSON, BICYCLE], classes=(), nms_threshold=0.1).detect(image)) == 2


def test_the_class_of_a_row_is_its_best_one_even_when_another_is_wanted(tmp_path, image):
    table = np.zeros((1, 7, 2100), np.float32)
    table[0, :, 0] = 100, 100, 40, 80, 0.4, 0.6, 0
    path = constant_detector(tmp_path / "dog.onnx", table, metadata={"names": "['person', 'dog', 'cat']"})
    assert len(create_detector(DetectorOptions(model=str(path))).detect(image)) == 0
    assert len(create_detector(DetectorOptions(model=str(path), classes=("dog",))).detect(image)) == 1


def test_rows_that_are_no_box_are_dropped_counted_and_logged_once(detector_of, image, caplog):
    nan, inf = float("nan"), float("inf")
    bad = [
        (nan, 50, 10, 10, 0.9, 0),
        (50, 50, inf, 10, 0.9, 0),
        (50, 50, -10, 10, 0.9, 0),
        (50, 50, 10, 10, 1.5, 0),
    ]
    bad.append((50, 50, 10, 10, nan, 0))
    detector = detector_of([PERSON, *bad])
    with caplog.at_level(logging.WARNING):
        assert len(detector.detect(image)) == 1
        assert detector.rejected == 5
        detector.detect(image)
    assert detector.rejected == 10
    assert sum("dropped" in record.message for record in caplog.records) == 1


def test_boxes_are_clipped_to_the_image_and_never_lie_outside(detector_of, image):
    detections = detector_of([(5, 310, 40, 80, 0.9, 0), (-50, 100, 20, 20, 0.8, 0)]).detect(image)
    np.testing.assert_allclose(detections.boxes, [[0, 270, 25, 320]])


def test_images_may_change_size_between_frames(detector_of):
    detector = detector_of([PERSON])
    for height, width in ((320, 320), (640, 640), (320, 320), (160, 320), (1, 1), (320, 320)):
        detections = detector.detect(np.zeros((height, width, 3), np.uint8))
        if height == width and height > 1:
            np.testing.assert_allclose(detections.boxes[0] * 320 / height, [80, 60, 120, 140], rtol=1e-5)


def test_views_with_any_strides_are_taken(detector_of):
    image = np.arange(640 * 640 * 3, dtype=np.uint8).reshape(640, 640, 3)
    detector = detector_of([PERSON])
    for view in (image[::2, ::2], image[:, ::-1], image[..., ::-1], image.transpose(1, 0, 2)):
        assert len(detector.detect(view)) == 1


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((10, 10), np.uint8), "GRAY2BGR"),
        (np.zeros((10, 10, 4), np.uint8), "BGRA"),
        (np.zeros((10, 10, 3), np.float32), "float32"),
        (np.zeros((0, 10, 3), np.uint8), "at least one pixel"),
        ([[[1, 2, 3]]], "list"),
    ],
)
def test_what_is_no_bgr_image_is_refused(detector_of, image, message):
    with pytest.raises(ImageError, match=message):
        detector_of([PERSON]).detect(image)


def test_half_precision_models_are_fed_and_read(detector_of, image):
    detections = detector_of([PERSON], dtype=np.float16, made={"dtype": TensorProto.FLOAT16}).detect(image)
    np.testing.assert_allclose(detections.boxes, [[80, 60, 120, 140]])
    assert detections.scores.dtype == np.float32
    np.testing.assert_allclose(detections.scores, [0.9], rtol=1e-3)


def test_a_dynamic_input_takes_the_size_of_the_metadata_or_640(tmp_path):
    shape = ["batch", 3, "height", "width"]
    path = tmp_path / "dynamic.onnx"
    for metadata, rows, size in (
        ({"imgsz": "[320, 320]"}, 2100, (320, 320)),
        ({"imgsz": "320"}, 2100, (320, 320)),
        ({}, 8400, (640, 640)),
    ):
        constant_detector(path, np.zeros((1, 84, rows), np.float32), shape=shape, metadata=metadata)
        assert create_detector(DetectorOptions(model=str(path))).info.input_size == size
    constant_detector(path, np.zeros((1, 84, 2100), np.float32), shape=shape, metadata={"imgsz": "big"})
    with pytest.raises(ModelError, match="imgsz"):
        create_detector(DetectorOptions(model=str(path)))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"shape": [1, 320, 320, 3]}, "NCHW"),
        ({"shape": [1, 3, 320]}, "NCHW"),
        ({"shape": [4, 3, 320, 320]}, "batch of 1"),
        ({"dtype": TensorProto.UINT8}, "uint8"),
    ],
)
def test_an_input_that_is_no_image_is_refused(detector_of, made, message):
    with pytest.raises(ModelError, match=message):
        detector_of([], made=made)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"\.onnx \(onnx\).*\.xml \(openvino\).*\.pt \(ultralytics\)"):
        create_detector(DetectorOptions(model=str(tmp_path / "model.weights")))


def test_every_registered_backend_can_be_chosen():
    choices = next(option.choices for option in describe(DetectorOptions) if option.name == "backend")
    assert set(choices) == {"auto", *backends}


def test_thresholds_and_classes_may_change_between_two_images(detector_of, image):
    detector = detector_of([PERSON, BICYCLE], classes=())
    assert len(detector.detect(image)) == 2
    detector.adjust(DetectorOptions(score_threshold=0.85, classes=()))
    assert detector.detect(image).class_ids.tolist() == [0]
    detector.adjust(DetectorOptions(classes=("bicycle",)))
    assert detector.detect(image).class_ids.tolist() == [1]


def test_a_change_to_an_unknown_class_changes_nothing(detector_of, image):
    detector = detector_of([PERSON, BICYCLE], classes=())
    with pytest.raises(ConfigError, match="dragon"):
        detector.adjust(DetectorOptions(score_threshold=0.85, classes=("dragon",)))
    assert len(detector.detect(image)) == 2
