"""Pixels to directions and back, for every lens that ROS describes."""

import cv2
import numpy as np
import pytest

from rtreid_ros.errors import InputError
from rtreid_ros.geometry import CameraModel

SIZE = (480, 640)
K = [600.0, 0, 325, 0, 590, 238, 0, 0, 1]
LENSES = {
    "none": ("plumb_bob", []),
    "zeros": ("plumb_bob", [0.0] * 5),
    "barrel": ("plumb_bob", [-0.32, 0.11, 0.001, -0.0007, -0.02]),
    "rational": ("rational_polynomial", [1.2, 0.4, 0.0003, -0.0002, 0.01, 1.5, 0.7, 0.05]),
    "fisheye": ("equidistant", [-0.02, 0.004, -0.001, 0.0002]),
}


def grid(size=SIZE, step=40):
    y, x = np.mgrid[2 : size[0] : step, 2 : size[1] : step]
    return np.stack([x.ravel(), y.ravel()], 1).astype(float)


@pytest.mark.parametrize("lens", LENSES)
def test_every_pixel_projects_back_to_itself(lens):
    camera = CameraModel.from_numbers(SIZE, K, *LENSES[lens])
    rays = camera.rays(grid())
    assert np.linalg.norm(rays, axis=1) == pytest.approx(1)
    distances = np.linspace(0.5, 30, len(rays))[:, None]
    assert np.abs(camera.project(rays * distances) - grid()).max() < 1e-3


def test_without_distortion_directions_follow_from_the_matrix_alone():
    rays = CameraModel.from_numbers(SIZE, K, "", []).rays(np.array([[325, 238], [925, 238], [325, 828]]))
    assert rays == pytest.approx(np.array([[0, 0, 1], [0.5**0.5, 0, 0.5**0.5], [0, 0.5**0.5, 0.5**0.5]]))


def test_barrel_distortion_is_that_of_opencv():
    camera = CameraModel.from_numbers(SIZE, K, *LENSES["barrel"])
    points = np.array([[0.4, -0.3, 1.0], [-1.2, 0.8, 4.0]])
    matrix, coefficients = np.reshape(K, (3, 3)), np.array(LENSES["barrel"][1])
    expected = cv2.projectPoints(points, np.zeros(3), np.zeros(3), matrix, coefficients)[0][:, 0]
    assert camera.project(points) == pytest.approx(expected)
    assert np.cross(camera.rays(expected), points / np.linalg.norm(points, axis=1)[:, None]) == pytest.approx(
        0, abs=1e-7
    )


def test_fisheye_is_that_of_opencv():
    camera = CameraModel.from_numbers(SIZE, K, *LENSES["fisheye"])
    points = np.array([[0.4, -0.3, 1.0], [-1.2, 0.8, 1.0], [3.0, 1.0, 1.0]])
    matrix, coefficients = np.reshape(K, (3, 3)), np.array(LENSES["fisheye"][1])
    expected = cv2.fisheye.projectPoints(points[:, None], np.zeros(3), np.zeros(3), matrix, coefficients)[0]
    assert camera.project(points) == pytest.approx(expected[:, 0])


def test_a_fisheye_sees_behind_itself():
    camera = CameraModel.from_numbers(
        (1000, 1000), [250, 0, 500, 0, 250, 500, 0, 0, 1], "equidistant", [0] * 4
    )
    point = np.array([[-2.0, 0.0, -0.5]])
    pixel = camera.project(point)
    assert pixel == pytest.approx(np.array([[500 - 250 * np.arctan2(2, -0.5), 500]]))
    assert camera.rays(pixel) == pytest.approx(point / np.linalg.norm(point))


