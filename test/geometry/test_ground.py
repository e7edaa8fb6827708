"""The plane people stand on, seen from a camera above it."""

import numpy as np
import pytest

from rtreid_ros.geometry import CameraModel, GroundOptions, GroundPlane

CAMERA = CameraModel.from_numbers((480, 640), [600.0, 0, 320, 0, 600, 240, 0, 0, 1], "", [])


def mounted(**options):
    return GroundPlane.from_options(GroundOptions(**{"height": 1.5, **options}))


def random_mounts():
    rng = np.random.default_rng(4)
    mounts = []
    for _ in range(20):
        angles = dict(zip(("pitch", "roll", "yaw"), rng.uniform(-0.5, 0.5, 3), strict=True))
        place = {"height": rng.uniform(0.3, 5), "x": rng.uniform(-9, 9), "y": rng.uniform(-9, 9)}
        mounts.append(mounted(**place, **angles))
    return mounts


def test_without_a_height_there_is_no_plane():
    assert GroundPlane.from_options(GroundOptions()) is None


def test_a_level_camera_sees_the_ground_by_similar_triangles():
    points = mounted().hit(CAMERA.rays(np.array([[320, 540], [620, 540.0]])))
    assert points == pytest.approx(np.array([[0, 1.5, 3.0], [1.5, 1.5, 3.0]]))
    assert mounted().to_ground(points) == pytest.approx(np.array([[3.0, 0, 0], [3.0, -1.5, 0]]))


def test_looking_down_the_optical_axis_meets_the_ground():
    point = mounted(pitch=0.5).hit(np.array([[0.0, 0.0, 1.0]]))
    assert point == pytest.approx(np.array([[0, 0, 1.5 / np.sin(0.5)]]))
    assert mounted(pitch=0.5).to_ground(point) == pytest.approx(np.array([[1.5 / np.tan(0.5), 0, 0]]))


def test_a_camera_that_leans_right_sees_the_horizon_rise_to_the_right():
    ground = mounted(roll=0.1)
    left, right = CAMERA.rays(np.array([[20, 240], [620, 240.0]]))
    assert np.isnan(ground.hit(left[None])).all()
    assert np.isfinite(ground.hit(right[None])).all()


def test_the_frame_may_lie_elsewhere_and_be_turned():
    point = mounted(pitch=0.5, yaw=np.pi / 2, x=10, y=-2).to_ground(np.array([[0, 0, 1.5 / np.sin(0.5)]]))
    assert point == pytest.approx(np.array([[10, -2 + 1.5 / np.tan(0.5), 0]]))


def test_there_is_no_ground_at_and_above_the_horizon():
    rays = CAMERA.rays(np.array([[100, 240.0], [320, 100.0], [320, 241.0]]))
    hits = mounted().hit(np.concatenate([rays, [[np.nan] * 3]]))
    assert np.isfinite(hits).all(axis=1).tolist() == [False, False, True, False]
    assert hits[2, 2] == pytest.approx(900)


@pytest.mark.parametrize("ground", random_mounts())
def test_the_ground_is_flat_in_its_frame_and_frames_invert_each_other(ground):
    rng = np.random.default_rng(0)
    flat = np.concatenate([rng.uniform(-20, 20, (50, 2)), np.zeros((50, 1))], 1)
    seen = ground.to_optical(flat)
    assert ground.to_ground(seen) == pytest.approx(flat)
    below = ground.hit(seen / np.linalg.norm(seen, axis=1, keepdims=True))
    assert below == pytest.approx(seen)
    assert ground.drop(ground.to_optical(flat + np.array([0, 0, 1.7]))) == pytest.approx(seen)
