"""The similarity that matched points agree on."""

import numpy as np
import pytest
from support.motion import apart, motion

from rtreid_ros.affine import compose, identity, invert, transform
from rtreid_ros.camera_motion.similarity import fit_similarity

TRUE = motion(640, 480, (12, -7), 3, 1.04)


def matched(count, wrong=0.0, noise=0.0, seed=0):
    """Points and where TRUE puts them, but for a share of wrong matches."""
    rng = np.random.default_rng(seed)
    source = rng.uniform((0, 0), (640, 480), (count, 2))
    target = transform(TRUE, source) + rng.normal(0, noise, (count, 2))
    bad = rng.permutation(count)[: round(wrong * count)]
    target[bad] = rng.uniform((0, 0), (640, 480), (len(bad), 2))
    return source, target


def test_exact_matches_give_the_exact_motion():
    np.testing.assert_allclose(fit_similarity(*matched(40), 1.0), TRUE, atol=1e-9)


@pytest.mark.parametrize("wrong", [0.3, 0.6, 0.75])
@pytest.mark.parametrize("seed", range(5))
def test_wrong_matches_do_not_count(wrong, seed):
    found = fit_similarity(*matched(300, wrong, noise=0.2, seed=seed), 1.5)
    assert apart(found, TRUE, 640, 480) < 0.15


def test_least_squares_over_the_inliers_beats_any_pair_of_points():
    errors = [
        apart(fit_similarity(*matched(400, noise=0.5, seed=seed), 2.0), TRUE, 640, 480) for seed in range(10)
    ]
    assert np.mean(errors) < 0.5 * np.sqrt(4 / 400) * 2


def test_equal_points_give_equal_bytes():
    points = matched(200, 0.5, 0.3)
    assert fit_similarity(*points, 1.5).tobytes() == fit_similarity(*points, 1.5).tobytes()


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_few_points_tell_nothing(count):
    assert fit_similarity(*matched(count), 1.0) is None


@pytest.mark.parametrize("seed", range(5))
def test_points_that_do_not_agree_tell_nothing(seed):
    assert fit_similarity(*matched(100, 1.0, seed=seed), 1.5) is None


def test_points_in_one_place_tell_neither_turn_nor_zoom():
    source = np.full((50, 2), 100.0) + np.random.default_rng(0).uniform(-0.2, 0.2, (50, 2))
    assert fit_similarity(source, source + 3, 1.0) is None


def test_affines_compose_and_invert():
    points = np.array([[0.0, 0], [640, 0], [13, 480]])
    turned = compose(TRUE, motion(640, 480, (1, 2), -8))
    np.testing.assert_allclose(
        transform(turned, points), transform(TRUE, transform(motion(640, 480, (1, 2), -8), points))
    )
    np.testing.assert_allclose(compose(TRUE, invert(TRUE)), identity(), atol=1e-12)
