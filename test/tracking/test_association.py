"""The assignment against scipy's optimum on matrices of every temper."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from support.scenes import person, see

from rtreid_ros.tracking import create_tracker
from rtreid_ros.tracking.association import OVERLAPS, Matching, overlap, solve_assignment

LIMIT = 0.7


def worth(cost, rows, columns):
    return float(np.sum(LIMIT - cost[rows, columns]))


def best_worth(cost):
    gain = np.maximum(LIMIT - cost, 0)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return float(gain[rows, columns].sum())


def matrices():
    rng = np.random.default_rng(5)
    for n, m in [(1, 1), (1, 6), (6, 1), (3, 3), (5, 9), (9, 5), (40, 40), (60, 20)]:
        yield rng.random((n, m))  # everything competes
        yield np.where(rng.random((n, m)) < 0.1, rng.random((n, m)), np.inf)  # sparse
        yield np.round(rng.random((n, m)), 1)  # full of ties
        diagonal = np.ones((n, m))
        np.fill_diagonal(diagonal, 0.1)
        yield diagonal + rng.normal(0, 0.05, (n, m))  # clear pairs
        yield np.add.outer(np.arange(n), np.arange(m)) / (n + m)  # greedy choices are worst
    yield np.array([[0.1, 0.2], [0.2, 0.7]])  # the best pair is not in the best assignment
    yield np.array([[0.1, 0.35], [0.35, 0.6]])  # ... and here both are equally good
    yield np.full((4, 4), 0.3)
    yield np.full((4, 4), np.inf)
    yield np.full((2, 3), LIMIT)


@pytest.mark.parametrize("number", range(len(list(matrices()))))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_assignment_reaches_the_optimum(number, dtype):
    cost = next(itertools.islice(matrices(), number, None)).astype(dtype)
    before = cost.copy()
    rows, columns = solve_assignment(cost, LIMIT)
    np.testing.assert_array_equal(cost, before)  # the caller's matrix is not touched
    assert (np.diff(rows) > 0).all()
    assert len(set(columns.tolist())) == len(columns)
    assert (cost[rows, columns] < LIMIT).all()
    assert worth(cost, rows, columns) == pytest.approx(
        best_worth(cost), abs=1e-4 if dtype == np.float32 else 1e-12
    )


def test_assignment_reaches_the_optimum_on_thousands_of_small_matrices():
    rng = np.random.default_rng(11)
    for _ in range(2000):
        cost = rng.random(rng.integers(1, 7, 2)) ** rng.uniform(0.3, 3)
        rows, columns = solve_assignment(cost, LIMIT)
        assert worth(cost, rows, columns) == pytest.approx(best_worth(cost), abs=1e-12)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_nothing_to_assign(shape):
    rows, columns = solve_assignment(np.zeros(shape), LIMIT)
    assert len(rows) == len(columns) == 0


def test_stages_hand_on_what_is_left():
    matching = Matching(np.zeros(3, np.int32), np.zeros(3, np.int32))
    everyone = np.ones(3, bool)
    matching.assign(np.array([0, 2]), np.array([1, 2]), np.array([[0.1, 0.9], [0.9, 0.9]]), 0.5)
    np.testing.assert_array_equal(matching.free_tracks(everyone), [1, 2])
    np.testing.assert_array_equal(matching.free_detections(everyone), [0, 2])
    matching.assign(np.array([1, 2]), np.array([0, 2]), np.array([[0.4, 0.1], [0.2, 0.3]]), 0.5)
    np.testing.assert_array_equal(matching.detection_of, [1, 2, 0])
    np.testing.assert_array_equal(matching.track_of, [2, 0, 1])


def test_per_class_matching_keeps_classes_apart():
    cost = np.array([[0.1, 0.4], [0.4, 0.1]])
    tracks, detections = np.array([0, 1], np.int32), np.array([1, 1], np.int32)
    both = np.arange(2)
    apart = Matching(tracks, detections, per_class=True)
    apart.assign(both, both, cost, 0.5)
    np.testing.assert_array_equal(apart.detection_of, [-1, 1])
    together = Matching(tracks, detections)
    together.assign(both, both, cost, 0.5)
    np.testing.assert_array_equal(together.detection_of, [0, 1])


# ----------------------------------------------------------------------- overlaps


@pytest.mark.parametrize("kind", OVERLAPS)
def test_overlaps_go_from_nothing_to_one(kind):
    rng = np.random.default_rng(3)
    low = rng.uniform(-500, 500, (200, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 300, (200, 2)) ** 1.5], axis=1).astype(np.float32)
    measured = overlap(kind, boxes, boxes)
    assert measured.min() >= 0
    assert measured.max() <= 1
    np.testing.assert_allclose(np.diag(measured), 1, atol=1e-6)
    far = overlap(kind, boxes[:1], boxes[:1] + np.float32(1e6))
    assert 0 <= far[0, 0] < 1e-2


@pytest.mark.parametrize("kind", OVERLAPS)
def test_generalised_overlaps_fall_with_distance_also_where_nothing_is_shared(kind):
    """Boxes of one shape, ever further apart in a straight line; they touch at 40 pixels."""
    steps = np.arange(0, 400, 10)
    places = see(*[person(100 + step) for step in steps]).boxes
    measured = overlap(kind, places[:1], places)[0]
    if kind == "iou":
        assert (np.diff(measured[:5]) < 0).all()
        assert (measured[4:] == 0).all()
    else:
        assert (np.diff(measured) < 0).all()


def test_overlaps_of_a_known_pair():
    """Touching squares of side 2: IoU 0, GIoU 0, DIoU -4 / 20, and CIoU the same as of equal shape."""
    a, b = np.array([[0, 0, 2, 2]], np.float32), np.array([[2, 0, 4, 2]], np.float32)
    for kind, expected in {"iou": 0, "giou": 0.5, "diou": 0.4, "ciou": 0.4}.items():
        np.testing.assert_allclose(overlap(kind, a, b), [[expected]], atol=1e-6)


@pytest.mark.parametrize("name", ["sort", "ocsort", "deepocsort"])
@pytest.mark.parametrize(("kind", "expected"), [("iou", 2), ("giou", 1), ("diou", 1), ("ciou", 1)])
def test_the_overlap_option_decides_about_who_no_longer_overlaps(name, kind, expected):
    """Someone leaps 60 pixels, one and a half widths: scaled GIoU and DIoU are 0.4 and 0.41."""
    tracker = create_tracker(name, overlap=kind)
    tracker.update(see(person(100)))
    tracks = tracker.update(see(person(160)))
    assert tracks.ids[tracks.detection_index == 0].tolist() == [expected]
