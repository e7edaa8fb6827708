"""Every estimator on pictures whose motion is known."""

import itertools
import logging

import cv2
import numpy as np
import pytest
from support.motion import STILL, apart, motion, seen, world

from rtreid_ros.camera_motion import (
    CAMERA_MOTIONS,
    CameraMotionOptions,
    camera_motion_from,
    create_camera_motion,
)
from rtreid_ros.camera_motion.options import METHODS
from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.errors import ConfigError, ImageError, InputError
from rtreid_ros.sources import open_source

WIDTH, HEIGHT = 640, 480
NAMES = list(CAMERA_MOTIONS)

MOTIONS = {
    "slight": motion(WIDTH, HEIGHT, (1.3, -0.6), 0.1),
    "pan": motion(WIDTH, HEIGHT, (18, 4)),
    "fast pan": motion(WIDTH, HEIGHT, (60, -15)),
    "roll": motion(WIDTH, HEIGHT, degrees=4),
    "shake": motion(WIDTH, HEIGHT, (7, 5), 1.5),
    "zoom": motion(WIDTH, HEIGHT, zoom=1.06),
    "all": motion(WIDTH, HEIGHT, (8, -6), 3, 0.96),
}
WITHIN = {"sparse_flow": 0.15, "ecc": 0.5, "orb": 0.6, "sift": 0.15}
"""Mean error over the image, pixels at 640x480."""


def moved(kind):
    """What the camera sees after one of the motions."""
    return seen(WIDTH, HEIGHT, MOTIONS[kind])


@pytest.fixture(scope="module")
def picture():
    return seen(WIDTH, HEIGHT)


def error(found, true):
    return apart(found, true, WIDTH, HEIGHT)


@pytest.mark.parametrize(
    ("name", "kind"),
    # a Euclidean motion has no zoom
    [(name, kind) for name in NAMES for kind in MOTIONS if name != "ecc" or kind not in ("zoom", "all")],
)
def test_a_known_motion_is_found(name, kind, picture):
    estimator, true = create_camera_motion(name), MOTIONS[kind]
    assert np.array_equal(estimator.estimate(picture), STILL)
    found = estimator.estimate(moved(kind))
    assert (found.shape, found.dtype) == ((2, 3), np.float64)
    assert error(found, true) < WITHIN[name] < error(STILL, true)
    assert estimator.failures == 0


@pytest.mark.parametrize("size", [(320, 240), (1920, 1080), (333, 777)])
@pytest.mark.parametrize("name", NAMES)
def test_the_motion_is_in_pixels_of_the_image_whatever_its_size(name, size):
    true = motion(*size, (0.02 * max(size), 0.01 * max(size)), 1)
    estimator = create_camera_motion(name)
    estimator.estimate(seen(*size))
    found = estimator.estimate(seen(*size, true))
    assert apart(found, true, *size) < 2 * WITHIN[name] * max(1, max(size) / WIDTH)


@pytest.mark.parametrize("name", NAMES)
def test_grey_images_serve_as_well(name, picture):
    estimator = create_camera_motion(name)
    estimator.estimate(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))
    after = cv2.cvtColor(moved("shake"), cv2.COLOR_BGR2GRAY)
    assert error(estimator.estimate(after), MOTIONS["shake"]) < WITHIN[name]


@pytest.mark.parametrize("name", NAMES)
def test_things_that_move_by_themselves_are_left_out(name, picture):
    thing = world(520, 440, seed=1)

    def frame(image, left):
        image = image.copy()
        image[20:460, left : left + 520] = thing
        return image, [(left, 20, left + 520, 460)]

    true = motion(WIDTH, HEIGHT, (-2, 1))
    views = [frame(picture, 20), frame(seen(WIDTH, HEIGHT, true), 30)]
    fooled, told = create_camera_motion(name), create_camera_motion(name)
    for image, boxes in views:
        misled = fooled.estimate(image)
        found = told.estimate(image, boxes)
    assert error(found, true) < 2 * WITHIN[name]
    assert error(misled, true) > 4
    assert told.failures == 0


