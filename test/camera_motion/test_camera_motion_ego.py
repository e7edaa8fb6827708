"""The image's motion from the camera's own, against pictures a pinhole camera would take."""

import logging

import cv2
import numpy as np
import pytest
from support.motion import STILL, apart, seen, world

from rtreid_ros.affine import transform
from rtreid_ros.camera_motion.ego import EgoMotion, PoseBuffer, motion_affine
from rtreid_ros.errors import ConfigError, InputError

WIDTH, HEIGHT = 640, 480
CENTRE = (WIDTH / 2, HEIGHT / 2)
K = np.array([[600.0, 0, 322], [0, 605, 236], [0, 0, 1]])
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
SECOND = 1_000_000_000


def quaternion(degrees, axis):
    half = np.radians(degrees) / 2
    axis = np.asarray(axis, np.float64)
    return np.append(np.sin(half) * axis / np.linalg.norm(axis), np.cos(half))


def rotation(degrees, axis):
    return cv2.Rodrigues(np.radians(degrees) * np.asarray(axis, np.float64) / np.linalg.norm(axis))[0]


def ego(*poses, depth=np.inf):
    """An estimator that knows (seconds, position, orientation) of the camera."""
    buffer = PoseBuffer()
    for seconds, position, orientation in poses:
        buffer.add(round(seconds * SECOND), position, orientation)
    return EgoMotion(K, buffer, depth)


def step(estimator, *seconds):
    for moment in seconds:
        found = estimator.estimate(IMAGE, stamp_ns=round(moment * SECOND))
    return found


