"""Losses of logits: cross-entropy, focal loss and LSRO, against values worked out by hand."""

import math

import numpy as np
import pytest
from support.losses import labels_of, make, normal, output_of, softmax, value

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.losses import UNLABELLED

LOGITS = normal(4, 5, scale=2.0)
IDENTITIES = [3, 0, 0, 4]


def target(identity, smoothing=0.0, classes=5):
    return (1 - smoothing) * np.eye(classes)[identity] + smoothing / classes


def cross_entropy(logits, q, temperature=1.0, poly=0.0, poly2=0.0):
    p = softmax(logits / temperature)
    missed = (q * (1 - p)).sum()
    return -(q * np.log(p)).sum() + poly * missed + poly2 * missed**2


def test_without_options_it_is_minus_the_log_of_the_probability():
    logits = [[math.log(0.5), math.log(0.25), math.log(0.25)]]
    output = output_of(logits=np.array(logits))
    found = value("cross_entropy", output, labels_of([1]), classes=3, smoothing=0.0)
    assert found == pytest.approx(math.log(4))


def test_smoothing_temperature_and_polynomial_terms():
    found = value(
        "cross_entropy",
        output_of(logits=LOGITS),
        labels_of(IDENTITIES),
        smoothing=0.1,
        temperature=2.0,
        poly=1.5,
        poly2=0.2,
    )
    wanted = [
        cross_entropy(row, target(y, 0.1), 2.0, 1.5, 0.2) for row, y in zip(LOGITS, IDENTITIES, strict=True)
    ]
    assert found == pytest.approx(np.mean(wanted))


def test_smoothing_is_a_tenth_by_default_and_the_rest_off():
    found = value("cross_entropy", output_of(logits=LOGITS), labels_of(IDENTITIES))
    wanted = [cross_entropy(row, target(y, 0.1)) for row, y in zip(LOGITS, IDENTITIES, strict=True)]
    assert found == pytest.approx(np.mean(wanted))


@pytest.mark.parametrize("name", ["cross_entropy", "focal", "lsro"])
def test_mixed_images_are_judged_by_both_identities(name):
    mixed = labels_of([3, 0], others=[1, 0], shares=[0.7, 0.4])
    found = value(name, output_of(logits=LOGITS[:2]), mixed, smoothing=0.0)
    of = [
        value(name, output_of(logits=LOGITS[i : i + 1]), labels_of([y]), smoothing=0.0)
        for i, y in ((0, 3), (0, 1), (1, 0))
    ]
    assert found == pytest.approx((0.7 * of[0] + 0.3 * of[1] + of[2]) / 2)


@pytest.mark.parametrize("name", ["cross_entropy", "focal"])
def test_images_without_a_label_are_left_out(name):
    labels = labels_of([3, UNLABELLED, 0, 4])
    kept = output_of(logits=LOGITS[[0, 2, 3]])
    assert value(name, output_of(logits=LOGITS), labels) == pytest.approx(
        value(name, kept, labels_of([3, 0, 4]))
    )


def test_an_image_mixed_with_one_without_a_label_is_left_out():
    labels = labels_of([3, 0], others=[UNLABELLED, 2], shares=[0.7, 0.4])
    alone = labels_of([0], others=[2], shares=[0.4])
    assert value("cross_entropy", output_of(logits=LOGITS[:2]), labels) == pytest.approx(
        value("cross_entropy", output_of(logits=LOGITS[1:2]), alone)
    )


def test_of_an_image_that_is_all_its_own_the_other_need_not_be_known():
    labels = labels_of([3, 0], others=[UNLABELLED, 2], shares=[1.0, 1.0])
    plain = labels_of([3, 0])
    output = output_of(logits=LOGITS[:2])
    assert value("cross_entropy", output, labels) == pytest.approx(value("cross_entropy", output, plain))


def test_lsro_wants_all_identities_alike_of_images_without_a_label():
    labels = labels_of([3, UNLABELLED, 0, UNLABELLED])
    wanted = [
        -np.log(softmax(LOGITS[0])[3]),
        -np.log(softmax(LOGITS[1])).mean(),
        -np.log(softmax(LOGITS[2])[0]),
        -np.log(softmax(LOGITS[3])).mean(),
    ]
    assert value("lsro", output_of(logits=LOGITS), labels) == pytest.approx(np.mean(wanted))


