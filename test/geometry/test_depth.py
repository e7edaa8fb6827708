"""How far a box is, told from depth images with holes, background and things in front."""

import sys

import numpy as np
import pytest

from rtreid_ros.errors import ImageError
from rtreid_ros.geometry import DepthImage, nearest_surfaces

BOX = np.array([[100.0, 100, 200, 400]])
TRUNK = (slice(140, 300), slice(120, 180))


def room(background=8.0):
    return np.full((480, 640), background, np.float32)


def person(depth=3.0, noise=0.0):
    image = room()
    image[TRUNK] = depth + noise * np.random.default_rng(1).standard_normal((160, 60))
    return image


def distance(image, boxes=BOX):
    return nearest_surfaces(DepthImage(image, 1.0), boxes)[0]


def test_a_person_before_a_wall_is_as_far_as_the_person():
    found, spread = nearest_surfaces(DepthImage(person(noise=0.03), 1.0), BOX)
    assert found == pytest.approx([3.0], abs=0.01)
    assert spread == pytest.approx([0.03], rel=0.3)


@pytest.mark.parametrize("hole", [0.0, np.nan, np.inf, -1.0])
def test_holes_count_for_nothing(hole):
    image = person()
    image[np.random.default_rng(2).random(image.shape) < 0.7] = hole
    assert distance(image) == pytest.approx([3.0])


def test_a_pole_in_front_is_not_the_person():
    image = person()
    image[:, 148:153] = 1.0
    assert distance(image) == pytest.approx([3.0])


def test_somebody_in_front_is_who_is_seen():
    image = person()
    image[:, 120:150] = 1.5
    assert distance(image) == pytest.approx([1.5])


def test_who_stands_behind_another_box_is_told_by_what_that_box_leaves_free():
    image = person(5.0)
    image[100:460, 80:150] = 2.0
    front = [60.0, 80, 150, 460]
    assert distance(image) == pytest.approx([2.0])
    assert distance(image, np.array([BOX[0], front])) == pytest.approx([5.0, 2.0])
    hidden = distance(image, np.array([BOX[0], [90.0, 90, 210, 460]]))
    assert np.isnan(hidden[0])


def test_a_slanted_surface_is_met_where_it_is_densest():
    image = room()
    image[TRUNK] = np.linspace(2.6, 3.2, 160)[:, None]
    assert distance(image) == pytest.approx([2.9], abs=0.25)


@pytest.mark.parametrize("depth", [0.2, 0.31, 1.0, 4.9, 17.3, 60.0])
def test_distances_of_every_size_survive_the_bins(depth):
    assert distance(person(depth)) == pytest.approx([depth], rel=1e-6)


@pytest.mark.parametrize(
    "image", [np.zeros((480, 640), np.float32), np.where(np.arange(640) % 16 == 0, person(), np.nan)]
)
def test_too_few_samples_are_no_distance(image):
    assert np.isnan(distance(image)).all()


def test_scattered_samples_are_no_surface():
    rng = np.random.default_rng(3)
    image = np.exp(rng.uniform(np.log(0.3), np.log(150), (480, 640))).astype(np.float32)
    assert np.isnan(distance(image)).all()


def test_boxes_are_told_apart_and_those_outside_have_none():
    image = person()
    image[140:300, 420:480] = 5.0
    boxes = np.array([[400.0, 100, 500, 400], [-300, 0, -100, 400], BOX[0], [100, 900, 200, 1200]])
    assert distance(image, boxes) == pytest.approx([5.0, np.nan, 3.0, np.nan], nan_ok=True)
    assert distance(image, np.array([[np.nan] * 4, [0, 0, np.inf, 5]])) == pytest.approx(
        [np.nan] * 2, nan_ok=True
    )
    assert distance(image, np.zeros((0, 4))).shape == (0,)


def test_millimetres_and_metres_are_read_padded_and_in_both_byte_orders():
    millimetres = (person() * 1000).astype(np.uint16)
    for order, big in (("<", False), (">", True)):
        padded = np.zeros((480, 640 * 2 + 6), np.uint8)
        padded[:, : 640 * 2] = millimetres.astype(f"{order}u2").view(np.uint8)
        image = DepthImage.view(padded.tobytes(), 480, 640, 640 * 2 + 6, "16UC1", big)
        assert nearest_surfaces(image, BOX)[0] == pytest.approx([3.0])
        metres = person().astype(f"{order}f4").tobytes()
        image = DepthImage.view(metres, 480, 640, 640 * 4, "32FC1", big)
        assert nearest_surfaces(image, BOX)[0] == pytest.approx([3.0])
    assert image.size == (480, 640)


def test_the_samples_are_not_copied():
    data = bytearray(person().tobytes())
    assert sys.byteorder == "little"
    image = DepthImage.view(memoryview(data), 480, 640, 640 * 4, "32FC1")
    data[:4] = np.float32(7.0).tobytes()
    assert image.values[0, 0] == 7.0


@pytest.mark.parametrize(
    ("height", "width", "step", "encoding", "message"),
    [
        (2, 2, 8, "bgr8", "'bgr8' is no encoding of depth; known: 16UC1"),
        (0, 2, 8, "32FC1", "does not fit"),
        (2, 3, 8, "32FC1", "does not fit"),
        (3, 2, 8, "32FC1", "does not fit"),
    ],
)
def test_what_is_no_depth_image_is_refused(height, width, step, encoding, message):
    with pytest.raises(ImageError, match=message):
        DepthImage.view(bytes(16), height, width, step, encoding)