@pytest.mark.parametrize(
    ("degrees", "axis"),
    [(2, (0, 1, 0)), (1.5, (1, 0, 0)), (4, (0, 0, 1)), (2, (0.3, 1, 0.8)), (-1, (1, 1, 0))],
)
def test_a_turn_moves_the_image_as_a_pinhole_camera_sees_it(degrees, axis):
    """The camera turns by R: what lay at x in its frame then lies at R' x, and pixels move by K R' K^-1."""
    back = rotation(degrees, axis).T
    larger = world(WIDTH + 320, HEIGHT + 320)
    inward = np.array([[1.0, 0, -160], [0, 1, -160], [0, 0, 1]])
    homography = K @ back @ np.linalg.inv(K) @ inward
    after = cv2.warpPerspective(larger, homography, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
    still = (0.0, 0.0, 0.0)
    found = step(ego((0, still, quaternion(0, axis)), (0.1, still, quaternion(degrees, axis))), 0, 0.1)

    assert apart(found, STILL, WIDTH, HEIGHT) > 5
    predicted = seen(WIDTH, HEIGHT, found)
    for x, y, within in ((320, 240, 0.1), (220, 240, 1.0), (420, 240, 1.0), (320, 160, 1.0), (320, 320, 1.0)):
        patch = np.s_[y - 32 : y + 32, x - 32 : x + 32, 0]
        window = cv2.createHanningWindow((64, 64), cv2.CV_64F)
        shift, _ = cv2.phaseCorrelate(predicted[patch].astype(float), after[patch].astype(float), window)
        assert np.hypot(*shift) < within


def test_it_is_exact_at_the_centre_and_to_first_order_around_it():
    back = rotation(3, (1, 2, 0.5)).T
    affine = motion_affine(K, back, CENTRE)
    homography = K @ back @ np.linalg.inv(K)

    def exact(points):
        return cv2.perspectiveTransform(np.asarray(points, np.float64)[None], homography)[0]

    np.testing.assert_allclose(transform(affine, np.array([CENTRE])), exact([CENTRE]), atol=1e-9)
    errors = []
    for reach in (5.0, 10.0):
        points = np.array(CENTRE) + reach * np.array([[1, 0], [0, 1], [-1, 1]])
        errors.append(np.abs(transform(affine, points) - exact(points)).max())
    assert errors[1] < 5 * errors[0] < 0.05  # grows with the square


@pytest.mark.parametrize("position", [(0.3, 0, 0), (0, -0.2, 0), (0, 0, 0.5), (0.1, 0.1, 0.3)])
def test_driving_moves_things_at_a_known_depth(position):
    depth, at = 6.0, np.array([[0.5, -0.4, 6.0], [0, 0, 6.0], [-1.0, 0.3, 6.0]])
    unturned = quaternion(0, (0, 0, 1))
    found = step(ego((0, (0, 0, 0), unturned), (1, position, unturned), depth=depth), 0, 0.6, 0.6)
    assert np.array_equal(found, STILL)  # nothing has moved since the last call

    buffer = PoseBuffer(max_gap=2)
    buffer.add(0, (0, 0, 0), unturned)
    buffer.add(SECOND, position, unturned)
    found = step(EgoMotion(K, buffer, depth), 0, 1)
    before, after = at @ K.T, (at - position) @ K.T
    expected = after[:, :2] / after[:, 2:]
    np.testing.assert_allclose(transform(found, before[:, :2] / before[:, 2:]), expected, atol=1e-6)
    infinitely_far = step(EgoMotion(K, buffer), 0, 1)
    np.testing.assert_allclose(infinitely_far, STILL, atol=1e-12)


def test_poses_are_in_the_world_not_relative():
    """The same turn from another place and attitude moves the image alike."""
    start, turn = rotation(50, (1, 2, 3)), rotation(2, (0.2, 1, 0))

    def as_quaternion(matrix):
        vector = cv2.Rodrigues(matrix)[0].ravel()
        return quaternion(np.degrees(np.linalg.norm(vector)), vector)

    there = ego((0, (5, 6, 7), as_quaternion(start)), (0.1, (5, 6, 7), as_quaternion(start @ turn)), depth=3)
    here = ego((0, (0, 0, 0), (0, 0, 0, 1)), (0.1, (0, 0, 0), as_quaternion(turn)), depth=3)
    np.testing.assert_allclose(step(there, 0, 0.1), step(here, 0, 0.1), atol=1e-9)


def test_poses_between_stamps_are_interpolated():
    buffer = PoseBuffer(max_gap=1)
    buffer.add(0, (0, 0, 0), quaternion(0, (0, 0, 1)))
    buffer.add(SECOND, (4, 0, -8), -quaternion(40, (0, 1, 0)))  # the same turn, written the other way
    pose = buffer.at(SECOND // 4)
    np.testing.assert_allclose(pose.position, (1, 0, -2))
    np.testing.assert_allclose(pose.rotation(), rotation(10, (0, 1, 0)), atol=1e-12)
    np.testing.assert_allclose(buffer.at(SECOND).rotation(), rotation(40, (0, 1, 0)), atol=1e-12)
    assert buffer.at(-1) is None
    assert buffer.at(SECOND + 1) is None


def test_poses_may_come_in_any_order_and_again():
    buffer = PoseBuffer(max_gap=0.15)
    for tenth in (3, 1, 2, 0, 2):
        buffer.add(tenth * SECOND // 10, (tenth, 0, 0), (0, 0, 0, 2))
    assert len(buffer) == 4
    assert buffer.at(SECOND // 4).position[0] == pytest.approx(2.5)
    buffer.add(SECOND, (9, 0, 0), (0, 0, 0, 1))
    assert buffer.at(SECOND // 2) is None  # too far from either pose


def test_the_buffer_is_bounded_and_survives_a_clock_that_jumps_back(caplog):
    buffer = PoseBuffer(seconds=2, most=100)
    for number in range(1000):
        buffer.add(number * SECOND // 10, (number, 0, 0), (0, 0, 0, 1))
    assert len(buffer) == 21
    for number in range(1000):
        buffer.add(100 * SECOND + number * SECOND // 1000, (number, 0, 0), (0, 0, 0, 1))
    assert len(buffer) == 100
    with caplog.at_level(logging.WARNING):
        buffer.add(SECOND, (1, 2, 3), (0, 0, 0, 1))
    assert "poses jump back to 1.000 s" in caplog.text
    assert len(buffer) == 1


def test_frames_without_poses_are_counted():
    unturned = quaternion(0, (0, 0, 1))
    estimator = ego((1.0, (0, 0, 0), unturned), (1.4, (0, 0, 0), quaternion(4, (0, 1, 0))))
    assert np.array_equal(step(estimator, 0.9), STILL)
    assert estimator.failures == 0
    assert np.array_equal(step(estimator, 1.0), STILL)  # the pose at 0.9 is not known
    assert estimator.failures == 1
    assert apart(step(estimator, 1.2), STILL, WIDTH, HEIGHT) > 10
    assert np.array_equal(step(estimator, 1.5), STILL)
    assert np.array_equal(estimator.estimate(IMAGE), STILL)  # without a stamp
    assert estimator.failures == 3
    estimator.reset()
    assert np.array_equal(step(estimator, 1.1), STILL)
    assert estimator.failures == 3


def test_a_camera_that_turns_around_tells_nothing():
    unturned, turned = quaternion(0, (0, 1, 0)), quaternion(170, (0, 1, 0))
    estimator = ego((0, (0, 0, 0), unturned), (0.1, (0, 0, 0), turned))
    assert np.array_equal(step(estimator, 0, 0.1), STILL)
    assert estimator.failures == 1


@pytest.mark.parametrize(
    ("position", "orientation"),
    [
        ((0, 0), (0, 0, 0, 1)),
        ((0, 0, np.nan), (0, 0, 0, 1)),
        ((0, 0, 0), (0, 0, 0, 0)),
        ((0, 0, 0), (0, 0, 1)),
        ((0, 0, 0), (0, 0, np.inf, 1)),
    ],
)
def test_what_is_no_pose_is_refused(position, orientation):
    buffer = PoseBuffer()
    with pytest.raises(InputError, match="a pose is a position"):
        buffer.add(0, position, orientation)
    assert len(buffer) == 0


def test_options_are_checked():
    with pytest.raises(ConfigError, match="camera_matrix must be 3x3"):
        EgoMotion(np.zeros((3, 3)), PoseBuffer())
    with pytest.raises(ConfigError, match="depth must be > 0, metres, got 0"):
        EgoMotion(K, PoseBuffer(), 0)
    with pytest.raises(ConfigError, match="seconds and max_gap must be > 0"):
        PoseBuffer(seconds=0)
