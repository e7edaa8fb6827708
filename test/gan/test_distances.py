"""KID and FID against what they are in closed form."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from rtreid_ros.errors import InputError
from rtreid_ros.gan.distances import frechet_distance, kernel_distance, squared_discrepancy, variety


def normal(mean, deviation, count=40_000, seed=0):
    draws = np.random.default_rng(seed).standard_normal((count, len(mean)))
    return (draws * deviation + mean).astype(np.float32)


def test_the_frechet_distance_of_normal_distributions_is_its_closed_form():
    one = normal([0.0, 1.0, 2.0], [1.0, 2.0, 0.5])
    other = normal([1.0, 1.0, 0.0], [2.0, 2.0, 1.5], seed=1)
    assert frechet_distance(one, other) == pytest.approx(1 + 4 + (1 + 0 + 1), rel=0.02)


def test_the_frechet_distance_sees_correlations():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((40_000, 2))
    mixed = draws @ np.linalg.cholesky(np.array([[1.0, 0.8], [0.8, 1.0]])).T
    # covariances that commute with the identity: sum of (root of eigenvalue - 1) squared
    expected = (np.sqrt(1.8) - 1) ** 2 + (np.sqrt(0.2) - 1) ** 2
    assert frechet_distance(draws, mixed) == pytest.approx(expected, rel=0.05)


def test_the_frechet_distance_agrees_with_the_root_of_the_product():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(200, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=(150, 6))
    root = sqrtm(np.cov(one.T) @ np.cov(other.T)).real
    expected = ((one.mean(0) - other.mean(0)) ** 2).sum() + np.trace(
        np.cov(one.T) + np.cov(other.T) - 2 * root
    )
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-8)


def test_sets_with_fewer_pictures_than_features_have_a_distance():
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(10, 64)), rng.normal(size=(12, 64)) + 1
    assert 64 < frechet_distance(one, other) < 300


def test_identical_sets_are_not_apart():
    features = normal([0.0, 0.0], [1.0, 1.0], 300)
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-6)
    assert (
        squared_discrepancy(features, features) < 0
    )  # unbiased: what a point is to itself counts on one side


def test_the_discrepancy_is_the_sum_over_pairs():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(5, 3))

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    within = [
        np.mean(
            [kernel(points[i], points[j]) for i in range(len(points)) for j in range(len(points)) if i != j]
        )
        for points in (x, y)
    ]
    between = np.mean([kernel(a, b) for a in x for b in y])
    assert squared_discrepancy(x, y) == pytest.approx(sum(within) - 2 * between)


def test_the_kernel_distance_of_distributions_is_its_closed_form():
    # of points that are always a and always b: k(a, a) + k(b, b) - 2 k(a, b)
    a, b = np.array([1.0, 0.0]), np.array([0.0, 2.0])
    expected = (1 / 2 + 1) ** 3 + (4 / 2 + 1) ** 3 - 2
    found = kernel_distance(np.tile(a, (20, 1)), np.tile(b, (20, 1)), subsets=3, size=10)
    assert found.mean == pytest.approx(expected)
    assert found.spread == pytest.approx(0)


def test_the_kernel_distance_is_unbiased_and_says_how_sure_it_is():
    one, other = (normal([0.0] * 4, [1.0] * 4, 2000, seed) for seed in (0, 1))
    found = kernel_distance(one, other, subsets=60, size=100)
    assert abs(found.mean) < found.spread
    apart = kernel_distance(one, other + 1, subsets=60, size=100)
    assert apart.mean > 5 * apart.spread
    assert kernel_distance(one, other, subsets=60, size=100) == found


@pytest.mark.parametrize("size", [1, 11])
def test_subsets_larger_than_a_set_are_refused(size):
    features = normal([0.0], [1.0], 10)
    with pytest.raises(InputError, match="choose a smaller size"):
        kernel_distance(features, features, size=size)


def test_features_of_two_networks_are_refused():
    for distance in (frechet_distance, kernel_distance):
        with pytest.raises(InputError, match=r"features of one network.*\(4, 3\), \(4, 2\)"):
            distance(np.zeros((4, 3), np.float32), np.zeros((4, 2), np.float32))


def test_a_single_picture_has_no_covariance():
    with pytest.raises(InputError, match="a covariance needs two features; there are 1 and 4"):
        frechet_distance(np.zeros((1, 3), np.float32), np.zeros((4, 3), np.float32))


def test_variety_is_the_share_of_the_real_variance():
    real = np.random.default_rng(0).normal(3, 1, (50, 4)).astype(np.float32)
    assert variety(real, real[::-1]) == pytest.approx(1)
    assert variety(real, 0.5 * real + 7) == pytest.approx(0.25)
    assert variety(real, np.ones((9, 4), np.float32)) == 0
    assert variety(real[:1], real) == 1  # nothing to compare with
