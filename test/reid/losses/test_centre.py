"""Centre loss: its value, and how centres move."""

import numpy as np
import pytest
import torch
from support.losses import labels_of, make, normal, output_of

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.losses import UNLABELLED

X = normal(6, 4)
IDENTITIES = [0, 0, 2, 2, 2, 4]


def begun(**options):
    loss = make("centre", **options)
    loss.after_step(output_of(X), labels_of(IDENTITIES))
    return loss


def test_a_centre_begins_as_the_mean_of_the_first_images_of_its_identity():
    loss = begun()
    assert loss.centres[0].numpy() == pytest.approx(X[:2].mean(0))
    assert loss.centres[2].numpy() == pytest.approx(X[2:5].mean(0))
    assert loss.centres[4].numpy() == pytest.approx(X[5])
    assert loss.seen.tolist() == [True, False, True, False, True]


def test_images_are_judged_by_the_squared_distance_to_their_centre():
    loss = begun()
    new = normal(3, 4, seed=1)
    found = float(loss(output_of(new), labels_of([2, 0, 2])))
    centres = [X[2:5].mean(0), X[:2].mean(0), X[2:5].mean(0)]
    assert found == pytest.approx(np.mean([((a - c) ** 2).sum() for a, c in zip(new, centres, strict=True)]))


def test_identities_without_a_centre_are_left_out():
    loss = begun()
    new = normal(3, 4, seed=1)
    found = float(loss(output_of(new), labels_of([1, 0, UNLABELLED])))
    assert found == pytest.approx(((new[1] - X[:2].mean(0)) ** 2).sum())


@pytest.mark.parametrize("rate", [0.5, 0.1])
def test_centres_move_as_in_equation_4(rate):
    loss = begun(rate=rate)
    new = normal(3, 4, seed=1)
    loss.after_step(output_of(new), labels_of([0, 0, 4]))
    first, last = X[:2].mean(0), X[5]
    wanted = first - rate * ((first - new[0]) + (first - new[1])) / (1 + 2)
    assert loss.centres[0].numpy() == pytest.approx(wanted)
    assert loss.centres[4].numpy() == pytest.approx(last - rate * (last - new[2]) / (1 + 1))
    assert loss.centres[2].numpy() == pytest.approx(X[2:5].mean(0))


def test_mixed_and_unlabelled_images_move_no_centre():
    loss = begun()
    before = loss.centres.clone()
    mixed = labels_of([0, UNLABELLED, 2], others=[2, 0, 2], shares=[0.5, 1.0, 0.9])
    loss.after_step(output_of(normal(3, 4, seed=1)), mixed)
    assert torch.equal(loss.centres, before)


def test_the_pace_of_centres_depends_on_no_weight():
    light, heavy = begun(weight=5e-4), begun(weight=1.0)
    for loss in (light, heavy):
        loss.after_step(output_of(normal(6, 4, seed=1)), labels_of(IDENTITIES))
    assert torch.equal(light.centres, heavy.centres)


def test_no_optimizer_is_needed():
    assert list(make("centre").parameters()) == []


def test_the_usual_weight_is_the_default():
    assert make("centre").options.weight == 5e-4


def test_a_rate_above_one_is_refused():
    with pytest.raises(ConfigError, match="rate"):
        make("centre", rate=1.5)
