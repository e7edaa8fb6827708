import cv2
import numpy as np
import pytest

from rtreid_ros.detection.layouts import SSD, YOLO, YOLOX
from rtreid_ros.detection.letterbox import GRAY, Letterbox, place

SIZES = [(480, 640), (1080, 1920), (333, 77), (1, 500), (416, 416), (37, 1000)]
rng = np.random.default_rng(7)


@pytest.mark.parametrize("fit", ["center", "corner", "stretch"])
@pytest.mark.parametrize("size", SIZES)
def test_boxes_return_from_the_input_to_where_they_were(size, fit):
    height, width = size
    placement = place(size, (384, 416), fit)
    boxes = np.sort(rng.uniform(0, 1, (50, 2, 2)), axis=1).reshape(50, 4).astype(np.float32)
    boxes *= (width, height, width, height)
    there = boxes * (placement.gain * 2) + (placement.offset * 2)
    np.testing.assert_allclose(
        placement.to_image(there.astype(np.float32)), boxes, atol=0.01 * max(1, width / 416)
    )


@pytest.mark.parametrize("fit", ["center", "corner"])
@pytest.mark.parametrize("size", SIZES)
def test_the_image_fills_one_side_and_keeps_its_aspect(size, fit):
    placement = place(size, (384, 416), fit)
    width, height = placement.size
    assert width == 416 or height == 384
    assert abs(width - size[1] * min(384 / size[0], 416 / size[1])) <= 1
    assert abs(height - size[0] * min(384 / size[0], 416 / size[1])) <= 1
    x, y = placement.offset
    assert (
        (x, y) == (0, 0)
        if fit == "corner"
        else (416 - width - 2 * x in (0, 1) and 384 - height - 2 * y in (0, 1))
    )


@pytest.mark.parametrize("style", [YOLO, YOLOX, SSD])
@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_resized_padded_ordered_and_scaled_as_the_family_wants(size, style):
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    blob, placement = Letterbox((384, 416), style, np.dtype(np.float32))(image)
    expected = np.full((384, 416, 3), GRAY, np.uint8)
    x, y = (int(value) for value in placement.offset)
    expected[y : y + placement.size[1], x : x + placement.size[0]] = cv2.resize(image, placement.size)
    expected = expected[..., ::-1] if style.rgb else expected
    np.testing.assert_allclose(blob, (expected / style.scale).transpose(2, 0, 1)[None], rtol=1e-6)
    assert blob.dtype == np.float32
    assert blob.flags.c_contiguous


def test_nothing_of_an_earlier_image_shows_in_the_padding():
    letterbox = Letterbox((64, 64), YOLO, np.dtype(np.float32))
    letterbox(np.full((64, 64, 3), 255, np.uint8))
    blob, _ = letterbox(np.zeros((16, 64, 3), np.uint8))
    np.testing.assert_allclose(np.unique(blob), [0, GRAY / 255], rtol=1e-6)


def test_half_precision_inputs_are_rounded_once():
    image = rng.integers(0, 256, (64, 64, 3), np.uint8)
    blob, _ = Letterbox((64, 64), YOLO, np.dtype(np.float16))(image)
    assert blob.dtype == np.float16
    np.testing.assert_allclose(blob[0], image[..., ::-1].transpose(2, 0, 1) / 255, atol=1e-3)
