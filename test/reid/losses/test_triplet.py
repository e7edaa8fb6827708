"""Triplet losses against loops over anchors, positives and negatives."""

import numpy as np
import pytest
from support.losses import distance, labels_of, normal, output_of, partners, softmax, softplus, unit, value

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.losses import UNLABELLED

RAGGED = [0, 0, 0, 1, 1, 2, 3, 3]
"""Three, two, one and two images; the one has no positive."""

X = normal(8, 4)


def batch_hard(x, identities, loss):
    losses = []
    for a in range(len(x)):
        positives, negatives = partners(identities, a)
        if positives and negatives:
            farthest = max(distance(x[a], x[p]) for p in positives)
            nearest = min(distance(x[a], x[n]) for n in negatives)
            losses.append(loss(farthest, nearest))
    return np.mean(losses)


def semi_hard(x, identities, margin):
    losses = []
    for a in range(len(x)):
        positives, negatives = partners(identities, a)
        for p in positives:
            d = distance(x[a], x[p]) ** 2
            from_negatives = [distance(x[a], x[n]) ** 2 for n in negatives]
            farther = [other for other in from_negatives if other > d]
            losses.append(max(0.0, margin + d - (min(farther) if farther else max(from_negatives))))
    return np.mean(losses)


def weighted(x, identities):
    losses = []
    for a in range(len(x)):
        positives, negatives = partners(identities, a)
        if positives and negatives:
            far = np.array([distance(x[a], x[p]) for p in positives])
            near = np.array([distance(x[a], x[n]) for n in negatives])
            losses.append(softplus(softmax(far) @ far - softmax(-near) @ near))
    return np.mean(losses)


def test_three_points_on_a_line():
    x = np.array([[0.0, 0, 0, 0], [3.0, 0, 0, 0], [5.0, 0, 0, 0]])
    # 0: 3 to its positive, 5 to the negative; 3: 3 and 2; the last has no positive
    found = value("triplet", output_of(x), labels_of([0, 0, 1]), margin=0.3)
    assert found == pytest.approx((0 + 1.3) / 2)


@pytest.mark.parametrize("margin", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("normalise", [False, True])
def test_hardest_positive_and_negative_of_ragged_identities(margin, normalise):
    found = value("triplet", output_of(X), labels_of(RAGGED), margin=margin, normalise=normalise)
    x = unit(X) if normalise else X
    assert found == pytest.approx(batch_hard(x, RAGGED, lambda p, n: max(0.0, margin + p - n)))


def test_soft_margin():
    found = value("triplet", output_of(X), labels_of(RAGGED), soft=True)
    assert found == pytest.approx(batch_hard(X, RAGGED, lambda p, n: softplus(p - n)))


@pytest.mark.parametrize("soft", [False, True])
def test_penalty_moves_positives_away_and_negatives_near(soft):
    found = value("triplet", output_of(X), labels_of(RAGGED), margin=0.3, penalty=0.4, soft=soft)

    def loss(p, n):
        difference = 1.4 * p - 0.6 * n
        return softplus(difference) if soft else max(0.0, 0.6 * 0.3 / 1.4 + difference)

    assert found == pytest.approx(batch_hard(X, RAGGED, loss))


@pytest.mark.parametrize("margin", [0.2, 1.0])
def test_semi_hard_negatives(margin):
    found = value("semi_hard_triplet", output_of(X), labels_of(RAGGED), margin=margin)
    assert found == pytest.approx(semi_hard(unit(X), RAGGED, margin))


def test_semi_hard_takes_the_farthest_negative_where_none_is_farther_than_the_positive():
    angles = np.radians([0.0, 90.0, 10.0, 20.0])
    x = np.stack([np.cos(angles), np.sin(angles), 0 * angles, 0 * angles], 1)
    squared = 2 - 2 * np.cos(np.radians([90.0, 20.0, 70.0]))
    # 0 and 1 are one identity: from 0 the farther negative is at 20, from 1 at 80 degrees
    wanted = [0.2 + squared[0] - squared[1], 0.2 + squared[0] - (2 - 2 * np.cos(np.radians(80.0)))]
    assert value("semi_hard_triplet", output_of(x), labels_of([0, 0, 1, 2])) == pytest.approx(np.mean(wanted))
    assert semi_hard(x, [0, 0, 1, 2], 0.2) == pytest.approx(np.mean(wanted))


@pytest.mark.parametrize("normalise", [False, True])
def test_weighted_regularised_triplet(normalise):
    found = value("weighted_triplet", output_of(X), labels_of(RAGGED), normalise=normalise)
    assert found == pytest.approx(weighted(unit(X) if normalise else X, RAGGED))


def test_weights_follow_hardness():
    x = np.array([[0.0, 0, 0, 0], [1.0, 0, 0, 0], [2.0, 0, 0, 0], [4.0, 0, 0, 0]])
    labels = labels_of([0, 0, 0, 1])
    of = {  # by hand: distances to the two positives, to the negative
        a: softplus((p * np.exp(p) + q * np.exp(q)) / (np.exp(p) + np.exp(q)) - n)
        for a, (p, q, n) in enumerate([(1, 2, 4), (1, 1, 3), (2, 1, 2)])
    }
    assert value("weighted_triplet", output_of(x), labels) == pytest.approx(sum(of.values()) / 3)


@pytest.mark.parametrize("name", ["triplet", "weighted_triplet"])
def test_large_distances_do_not_overflow(name):
    found = (
        value(name, output_of(1e4 * X), labels_of(RAGGED), soft=True)
        if name == "triplet"
        else value(name, output_of(1e4 * X), labels_of(RAGGED))
    )
    assert np.isfinite(found)


def test_generated_images_are_no_identity_of_their_own():
    labels = labels_of([0, 0, 1, 1, UNLABELLED, UNLABELLED])
    assert value("triplet", output_of(X[:6]), labels) == pytest.approx(
        value("triplet", output_of(X[:4]), labels_of([0, 0, 1, 1]))
    )


@pytest.mark.parametrize("options", [{"margin": -0.1}, {"penalty": 1.0}, {"soft": 1}])
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        value("triplet", output_of(X), labels_of(RAGGED), **options)