def test_lsro_weighs_identities_but_not_images_without_a_label():
    loss = make("lsro", counts=[1, 2, 4, 4, 4], balance="inverse")
    weights = np.array([1, 0.5, 0.25, 0.25, 0.25]) / 0.45
    found = float(loss(output_of(logits=LOGITS[:2]), labels_of([0, UNLABELLED])))
    wanted = [weights[0] * -np.log(softmax(LOGITS[0])[0]), -np.log(softmax(LOGITS[1])).mean()]
    assert found == pytest.approx(np.mean(wanted), rel=1e-6)


@pytest.mark.parametrize(("gamma", "poly", "poly2"), [(2.0, 0.0, 0.0), (0.5, 0.0, 0.0), (2.0, 1.5, 0.2)])
def test_focal_counts_images_less_that_are_told_right(gamma, poly, poly2):
    found = value(
        "focal", output_of(logits=LOGITS), labels_of(IDENTITIES), gamma=gamma, poly=poly, poly2=poly2
    )
    p = np.array([softmax(row)[y] for row, y in zip(LOGITS, IDENTITIES, strict=True)])
    terms = poly * (1 - p) ** (gamma + 1) + poly2 * (1 - p) ** (gamma + 2)
    assert found == pytest.approx((-((1 - p) ** gamma) * np.log(p) + terms).mean())


def test_focal_without_focus_is_cross_entropy():
    options = {"smoothing": 0.1, "temperature": 2.0}
    output, labels = output_of(logits=LOGITS), labels_of(IDENTITIES)
    assert value("focal", output, labels, gamma=0.0, **options) == pytest.approx(
        value("cross_entropy", output, labels, **options)
    )


def test_focal_has_a_slope_where_an_image_is_told_with_certainty():
    loss = make("focal", classes=3, gamma=0.5)
    output = output_of(logits=np.array([[900.0, 0.0, 0.0]]))
    output.logits.requires_grad_()
    loss(output, labels_of([0])).backward()
    assert output.logits.grad.isfinite().all()


def test_weights_by_inverse_count_have_mean_one():
    loss = make("cross_entropy", counts=[1, 2, 4, 4, 4], balance="inverse", smoothing=0.0)
    weights = np.array([1, 0.5, 0.25, 0.25, 0.25]) / 0.45
    assert loss.weights.numpy() == pytest.approx(weights, rel=1e-6)
    found = float(loss(output_of(logits=LOGITS), labels_of(IDENTITIES)))
    wanted = [-weights[y] * np.log(softmax(row)[y]) for row, y in zip(LOGITS, IDENTITIES, strict=True)]
    assert found == pytest.approx(np.mean(wanted), rel=1e-6)


def test_weights_by_effective_number():
    counts, beta = [1, 10, 100, 1000, 1], 0.9
    found = make("focal", counts=counts, balance="effective", beta=beta).weights.numpy()
    wanted = np.array([1 / sum(beta**k for k in range(n)) for n in counts])  # one over 1 + b + b^2 + ...
    assert found == pytest.approx(wanted / wanted.mean(), rel=1e-6)


def test_weight_of_a_mixed_image_is_mixed_alike():
    loss = make("cross_entropy", counts=[1, 2, 4, 4, 4], balance="inverse", smoothing=0.0)
    found = float(loss(output_of(logits=LOGITS[:1]), labels_of([0], others=[1], shares=[0.6])))
    p = softmax(LOGITS[0])
    weight = (0.6 * 1 + 0.4 * 0.5) / 0.45
    assert found == pytest.approx(-weight * (0.6 * np.log(p[0]) + 0.4 * np.log(p[1])), rel=1e-6)


@pytest.mark.parametrize(
    ("counts", "told"), [(None, "not known"), ([1, 2], "are 2"), ([1, 2, 0, 4, 5], "least 0")]
)
def test_weights_need_the_counts_of_all_identities(counts, told):
    with pytest.raises(ConfigError, match=told):
        make("cross_entropy", counts=counts, balance="inverse")


@pytest.mark.parametrize(
    "options", [{"smoothing": 1.5}, {"temperature": 0}, {"poly": 7.0}, {"balance": "some"}, {"gamma": -1.0}]
)
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        make("focal", **options)
