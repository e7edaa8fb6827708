import numpy as np
import pytest

from rtreid_ros.detection.nms import suppress


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def by_definition(boxes, scores, class_ids, threshold):
    kept = []
    for row in sorted(range(len(boxes)), key=lambda row: (-scores[row], row)):
        if all(class_ids[row] != class_ids[k] or iou(boxes[row], boxes[k]) <= threshold for k in kept):
            kept.append(row)
    return kept


def crowd(seed, count=120, levels=None):
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 200, (12, 2))[rng.integers(0, 12, count)] + rng.normal(0, 5, (count, 2))
    size = np.array([40, 90]) * np.exp(rng.normal(0, 0.1, (count, 2)))
    boxes = np.hstack((centre - size / 2, centre + size / 2)).astype(np.float32)
    scores = rng.uniform(0.1, 1, count)
    if levels:
        scores = np.ceil(scores * levels) / levels
    return boxes, scores.astype(np.float32), rng.integers(0, 3, count).astype(np.int32)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.45, 0.7, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_greedy_suppression_within_each_class(seed, threshold):
    boxes, scores, class_ids = crowd(seed)
    kept = suppress(boxes, scores, class_ids, threshold, 1000)
    assert kept.tolist() == by_definition(boxes.tolist(), scores, class_ids, threshold)


def test_equal_scores_go_by_row():
    boxes, scores, class_ids = crowd(5, levels=3)
    assert suppress(boxes, scores, class_ids, 0.5, 1000).tolist() == by_definition(
        boxes.tolist(), scores, class_ids, 0.5
    )


def test_the_limit_keeps_the_best():
    boxes, scores, class_ids = crowd(6)
    everything = suppress(boxes, scores, class_ids, 0.5, 1000)
    assert len(everything) > 5
    assert suppress(boxes, scores, class_ids, 0.5, 5).tolist() == everything[:5].tolist()


def test_nothing_in_nothing_out():
    empty = suppress(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), 0.5, 10)
    assert empty.shape == (0,)


def test_negative_coordinates_do_not_mix_classes():
    boxes = np.array([[-50, -50, 50, 50], [-50, -50, 50, 50]], np.float32)
    kept = suppress(boxes, np.array([0.9, 0.8], np.float32), np.array([0, 1], np.int32), 0.5, 10)
    assert kept.tolist() == [0, 1]
