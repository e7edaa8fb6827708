"""Circle loss and ranked list loss against loops, values and gradients."""

import numpy as np
import pytest
import torch
from support.losses import (
    distance,
    labels_of,
    make,
    normal,
    output_of,
    partners,
    slope,
    softmax,
    softplus,
    unit,
)

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.losses import UNLABELLED

RAGGED = [0, 0, 0, 1, 1, 2, 3, 3]
X = normal(8, 4)


def circle(x, frozen, identities, margin, scale):
    """Equation 6; how strongly pairs count is taken from the embeddings `frozen`."""
    cosine, held = unit(x) @ unit(x).T, unit(frozen) @ unit(frozen).T
    losses = []
    for a in range(len(x)):
        positives, negatives = partners(identities, a)
        if positives and negatives:
            near = sum(
                np.exp(scale * max(0.0, held[a, n] + margin) * (cosine[a, n] - margin)) for n in negatives
            )
            far = sum(
                np.exp(-scale * max(0.0, 1 + margin - held[a, p]) * (cosine[a, p] - (1 - margin)))
                for p in positives
            )
            losses.append(np.log(1 + near * far))
    return np.mean(losses)


def ranked_list(x, frozen, identities, boundary=1.2, margin=0.4, temperature=10.0, share=0.5):
    x, frozen = unit(x), unit(frozen)
    losses = []
    for a in range(len(x)):
        positives, negatives = partners(identities, a)
        if not positives or not negatives:
            continue
        far = [distance(x[a], x[p]) - (boundary - margin) for p in positives]
        far = [excess for excess in far if excess > 0]
        near = [n for n in negatives if distance(x[a], x[n]) < boundary]
        weights = (
            softmax([temperature * (boundary - distance(frozen[a], frozen[n])) for n in near]) if near else []
        )
        lacking = sum(w * (boundary - distance(x[a], x[n])) for w, n in zip(weights, near, strict=True))
        losses.append((1 - share) * (np.mean(far) if far else 0.0) + share * lacking)
    return np.mean(losses)


def gradient(loss, labels):
    x = torch.tensor(X, requires_grad=True)
    loss(output_of(x), labels).backward()
    return x.grad.numpy()


@pytest.mark.parametrize(("margin", "scale"), [(0.25, 128.0), (0.4, 8.0)])
def test_circle_of_ragged_identities(margin, scale):
    loss = make("circle", margin=margin, scale=scale)
    assert float(loss(output_of(X), labels_of(RAGGED))) == pytest.approx(circle(X, X, RAGGED, margin, scale))


def test_circle_has_the_settings_of_person_re_identification_by_default():
    assert float(make("circle")(output_of(X), labels_of(RAGGED))) == pytest.approx(
        circle(X, X, RAGGED, 0.25, 128)
    )


def test_circle_of_one_triplet_by_hand():
    x = np.array([[1.0, 0, 0, 0], [0.6, 0.8, 0, 0], [0.0, 1.0, 0, 0]])
    m, g = 0.25, 2.0

    def term(positive, negative):
        return softplus(g * (negative + m) * (negative - m) - g * (1 + m - positive) * (positive - (1 - m)))

    wanted = (term(0.6, 0.0) + term(0.6, 0.8)) / 2
    found = float(make("circle", margin=m, scale=g)(output_of(x), labels_of([0, 0, 1])))
    assert found == pytest.approx(wanted)


def test_circle_weighs_pairs_without_a_gradient_of_the_weights():
    wanted = slope(lambda x: circle(x, X, RAGGED, 0.25, 8.0), X)
    assert gradient(make("circle", scale=8.0), labels_of(RAGGED)) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"boundary": 1.0, "margin": 0.8, "temperature": 0.0},
        {"boundary": 2.0, "margin": 1.3, "temperature": 1.0, "share": 0.8},
    ],
)
def test_ranked_list_of_ragged_identities(options):
    found = float(make("ranked_list", **options)(output_of(X), labels_of(RAGGED)))
    assert found == pytest.approx(ranked_list(X, X, RAGGED, **options))


def test_ranked_list_of_one_triplet_by_hand():
    x = np.array([[1.0, 0, 0, 0], [0.0, 1, 0, 0], [0.6, 0.8, 0, 0]])
    positive, near, nearer = np.sqrt(2), np.sqrt(0.8), np.sqrt(0.4)
    wanted = np.mean([(positive - 0.8) / 2 + (1.2 - d) / 2 for d in (near, nearer)])
    assert float(make("ranked_list")(output_of(x), labels_of([0, 0, 1]))) == pytest.approx(wanted)


def test_ranked_list_weighs_negatives_without_a_gradient_of_the_weights():
    wanted = slope(lambda x: ranked_list(x, X, RAGGED), X)
    assert gradient(make("ranked_list"), labels_of(RAGGED)) == pytest.approx(wanted, abs=1e-6)


def test_ranked_list_judges_a_negative_at_distance_zero():
    x = np.array([[1.0, 0, 0, 0], [0.0, 1, 0, 0], [1.0, 0, 0, 0]])
    near, pull = 1.2 - np.sqrt(2), np.sqrt(2) - 0.8
    assert near < 0  # the second image has no negative too near
    found = float(make("ranked_list")(output_of(x), labels_of([0, 0, 1])))
    assert found == pytest.approx(((pull + 1.2) / 2 + pull / 2) / 2)


@pytest.mark.parametrize("name", ["circle", "ranked_list"])
def test_generated_images_are_no_identity_of_their_own(name):
    labels = labels_of([0, 0, 1, 1, UNLABELLED, UNLABELLED])
    found = float(make(name)(output_of(X[:6]), labels))
    assert found == pytest.approx(float(make(name)(output_of(X[:4]), labels_of([0, 0, 1, 1]))))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("circle", {"margin": 1.5}),
        ("circle", {"scale": 0}),
        ("ranked_list", {"boundary": 2.5}),
        ("ranked_list", {"share": -0.1}),
    ],
)
def test_values_out_of_range_are_refused(name, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        make(name, **options)
