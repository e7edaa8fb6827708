"""DBSCAN against its definitions, written plainly."""

import itertools

import numpy as np
import pytest

from rtreid_ros.reid.adaptation.density import NOISE, Pairs, dbscan, neighbour_distances, renumbered


def plane(seed, count=80, levels=None):
    """Points in the plane, their distances, and those pairs of them that are listed."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, 1, (6, 2))
    points = centres[rng.integers(0, 6, count)] + rng.normal(0, 0.06, (count, 2))
    if levels:
        points = np.round(points * levels) / levels  # many equal distances
    distances = np.linalg.norm(points[:, None] - points, axis=2).astype(np.float32)
    rows, columns = np.triu_indices(count, 1)
    listed = distances[rows, columns] < 0.5
    rows, columns = rows[listed], columns[listed]
    return distances, Pairs(count, rows, columns, distances[rows, columns])


def by_definition(distances, eps, least):
    """Definitions 1 to 6 of the paper; a border point goes to the cluster of its nearest core."""
    count = len(distances)
    near = distances <= eps
    core = [i for i in range(count) if near[i].sum() >= least]
    part = {i: i for i in core}
    changed = True
    while changed:
        changed = False
        for i, j in itertools.permutations(core, 2):
            if near[i, j] and part[i] > part[j]:
                part[i], changed = part[j], True
    labels = np.full(count, NOISE)
    for i in range(count):
        cores = [j for j in core if near[i, j]]
        if i in part:
            labels[i] = part[i]
        elif cores:
            labels[i] = part[min(cores, key=lambda j, i=i: (distances[i, j], j))]
    known = [label for label in dict.fromkeys(labels.tolist()) if label != NOISE]
    return np.array([known.index(label) if label != NOISE else NOISE for label in labels.tolist()])


@pytest.mark.parametrize("levels", [None, 12])
@pytest.mark.parametrize(("eps", "least"), [(0.03, 3), (0.05, 4), (0.1, 6), (0.25, 2), (0.001, 2)])
def test_equals_the_definitions(eps, least, levels):
    distances, pairs = plane(1, levels=levels)
    labels = dbscan(pairs, eps, least)
    np.testing.assert_array_equal(labels, by_definition(distances, eps, least))


def test_the_order_of_points_does_not_matter():
    distances, pairs = plane(2)
    labels = dbscan(pairs, 0.05, 4)
    assert (labels == NOISE).any()
    order = np.random.default_rng(0).permutation(len(labels))
    rows, columns = np.triu_indices(len(labels), 1)
    shuffled = Pairs(len(labels), rows, columns, distances[np.ix_(order, order)][rows, columns])
    np.testing.assert_array_equal(dbscan(shuffled, 0.05, 4), renumbered(labels[order]))


def test_without_a_pair_everything_is_noise():
    none = np.zeros(0, np.int64)
    assert dbscan(Pairs(5, none, none, none.astype(np.float32)), 0.5, 2).tolist() == [NOISE] * 5


def test_neighbour_distances_count_the_point_itself():
    distances, pairs = plane(3)
    ordered = np.sort(np.where(distances < 0.5, distances, 1), axis=1)
    for count in (1, 2, 5):
        np.testing.assert_allclose(neighbour_distances(pairs, count), ordered[:, count - 1])
    assert (neighbour_distances(pairs, len(distances) + 1) == 1).all()


def test_clusters_are_numbered_by_their_first_point():
    assert renumbered(np.array([NOISE, 7, 2, 7, NOISE, 0])).tolist() == [NOISE, 0, 1, 0, NOISE, 2]
