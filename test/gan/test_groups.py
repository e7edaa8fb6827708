"""Groups by appearance and by camera."""

import numpy as np
import pytest

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.gan.groups import GroupOptions, by_appearance, by_camera, k_means


def clouds(sizes, seed=0):
    rng = np.random.default_rng(seed)
    centres = 10 * np.eye(len(sizes), 6)
    points = [rng.normal(centre, 1, (size, 6)) for centre, size in zip(centres, sizes, strict=True)]
    truth = np.repeat(np.arange(len(sizes)), sizes)
    order = rng.permutation(len(truth))
    return np.concatenate(points)[order].astype(np.float32), truth[order]


def test_clouds_are_found():
    points, truth = clouds([40, 30, 20, 10])
    labels = k_means(points, 4)
    for cloud in range(4):
        assert len(set(labels[truth == cloud])) == 1
    assert len(set(labels)) == 4


def test_the_largest_group_is_group_0_and_every_picture_has_one():
    points, truth = clouds([10, 50, 30])
    groups = by_appearance(points, GroupOptions(count=3), seed=1)
    assert groups.counts == (50, 30, 10)
    assert [set(groups.labels[truth == cloud]) for cloud in range(3)] == [{2}, {0}, {1}]


def test_seeds_give_the_same_groups():
    points = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
    one, again, other = (k_means(points, 7, restarts=1, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_further_beginnings_are_not_worse():
    points = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)

    def spread(labels):
        return sum(np.square(points[labels == g] - points[labels == g].mean(0)).sum() for g in range(12))

    assert spread(k_means(points, 12, restarts=8)) <= spread(k_means(points, 12, restarts=1))


def test_no_group_is_empty_even_of_points_that_repeat():
    points = np.repeat(np.array([[0.0], [1.0], [5.0]], np.float32), [50, 1, 1], axis=0)
    assert sorted(np.bincount(k_means(points, 3))) == [1, 1, 50]


def test_more_groups_than_different_pictures_are_refused():
    points = np.zeros((10, 3), np.float32)
    with pytest.raises(InputError, match="2 groups need as many different pictures; there are 1"):
        k_means(points, 2)


def test_pictures_belong_to_the_group_whose_centre_is_nearest():
    points, truth = clouds([50, 30, 10])
    groups = by_appearance(points, GroupOptions(count=3), seed=1)
    assert np.array_equal(groups.nearest(points), groups.labels)
    assert groups.nearest(points[truth == 1] + np.float32(0.1)).tolist() == [1] * 30


def test_cameras_are_groups_in_their_order():
    features = np.array([[1, 0], [0, 2], [3, 0], [0, 0]], np.float32)
    groups = by_camera(np.array([4, 0, 4, 2]), features)
    assert groups.centres.tolist() == [[0, 2], [0, 0], [2, 0]]
    assert groups.labels.tolist() == [2, 0, 2, 1]
    assert groups.counts == (1, 1, 2)


def test_unknown_cameras_are_refused():
    with pytest.raises(ConfigError, match=r"groups.by=camera: this data set does not tell all cameras"):
        by_camera(np.array([0, -1]), np.zeros((2, 3), np.float32))
