"""Figures of clusters against their definitions."""

import itertools

import numpy as np
import pytest

from rtreid_ros.reid.adaptation.density import NOISE
from rtreid_ros.reid.adaptation.links import Links
from rtreid_ros.reid.adaptation.quality import agreement, compared_with_labels, silhouette, told_apart


def unit(x):
    return x / np.linalg.norm(x)


def test_silhouette_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    labels = np.array([0, 0, 0, 1, 1, 2, 2, 2, NOISE, NOISE])
    vectors = np.stack([unit(row) for row in rng.standard_normal((10, 5))]).astype(np.float32)
    expected = 0.0
    for i in np.flatnonzero(labels != NOISE):
        rest = [j for j in range(10) if labels[j] == labels[i] and j != i]
        own = 1 - vectors[i] @ unit(vectors[rest].sum(0))
        others = {label: vectors[labels == label] for label in range(3) if label != labels[i]}
        nearest = min(1 - vectors[i] @ unit(rows.sum(0)) for rows in others.values())
        expected += (nearest - own) / max(nearest, own) / 10
    assert silhouette(vectors, labels) == pytest.approx(expected, abs=1e-6)


def test_throwing_pictures_away_does_not_pay():
    vectors = np.repeat(np.eye(4, dtype=np.float32), 5, axis=0)
    labels = np.repeat(np.arange(4), 5)
    assert silhouette(vectors, labels) == pytest.approx(1)
    assert silhouette(vectors, np.where(labels < 2, labels, NOISE)) == pytest.approx(0.5)
    assert silhouette(vectors, np.zeros(20, np.int64)) == 0
    assert silhouette(vectors, np.full(20, NOISE)) == 0


def test_agreement_is_the_adjusted_rand_index():
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 4, 60), rng.integers(0, 3, 60)
    other[:30] = one[:30] % 3
    pairs = list(itertools.combinations(range(60), 2))
    a = np.array([one[i] == one[j] for i, j in pairs])
    b = np.array([other[i] == other[j] for i, j in pairs])
    expected = a.sum() * b.sum() / len(pairs)
    assert agreement(one, other) == pytest.approx(
        ((a & b).sum() - expected) / ((a.sum() + b.sum()) / 2 - expected)
    )
    assert agreement(one, (one + 1) % 4) == 1


def test_agreement_looks_at_what_both_clustered():
    one = np.array([0, 0, 1, 1, NOISE, 2])
    assert agreement(one, np.array([3, 3, 0, 0, 1, NOISE])) == 1
    assert agreement(one, np.full(6, NOISE)) == 0


def test_purity_and_v_measure_are_those_of_the_paper():
    labels = np.array([0, 0, 0, 1, 1, 1, NOISE])
    people = np.array([5, 5, 6, 6, 6, 7, 5])
    found = compared_with_labels(labels, people)
    assert found["purity"] == pytest.approx(4 / 6)
    of_people = -(2 / 6 * np.log(2 / 6) + 3 / 6 * np.log(3 / 6) + 1 / 6 * np.log(1 / 6))
    within = -(4 / 6 * np.log(2 / 3) + 2 / 6 * np.log(1 / 3))  # of people, given clusters
    clusters = -(2 / 6 * np.log(1.0) + 2 / 6 * np.log(2 / 3) + 1 / 6 * np.log(1 / 3) + 1 / 6 * np.log(1.0))
    homogeneity, completeness = 1 - within / of_people, 1 - clusters / np.log(2)
    assert found["v_measure"] == pytest.approx(2 * homogeneity * completeness / (homogeneity + completeness))
    assert compared_with_labels(people, people) == {"purity": 1.0, "v_measure": 1.0}
    assert compared_with_labels(np.full(3, NOISE), people[:3]) == {"purity": 0.0, "v_measure": 0.0}


def test_tracklets_are_told_apart_without_labels():
    angles = np.array([0, 10, 0.0, 80, 90, 0, 95])  # of tracklets 0 (its last is the third), 1, 2
    vectors = np.stack([np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))], axis=1).astype(np.float32)
    tracklets = np.array([0, 0, 0, 1, 1, 2, 2])
    # same: 0, 10 and 95 degrees; different, first of one and last of the other: 90 and 80
    assert told_apart(vectors, Links(tracklets, np.array([[0, 1]]))) == pytest.approx(4 / 6)
    assert told_apart(vectors, Links.none(7)) is None
    assert told_apart(vectors, Links(np.arange(7), np.array([[0, 1]]))) is None  # one picture each
    assert told_apart(np.ones((4, 1), np.float32), Links(np.array([0, 0, 1, 1]), np.array([[0, 1]]))) == 0.5
