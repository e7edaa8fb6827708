"""Box algebra against scalar formulas written from the papers, and against boxes without area."""

import math
import warnings

import numpy as np
import pytest

from rtreid_ros import boxes


def scalar_overlaps(a, b):
    """IoU, GIoU, DIoU, CIoU of two corner boxes, one pair at a time; 0 for 0 / 0."""

    def divide(x, y):
        return x / y if y else 0.0

    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a, b
    aw, ah, bw, bh = (max(v, 0.0) for v in (ax2 - ax1, ay2 - ay1, bx2 - bx1, by2 - by1))
    inter = max(min(ax2, bx2) - max(ax1, bx1), 0.0) * max(min(ay2, by2) - max(ay1, by1), 0.0)
    union = aw * ah + bw * bh - inter
    hull_w, hull_h = max(ax2, bx2) - min(ax1, bx1), max(ay2, by2) - min(ay1, by1)
    hull = hull_w * hull_h
    distance = ((ax1 + ax2 - bx1 - bx2) ** 2 + (ay1 + ay2 - by1 - by2) ** 2) / 4
    iou = divide(inter, union)
    giou = iou - divide(hull - union, hull)
    diou = iou - divide(distance, hull_w**2 + hull_h**2)
    v = 4 / math.pi**2 * (math.atan2(aw, ah) - math.atan2(bw, bh)) ** 2
    ciou = diou - divide(v, 1 - iou + v) * v
    return iou, giou, diou, ciou


OVERLAPS = [boxes.iou, boxes.giou, boxes.diou, boxes.ciou]


def random_boxes(rng, count):
    """Boxes of all kinds: ordinary, on a coarse grid (touching, equal, nested), thin, points."""
    corner = rng.uniform(-50, 50, (count, 2))
    size = rng.uniform(0, 60, (count, 2))
    grid = rng.random(count) < 0.5
    corner[grid], size[grid] = np.round(corner[grid] / 20) * 20, np.round(size[grid] / 20) * 20
    size[rng.random(count) < 0.1, 0] = 0
    size[rng.random(count) < 0.1, 1] = 0
    return np.concatenate([corner, corner + size], axis=1)


@pytest.mark.parametrize("column", range(4), ids=["iou", "giou", "diou", "ciou"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_overlaps_equal_the_papers_formulas_pair_by_pair(column, dtype, tolerance):
    rng = np.random.default_rng(7)
    for _ in range(15):
        a, b = (random_boxes(rng, n).astype(dtype) for n in rng.integers(0, 25, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            got = OVERLAPS[column](a, b)
        wanted = [[scalar_overlaps(map(float, x), map(float, y))[column] for y in b] for x in a]
        assert got.shape == (len(a), len(b))
        assert got.dtype == dtype
        np.testing.assert_allclose(got, np.array(wanted).reshape(got.shape), atol=tolerance)


def test_overlaps_of_known_pairs():
    a = [[0, 0, 2, 2]]
    b = [[0, 0, 2, 2], [1, 0, 3, 2], [2, 0, 4, 2], [3, 0, 5, 2], [0, 0, 2, 1]]
    np.testing.assert_allclose(boxes.iou(a, b), [[1, 1 / 3, 0, 0, 0.5]])
    np.testing.assert_allclose(boxes.giou(a, b), [[1, 1 / 3, 0, -0.2, 0.5]])
    np.testing.assert_allclose(boxes.diou(a, b), [[1, 1 / 3 - 1 / 13, -4 / 20, -9 / 29, 0.5 - 0.25 / 8]])
    v = 4 / np.pi**2 * (np.pi / 4 - np.arctan(2)) ** 2
    np.testing.assert_allclose(boxes.ciou(a, b)[0, 4], 0.5 - 0.25 / 8 - v * v / (0.5 + v))


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_degenerate_boxes_give_numbers_without_warnings(overlap, dtype):
    degenerate = np.array(
        [[5, 5, 5, 5], [5, 5, 5, 5], [0, 5, 10, 5], [5, 0, 5, 10], [10, 10, 0, 0], [0, 0, 10, 10]], dtype
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = overlap(degenerate, degenerate)
    assert np.isfinite(result).all()
    assert result[0, 1] == 0  # by definition: identical points have no area to share
    assert result[5, 5] == 1
    np.testing.assert_array_equal(result, result.T)


def test_the_iou_of_tiny_identical_boxes_is_one():
    for dtype, size in ((np.float32, 1e-20), (np.float64, 1e-160)):  # areas are subnormal numbers
        tiny = np.array([[0, 0, size, size]], dtype)
        assert boxes.iou(tiny, tiny)[0, 0] == 1


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (boxes.xyxy_to_ltwh, boxes.ltwh_to_xyxy),
        (boxes.xyxy_to_cxcywh, boxes.cxcywh_to_xyxy),
        (boxes.xyxy_to_xyah, boxes.xyah_to_xyxy),
        (boxes.xyxy_to_xysr, boxes.xysr_to_xyxy),
    ],
)
def test_formats_convert_there_and_back(there, back):
    rng = np.random.default_rng(3)
    corners = rng.uniform(-100, 100, (50, 4))
    corners[:, 2:] = corners[:, :2] + rng.uniform(0.1, 80, (50, 2))
    np.testing.assert_allclose(back(there(corners)), corners, atol=1e-10)
    assert there(corners.astype(np.float32)).dtype == np.float32
    assert there(np.zeros((0, 4))).shape == (0, 4)


def test_formats_of_one_box():
    corners = [[10, 20, 30, 60]]
    np.testing.assert_array_equal(boxes.xyxy_to_ltwh(corners), [[10, 20, 20, 40]])
    np.testing.assert_array_equal(boxes.xyxy_to_cxcywh(corners), [[20, 40, 20, 40]])
    np.testing.assert_array_equal(boxes.xyxy_to_xyah(corners), [[20, 40, 0.5, 40]])
    np.testing.assert_array_equal(boxes.xyxy_to_xysr(corners), [[20, 40, 800, 0.5]])
    np.testing.assert_array_equal(boxes.xysr_to_xyxy([[20, 40, 800, 0.5]]), corners)
    np.testing.assert_array_equal(boxes.area(corners), [800])


def test_a_box_without_height_has_aspect_ratio_zero():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(boxes.xyxy_to_xyah([[0.0, 5, 4, 5]]), [[2, 5, 0, 0]])
        np.testing.assert_array_equal(boxes.xyxy_to_xysr([[0.0, 5, 4, 5]]), [[2, 5, 0, 0]])


def test_an_area_or_aspect_ratio_of_no_box_is_a_point():
    """What a filter may predict: nothing, or less than nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        corners = boxes.xysr_to_xyxy([[3.0, 4, 0, 0.5], [3, 4, -10, 0.5], [3, 4, 10, 0]])
    np.testing.assert_array_equal(corners, [[3, 4, 3, 4]] * 3)


def test_clip_moves_corners_into_the_image():
    clipped = boxes.clip([[-5.0, -5, 700, 500], [10, 20, 30, 40], [-20, 5, -10, 9]], 480, 640)
    np.testing.assert_array_equal(clipped, [[0, 0, 640, 480], [10, 20, 30, 40], [0, 5, 0, 9]])


def test_a_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"\(N, 4\), got \(3, 5\)"):
        boxes.iou(np.zeros((3, 5)), np.zeros((2, 4)))
