"""Each layout is written here from its own definition and must be found and read back."""

import numpy as np
import pytest
from support.models import constant_detector

from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ModelError

SIZE = (320, 320)
STRIDES = (8, 16, 32)
CELLS = 40 * 40 + 20 * 20 + 10 * 10
# centre and size in pixels of the input, score, class
OBJECTS = [
    ((60.0, 100.0, 40.0, 90.0), 0.9, 0),
    ((200.0, 150.0, 30.0, 70.0), 0.6, 1),
    ((150.0, 250.0, 60.0, 40.0), 0.4, 0),
]
CLASSES = 3
NAMES = {"names": "{0: 'person', 1: 'bicycle', 2: 'car'}"}


def cells():
    for stride in STRIDES:
        for row in range(SIZE[0] // stride):
            for column in range(SIZE[1] // stride):
                yield column, row, stride


def cell_of(box):
    """Index, column, row and stride of the stride-16 cell that holds the box's centre."""
    for index, (column, row, stride) in enumerate(cells()):
        if stride == 16 and column == box[0] // 16 and row == box[1] // 16:
            return index, column, row, stride
    raise AssertionError(box)


def anchor_free(classes=CLASSES, extra=0):
    table = np.zeros((1, 4 + classes + extra, CELLS), np.float32)
    table[0, 4 + classes :] = 0.99  # mask coefficients must not be taken for scores
    for box, score, label in OBJECTS:
        index = cell_of(box)[0]
        table[0, :4, index] = box
        table[0, 4 + label, index] = score
    return table


def objectness(rows=CELLS, fill=0.5, constant=None, classes=CLASSES):
    """YOLOv5 to v7 and v6: pixels; the score is split between objectness and class."""
    table = np.zeros((1, rows, 5 + classes), np.float32)
    for index, (column, row, stride) in enumerate(cells()):
        table[0, index, :4] = (column + fill) * stride, (row + fill) * stride, stride, stride
    if constant is not None:
        table[0, :, 4] = constant
    for box, score, label in OBJECTS:
        index = cell_of(box)[0]
        table[0, index, :4] = box
        table[0, index, 4] = 0.95 if constant is None else constant
        table[0, index, 5 + label] = score / table[0, index, 4]
    return table


def yolox_raw():
    table = np.zeros((1, CELLS, 5 + CLASSES), np.float32)
    table[0, :, :2] = 0.5
    for box, score, label in OBJECTS:
        index, column, row, stride = cell_of(box)
        x, y, width, height = box
        table[0, index, :4] = (
            x / stride - column,
            y / stride - row,
            np.log(width / stride),
            np.log(height / stride),
        )
        table[0, index, 4] = 0.95
        table[0, index, 5 + label] = score / 0.95
    return table


def corners(box):
    x, y, width, height = box
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def end2end():
    table = np.zeros((1, 100, 6), np.float32)
    for index, (box, score, label) in enumerate(OBJECTS):
        table[0, index] = *corners(box), score, label
    return table


def ssd():
    table = np.zeros((1, 1, 50, 7), np.float32)
    for index, (box, score, label) in enumerate(OBJECTS):
        table[0, 0, index] = 0, label, score, *(np.array(corners(box)) / 320)
    table[0, 0, len(OBJECTS) :, 0] = -1  # end of the list
    table[0, 0, len(OBJECTS) :, 2] = 0.99
    return table


LAYOUTS = {
    "yolov5": ("yolov5", lambda: objectness(3 * CELLS), NAMES),
    "yolov5 without names": ("yolov5", lambda: objectness(3 * CELLS), {}),
    "yolov6": ("yolov6", lambda: objectness(constant=1.0), {}),
    "yolov8": ("yolov8", anchor_free, NAMES),
    "yolov8 without names": ("yolov8", anchor_free, {}),
    "yolov8 for masks": ("yolov8", lambda: anchor_free(extra=32), {**NAMES, "task": "segment"}),
    "yolov8 transposed": ("yolov8", lambda: anchor_free().transpose(0, 2, 1), NAMES),
    "yolox raw": ("yolox", yolox_raw, {}),
    "yolox decoded": ("yolox", objectness, {}),
    "end2end": ("end2end", end2end, NAMES),
    "ssd": ("ssd", ssd, NAMES),
}


def detector(tmp_path, *outputs, metadata=None, size=SIZE, **options):
    path = constant_detector(tmp_path / "made.onnx", *outputs, size=size, metadata=metadata)
    return create_detector(
        DetectorOptions(model=str(path), **{"classes": (), "score_threshold": 0.3, **options})
    )


@pytest.mark.parametrize("case", LAYOUTS)
def test_each_layout_is_recognised_and_read(tmp_path, case):
    name, output, metadata = LAYOUTS[case]
    found = detector(tmp_path, output(), metadata=metadata)
    assert found.info.layout == name
    detections = found.detect(np.zeros((320, 320, 3), np.uint8))
    np.testing.assert_allclose(detections.boxes, [corners(box) for box, _, _ in OBJECTS], atol=1e-3)
    np.testing.assert_allclose(detections.scores, [score for _, score, _ in OBJECTS], atol=1e-5)
    assert detections.class_ids.tolist() == [label for _, _, label in OBJECTS]


@pytest.mark.parametrize("case", ["yolov5", "yolov8", "end2end"])
def test_boxes_of_a_centred_letterbox_come_back_to_the_image(tmp_path, case):
    _, output, metadata = LAYOUTS[case]
    # 640x320 shrinks by 2 and is padded by 80 rows above
    detections = detector(tmp_path, output(), metadata=metadata).detect(np.zeros((320, 640, 3), np.uint8))
    expected = [
        ((x1) * 2, (y1 - 80) * 2, x2 * 2, (y2 - 80) * 2)
        for x1, y1, x2, y2 in (corners(b) for b, _, _ in OBJECTS)
    ]
    expected = np.clip(expected, 0, [640, 320, 640, 320])
    np.testing.assert_allclose(detections.boxes, expected[[box[3] > box[1] for box in expected]], atol=1e-3)


def test_boxes_of_a_yolox_letterbox_come_back_to_the_image(tmp_path):
    detections = detector(tmp_path, yolox_raw()).detect(np.zeros((320, 640, 3), np.uint8))
    # 640x320 shrinks by 2 and is padded below only; the third object lies in the padding alone
    expected = np.clip([np.array(corners(box)) * 2 for box, _, _ in OBJECTS[:2]], 0, [640, 320, 640, 320])
    np.testing.assert_allclose(detections.boxes, expected, atol=1e-3)


def test_boxes_of_a_stretched_input_come_back_to_the_image(tmp_path):
    detections = detector(tmp_path, ssd(), metadata=NAMES).detect(np.zeros((160, 640, 3), np.uint8))
    expected = [np.array(corners(box)) * (2, 0.5, 2, 0.5) for box, _, _ in OBJECTS]
    np.testing.assert_allclose(detections.boxes, expected, atol=1e-3)


def test_one_class_models_keep_their_layouts(tmp_path):
    # (1, N, 6) is also the shape of exports with NMS inside
    for rows, name in ((3 * CELLS, "yolov5"), (CELLS, "yolox")):
        output = objectness(rows, classes=2)[..., :6] if name == "yolov5" else yolox_raw()[..., :6]
        assert detector(tmp_path, output).info.layout == name


def test_the_first_output_that_can_be_read_is_read(tmp_path):
    masks = np.zeros((1, 32, 80, 80), np.float32)
    found = detector(tmp_path, masks, anchor_free(extra=32), metadata={**NAMES, "task": "segment"})
    assert len(found.detect(np.zeros((320, 320, 3), np.uint8))) == len(OBJECTS)


def test_an_unknown_layout_is_refused_with_a_list_of_the_known_ones(tmp_path):
    with pytest.raises(ModelError, match=r"\(1, 7, 9\)") as error:
        detector(tmp_path, np.zeros((1, 7, 9), np.float32))
    for known in ("YOLOv5", "YOLOv8", "YOLOX", "SSD", "NMS inside"):
        assert known in str(error.value)


def test_names_that_do_not_fit_the_output_are_refused(tmp_path):
    with pytest.raises(ModelError, match="2 class names"):
        detector(tmp_path, anchor_free(), metadata={"names": "['person', 'car']"})


def test_a_classifier_is_refused_by_its_task(tmp_path):
    with pytest.raises(ModelError, match="task 'classify'"):
        detector(tmp_path, np.zeros((1, 1000), np.float32), metadata={"task": "classify"})


def test_an_ambiguous_output_is_refused_rather_than_guessed(tmp_path):
    # 64x64 has 84 cells, so 84x84 is YOLOv8 with 80 classes as well as YOLOX with 79
    with pytest.raises(ModelError, match=r"yolov8 or yolo"):
        detector(tmp_path, np.zeros((1, 84, 84), np.float32), size=(64, 64))
