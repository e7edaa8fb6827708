"""Batches of real pictures with generated ones behind them."""

import numpy as np
import pytest

from rtreid_ros.errors import InputError
from rtreid_ros.reid.data import PKSampler, SamplerOptions
from rtreid_ros.reid.data.mixture import MixedSampler

REAL = np.repeat(np.arange(10), 6)


def mixed(ratio, count=50, classes=None, *, images=3, seed=0, grouped=False):
    real = PKSampler(REAL, SamplerOptions(4, images), seed)
    classes = np.full(count, -1) if classes is None else np.asarray(classes)
    return real, MixedSampler(real, classes, len(REAL), ratio, grouped=grouped)


@pytest.mark.parametrize(("ratio", "added"), [(0.25, 3), (0.5, 6), (1.0, 12), (2.0, 24)])
def test_real_batches_stay_as_they_are_and_generated_ones_follow_at_the_ratio(ratio, added):
    real, sampler = mixed(ratio)
    assert sampler.added == added
    assert len(sampler) == len(real)
    batches = list(sampler.epoch(2))
    assert len(batches) == len(real)
    for batch, alone in zip(batches, real.epoch(2), strict=True):
        np.testing.assert_array_equal(batch[:12], alone)
        generated = batch[12:]
        assert len(generated) == len(set(generated.tolist())) == added
        assert generated.min() >= len(REAL)
        assert generated.max() < len(REAL) + 50


def test_generated_rows_go_round_so_that_all_come_up():
    _, sampler = mixed(1.0, count=17)  # more than an epoch needs, and fewer
    seen = {row for number in range(6) for batch in sampler.epoch(number) for row in batch[12:].tolist()}
    assert seen == set(range(len(REAL), len(REAL) + 17))


def test_epochs_differ_and_are_a_function_of_seed_and_number():
    _, sampler = mixed(0.5)
    first = np.stack(list(sampler.epoch(3)))
    list(sampler.epoch(4))
    np.testing.assert_array_equal(first, np.stack(list(sampler.epoch(3))))
    np.testing.assert_array_equal(first, np.stack(list(mixed(0.5)[1].epoch(3))))
    for other in (sampler.epoch(4), mixed(0.5, seed=1)[1].epoch(3)):
        assert (np.stack(list(other))[:, 12:] != first[:, 12:]).any()


def test_identities_of_their_own_come_in_groups_like_real_ones():
    classes = np.repeat(np.arange(10, 16), 5)
    _, sampler = mixed(0.5, classes=classes, grouped=True)
    assert (sampler.units, sampler.added) == (2, 6)
    for batch in sampler.epoch(0):
        groups = classes[batch[12:] - len(REAL)].reshape(2, 3)
        assert (groups == groups[:, :1]).all()
        assert groups[0, 0] != groups[1, 0]


def test_without_groups_the_ratio_is_of_pictures():
    real = PKSampler(REAL, SamplerOptions(8, 0))
    sampler = MixedSampler(real, np.full(30, -1), len(REAL), 0.5)
    assert sampler.added == 4
    assert {len(batch) for batch in sampler.epoch(0)} == {12}


def test_a_ratio_that_gives_none_and_too_few_pictures_are_refused():
    with pytest.raises(InputError, match=r"synthetic.ratio=0.01 gives batches of 12 no generated picture"):
        mixed(0.01)
    with pytest.raises(InputError, match=r"too few generated pictures for synthetic.ratio=1, 12 in a batch"):
        mixed(1.0, count=11)
    with pytest.raises(InputError, match="too few generated pictures"):
        mixed(1.0, classes=[10, 10, 10, 11, 11, 11], grouped=True)