@pytest.mark.parametrize("name", NAMES)
def test_what_is_followed_is_chosen_anew_in_every_frame(name):
    """A pan over two image widths: nothing of the first frame is left in the last."""
    wide = world(3 * WIDTH, HEIGHT, seed=2)
    estimator = create_camera_motion(name)
    errors = []
    for left in range(0, 2 * WIDTH, 40):
        found = estimator.estimate(np.ascontiguousarray(wide[:, left : left + WIDTH]))
        errors.append(error(found, motion(WIDTH, HEIGHT, (-40 if left else 0, 0))))
    assert max(errors) < WITHIN[name]
    assert estimator.failures == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_fixed_camera_stands_still_on_a_real_street(name, shared_data):
    estimator = create_camera_motion(name)
    with open_source(str(shared_data / "mot/MOT15/TUD-Stadtmitte")) as source:
        frames = itertools.islice(source, 40)
        found = [estimator.estimate(frame.image, frame.truth.boxes) for frame in frames]
    errors = [error(affine, STILL) for affine in found]
    assert np.mean(errors) < 0.3  # somebody large walks by whom the ground truth leaves out
    assert max(errors) < 0.8
    assert estimator.failures == 0


@pytest.mark.parametrize("name", NAMES)
def test_the_shake_of_the_synthetic_street_is_found(name):
    scene = SyntheticScene(frames=20, camera_motion=30, frame_rate=15)
    estimator = create_camera_motion(name)
    errors, still = [], []
    for index in range(len(scene)):
        frame = scene.frame(index)
        found = estimator.estimate(frame.image, frame.truth.boxes)
        errors.append(error(found, scene.camera_motion(index)))
        still.append(error(STILL, scene.camera_motion(index)))
    assert np.mean(errors) < 0.2 * np.mean(still)
    assert np.mean(errors) < 1


@pytest.mark.parametrize("name", NAMES)
def test_the_same_frames_give_the_same_bytes(name, picture):
    frames = [picture, *(moved(kind) for kind in ("shake", "all", "pan"))]
    results, threads = [], cv2.getNumThreads()
    for seed, number in ((1, threads), (99, 1), (7, threads)):
        cv2.setRNGSeed(seed)
        cv2.setNumThreads(number)
        estimator = create_camera_motion(name)
        results.append([estimator.estimate(frame).tobytes() for frame in frames])
    cv2.setNumThreads(threads)
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("name", NAMES)
def test_instances_share_nothing(name, picture):
    one, other = create_camera_motion(name), create_camera_motion(name)
    one.estimate(picture)
    other.estimate(moved("pan"))
    assert error(one.estimate(moved("shake")), MOTIONS["shake"]) < WITHIN[name]


@pytest.mark.parametrize("name", NAMES)
def test_after_a_reset_the_next_frame_is_the_first(name, picture):
    estimator = create_camera_motion(name)
    estimator.estimate(picture)
    estimator.reset()
    assert np.array_equal(estimator.estimate(moved("pan")), STILL)
    assert estimator.failures == 0


@pytest.mark.parametrize("name", NAMES)
def test_another_resolution_begins_anew_and_says_so(name, picture, caplog):
    estimator = create_camera_motion(name)
    half, true = seen(320, 240), motion(320, 240, (5, 2))
    estimator.estimate(picture)
    with caplog.at_level(logging.WARNING):
        assert np.array_equal(estimator.estimate(half), STILL)
    assert "images are now 320x240 pixels, before 640x480" in caplog.text
    assert apart(estimator.estimate(seen(320, 240, true)), true, 320, 240) < WITHIN[name]
    assert estimator.failures == 0


UNREADABLE = {
    "black": np.zeros((480, 640, 3), np.uint8),
    "white": np.full((480, 640, 3), 255, np.uint8),
    "a pixel": np.full((1, 1, 3), 7, np.uint8),
    "a line": world(640, 48)[:1],
    "a column": world(64, 480)[:, :1],
    "tiny": world(64, 64)[:6, :6],
    "tiny and grey": world(64, 64)[:9, :9, 0],
    "a ramp": np.repeat(np.linspace(0, 255, 480).astype(np.uint8)[:, None], 640, axis=1),
}


@pytest.mark.parametrize("kind", UNREADABLE)
@pytest.mark.parametrize("name", NAMES)
def test_images_that_show_nothing_give_no_motion(name, kind):
    estimator = create_camera_motion(name)
    for _ in range(3):
        assert error(estimator.estimate(UNREADABLE[kind]), STILL) < 0.5
    assert estimator.failures in ((2,) if kind in ("black", "white", "a pixel") else (0, 2))


@pytest.mark.parametrize("name", NAMES)
def test_a_dark_moment_is_counted_and_got_over(name, picture):
    estimator = create_camera_motion(name)
    for image in (picture, np.zeros_like(picture), picture):
        assert np.array_equal(estimator.estimate(image), STILL)
    assert estimator.failures == 2
    assert error(estimator.estimate(moved("pan")), MOTIONS["pan"]) < WITHIN[name]
    assert estimator.failures == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_cut_to_another_scene_is_no_motion(name, picture):
    estimator = create_camera_motion(name)
    estimator.estimate(picture)
    found = estimator.estimate(world(WIDTH, HEIGHT, seed=9))
    if name != "ecc":  # which may find a place that fits a little better
        assert np.array_equal(found, STILL)
        assert estimator.failures == 1
    assert error(found, STILL) < max(WIDTH, HEIGHT)


