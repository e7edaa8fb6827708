import cv2
import numpy as np
import pytest

from rtreid_ros.reid.crops import CropBatch, pixel_boxes, stack_crops
from rtreid_ros.reid.preprocessing import PRESETS, Preprocessing

rng = np.random.default_rng(3)
IMAGE = rng.integers(0, 256, (120, 200, 3), np.uint8)


def boxes(*rows):
    return np.array(rows, np.float32)


def test_corners_are_rounded_and_clipped_to_the_image():
    given = boxes((10.4, 20.6, 30.5, 40.4), (-5, -7, 20, 30), (190, 100, 250, 180))
    assert pixel_boxes(given, 120, 200).tolist() == [[10, 21, 30, 40], [0, 0, 20, 30], [190, 100, 200, 120]]


@pytest.mark.parametrize(
    ("box", "pixel"),
    [
        ((-50, -60, -10, -20), (0, 0)),
        ((300, 50, 400, 90), (199, 50)),
        ((50, 300, 90, 400), (50, 119)),
        ((1e30, 1e30, 2e30, 2e30), (199, 119)),
        ((30, 40, 30, 40), (30, 40)),
        ((30, 40, 20, 10), (30, 40)),
        ((30.1, 40.1, 30.3, 40.3), (30, 40)),
    ],
)
def test_boxes_outside_or_without_extent_become_the_nearest_pixels(box, pixel):
    x1, y1, x2, y2 = pixel_boxes(boxes(box), 120, 200)[0]
    assert (x1, y1) == pixel
    assert 0 <= x1 < x2 <= 200
    assert 0 <= y1 < y2 <= 120


@pytest.mark.parametrize(
    "preprocessing", [*PRESETS.values(), Preprocessing("BGR", 2.0, (1, 2, 3), (4, 5, 6))]
)
def test_a_batch_is_cut_resized_ordered_and_normalised(preprocessing):
    corners = pixel_boxes(boxes((10, 20, 60, 110), (-4, 3, 30, 50), (199, 119, 210, 130)), 120, 200)
    batch = CropBatch(4, (32, 16), preprocessing, np.dtype(np.float32))(IMAGE, corners, 3)
    assert batch.shape == (3, 3, 32, 16)
    for row, (x1, y1, x2, y2) in enumerate(corners):
        crop = cv2.resize(IMAGE[y1:y2, x1:x2], (16, 32), interpolation=cv2.INTER_LINEAR)
        crop = crop[..., ::-1] if preprocessing.color == "RGB" else crop
        expected = (crop / preprocessing.scale - preprocessing.mean) / preprocessing.std
        np.testing.assert_allclose(batch[row], expected.transpose(2, 0, 1), rtol=1e-4, atol=1e-5)


def test_half_precision_batches_are_rounded_at_the_end():
    corners = pixel_boxes(boxes((10, 20, 60, 110)), 120, 200)
    single = CropBatch(2, (32, 16), PRESETS["imagenet"], np.dtype(np.float32))(IMAGE, corners, 1)
    half = CropBatch(2, (32, 16), PRESETS["imagenet"], np.dtype(np.float16))(IMAGE, corners, 1)
    assert half.dtype == np.float16
    np.testing.assert_array_equal(half, single.astype(np.float16))


def test_stacked_crops_lie_in_their_boxes_and_touch_no_other():
    images = [
        np.full((height, width, 3), value, np.uint8)
        for height, width, value in ((4, 6, 10), (9, 3, 20), (1, 1, 30))
    ]
    sheet, where = stack_crops(images)
    assert sheet.shape == (14, 6, 3)
    corners = pixel_boxes(where, *sheet.shape[:2])
    assert corners.tolist() == where.tolist()
    for image, (x1, y1, x2, y2) in zip(images, corners, strict=True):
        np.testing.assert_array_equal(sheet[y1:y2, x1:x2], image)
    assert sheet.any(2).sum() == 4 * 6 + 9 * 3 + 1


def test_no_crops_make_an_empty_sheet():
    sheet, where = stack_crops([])
    assert sheet.shape == (0, 0, 3)
    assert where.shape == (0, 4)
