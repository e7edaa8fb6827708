"""Published weights on a published sequence, against the figures in the data's README."""

import cv2
import numpy as np
import pytest

from rtreid_ros.detection import DetectorOptions, create_detector


@pytest.fixture(scope="module")
def tud(shared_data):
    """Every second frame of TUD-Stadtmitte with the boxes of its people."""
    folder = shared_data / "mot/MOT15/TUD-Stadtmitte"
    boxes = {}
    for line in (folder / "gt/gt.txt").read_text().splitlines():
        frame, _, left, top, width, height = (float(text) for text in line.split(",")[:6])
        boxes.setdefault(int(frame), []).append((left, top, left + width, top + height))
    video = cv2.VideoCapture(str(folder / "TUD-Stadtmitte.mp4"))
    frames = []
    number = 0
    while True:
        there, image = video.read()
        number += 1
        if not there:
            return frames
        if number % 2:
            frames.append((image, np.array(boxes.get(number, []), float).reshape(-1, 4)))


def iou_with(box, others):
    size = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    shared = size.prod(axis=1)
    return shared / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - shared)


def recall_and_precision(detector, frames):
    hits = found = there = 0
    for image, truth in frames:
        detections = detector.detect(image)
        free = np.ones(len(truth), bool)
        for box in detections.boxes.astype(float):
            overlap = np.where(free, iou_with(box, truth), 0) if len(truth) else np.zeros(1)
            if overlap.max() >= 0.5:
                free[overlap.argmax()] = False
                hits += 1
        found += len(detections)
        there += len(truth)
    return hits / there, hits / found


@pytest.mark.parametrize(
    ("weights", "score", "recall", "precision", "layout"),
    [
        ("yolox_nano_coco416.onnx", 0.25, 0.84, 0.90, "yolox"),
        ("person-detection-retail-0013-FP16/person-detection-retail-0013.xml", 0.45, 0.84, 0.95, "ssd"),
    ],
)
def test_published_detectors_reach_their_reference(
    shared_data, tud, weights, score, recall, precision, layout
):
    if weights.endswith(".xml"):
        pytest.importorskip("openvino")
    options = DetectorOptions(
        model=str(shared_data / "weights/det" / weights), score_threshold=score, nms_threshold=0.45
    )
    detector = create_detector(options)
    assert detector.info.layout == layout
    assert detector.class_names[detector.detect(tud[0][0]).class_ids[0]] == "person"
    assert recall_and_precision(detector, tud) == (
        pytest.approx(recall, abs=0.01),
        pytest.approx(precision, abs=0.015),
    )
    assert detector.rejected == 0


def test_yolov8_finds_the_people_of_a_frame(shared_data, tud):
    options = DetectorOptions(
        model=str(shared_data / "weights/det/yolov8n_int8_digitalm.onnx"),
        score_threshold=0.4,
        nms_threshold=0.45,
    )
    detector = create_detector(options)
    assert detector.info.layout == "yolov8"
    recall, precision = recall_and_precision(detector, tud[::30])
    assert recall > 0.7
    assert precision > 0.8