def test_where_the_lens_shows_nothing_there_is_no_direction():
    fisheye = CameraModel.from_numbers(SIZE, [100, 0, 320, 0, 100, 240, 0, 0, 1], "equidistant", [0] * 4)
    assert np.isnan(fisheye.rays(np.array([[320 + 100 * 3.2, 240.0]]))).all()
    turning = CameraModel.from_numbers(
        SIZE, [100, 0, 320, 0, 100, 240, 0, 0, 1], "equidistant", [-0.3, 0, 0, 0]
    )
    assert np.isnan(turning.rays(np.array([[620.0, 240.0]]))).all()
    assert np.isfinite(turning.rays(np.array([[370.0, 240.0]]))).all()
    barrel = CameraModel.from_numbers(
        SIZE, [200, 0, 320, 0, 200, 240, 0, 0, 1], "plumb_bob", [-0.5, 0, 0, 0, 0]
    )
    rays = barrel.rays(np.array([[330.0, 240.0], [635.0, 475.0]]))
    assert np.isfinite(rays[0]).all()
    assert np.isnan(rays[1]).all()


def test_nothing_behind_a_pinhole_camera_is_seen():
    camera = CameraModel.from_numbers(SIZE, K, *LENSES["barrel"])
    assert np.isnan(camera.project(np.array([[0, 0, -1.0], [1, 1, 0]]))).all()


@pytest.mark.parametrize("lens", LENSES)
def test_no_pixels_give_no_directions(lens):
    camera = CameraModel.from_numbers(SIZE, K, *LENSES[lens])
    assert camera.rays(np.zeros((0, 2))).shape == (0, 3)
    assert camera.project(np.zeros((0, 3))).shape == (0, 2)


@pytest.mark.parametrize("lens", LENSES)
def test_a_part_of_the_sensor_reduced_and_resized_sees_the_same_directions(lens):
    whole = CameraModel.from_numbers(SIZE, K, *LENSES[lens])
    part = CameraModel.from_numbers(SIZE, K, *LENSES[lens], binning=(2, 2), roi=(100, 40, 400, 500))
    assert part.size == (200, 250)
    pixels = grid(part.size, 30)
    on_sensor = pixels * 2 + (100, 40)
    assert part.rays(pixels) == pytest.approx(whole.rays(on_sensor), abs=1e-9)
    enlarged = part.scaled_to((600, 750))
    assert enlarged.rays(pixels * 3) == pytest.approx(whole.rays(on_sensor), abs=1e-9)
    assert whole.scaled_to(SIZE) is whole


def test_a_rectified_image_goes_by_the_projection_matrix():
    p = [500.0, 0, 310, -60, 0, 500, 240, 0, 0, 0, 1, 0]
    camera = CameraModel.from_numbers(SIZE, K, *LENSES["barrel"], p=p)
    assert camera.rays(np.array([[310.0, 740.0]])) == pytest.approx(np.array([[0, 0.5**0.5, 0.5**0.5]]))


def test_another_shape_is_refused_because_it_was_cropped():
    camera = CameraModel.from_numbers(SIZE, K, "plumb_bob", [])
    with pytest.raises(InputError, match=r"640x360 pixels, camera_info is for 640x480.*roi"):
        camera.scaled_to((360, 640))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": [0.0] * 9}, "not calibrated"),
        ({"size": (0, 0)}, "not calibrated: size 0x0"),
        ({"k": [float("nan")] * 9}, "not calibrated"),
        ({"p": [0.0] * 12}, "P = "),
        ({"model": "mirror", "d": [0.1]}, "unknown distortion model 'mirror'; known: plumb_bob"),
        ({"d": [0.1, 0.2]}, "plumb_bob has 4 or 5 coefficients, got 2"),
        ({"d": [0.1, 0.2, 0, float("inf")]}, "must be finite"),
        ({"model": "equidistant", "d": [0.1, 0.2]}, "equidistant has 4 coefficients"),
    ],
)
def test_what_is_no_calibration_is_refused(change, message):
    numbers = {"size": SIZE, "k": K, "model": "plumb_bob", "d": [], **change}
    with pytest.raises(InputError, match=message):
        CameraModel.from_numbers(**numbers)