@pytest.mark.parametrize("name", NAMES)
def test_where_boxes_hide_everything_nothing_can_be_told(name, picture):
    estimator = create_camera_motion(name)
    for kind in ("pan", "shake"):
        found = estimator.estimate(moved(kind), [(-50, -50, 900, 900)])
        assert np.array_equal(found, STILL)
    assert estimator.failures == 1


@pytest.mark.parametrize("name", NAMES)
def test_boxes_may_be_any_numbers(name, picture):
    estimator, after = create_camera_motion(name), moved("pan")
    wild = [
        (np.nan, 0, 10, 10),
        (0, 0, np.inf, 10),
        (50, 50, 20, 20),
        (-1e30, 5, -1e20, 9),
        (9e9, 9, 9.1e9, 20),
    ]
    estimator.estimate(picture, np.array(wild, np.float32))
    assert error(estimator.estimate(after, wild), MOTIONS["pan"]) < WITHIN[name]
    assert (
        error(estimator.estimate(picture, np.zeros((0, 4))), motion(WIDTH, HEIGHT, (-18, -4))) < WITHIN[name]
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((480, 640, 4), np.uint8),
        np.zeros((480, 640, 3), np.float32),
        np.zeros((0, 640, 3), np.uint8),
        np.zeros(640, np.uint8),
        None,
    ],
)
def test_an_unusable_image_is_refused_and_changes_nothing(name, wrong, picture):
    estimator = create_camera_motion(name)
    estimator.estimate(picture)
    with pytest.raises(ImageError, match="camera motion needs a uint8 image"):
        estimator.estimate(wrong)
    with pytest.raises(InputError, match=r"boxes must have shape \(N, 4\), got \(2, 3\)"):
        estimator.estimate(picture, np.zeros((2, 3)))
    assert error(estimator.estimate(moved("pan")), MOTIONS["pan"]) < WITHIN[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_callers_image_may_change_afterwards(name):
    grey = seen(300, 200)[..., 0].copy()  # small enough to be used as it is
    after = seen(300, 200, motion(300, 200, (4, 2)))[..., 0]
    estimator = create_camera_motion(name)
    estimator.estimate(grey)
    grey[:] = 0
    assert apart(estimator.estimate(after), motion(300, 200, (4, 2)), 300, 200) < WITHIN[name]


def test_names_and_options_are_checked():
    with pytest.raises(
        ConfigError, match=r"unknown camera motion method 'sparseflow' \(did you mean 'sparse_flow'"
    ):
        create_camera_motion("sparseflow")
    with pytest.raises(
        ConfigError, match=r"SparseFlowOptions has no option 'corner'.*did you mean 'corners'"
    ):
        create_camera_motion("sparse_flow", corner=3)
    with pytest.raises(ConfigError, match="iterations must be an integer >= 1"):
        create_camera_motion("ecc", iterations=0)


def test_options_choose_the_method_and_its_image_size():
    assert set(METHODS) == {"none", *CAMERA_MOTIONS}
    assert camera_motion_from(CameraMotionOptions("none"), "ecc") is None
    assert camera_motion_from(CameraMotionOptions("auto"), "none") is None
    by_paper = camera_motion_from(CameraMotionOptions("auto"), "sparse_flow")
    assert type(by_paper) is CAMERA_MOTIONS["sparse_flow"]
    chosen = camera_motion_from(CameraMotionOptions("orb", longest_side=320), "ecc")
    assert type(chosen) is CAMERA_MOTIONS["orb"]
    assert chosen.options.longest_side == 320
    assert by_paper.options == CAMERA_MOTIONS["sparse_flow"].Options()


@pytest.mark.parametrize(
    ("name", "few"),
    [
        ("sparse_flow", {"corners": 20}),
        ("ecc", {"iterations": 1}),
        ("orb", {"features": 30}),
        ("sift", {"features": 20}),
    ],
)
def test_doing_less_work_shows_in_the_error(name, few, picture):
    """Options reach the algorithm."""
    errors = []
    for options in ({}, few):
        estimator = create_camera_motion(name, **options)
        estimator.estimate(picture)
        errors.append(error(estimator.estimate(moved("shake")), MOTIONS["shake"]))
    assert errors[0] < errors[1]
