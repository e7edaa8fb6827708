"""Batches of a round."""

import numpy as np
import pytest

from rtreid_ros.errors import InputError
from rtreid_ros.reid.adaptation.sampler import RoundSampler
from rtreid_ros.reid.data.sampler import SamplerOptions

CLUSTERS = np.array([0, 0, 0, -1, 1, 1, 1, 2, 2, 2, -1, 3, 3, 3])
WITH_SOURCE = np.concatenate([CLUSTERS, np.repeat([4, 5, 6, 7], 3)])


def test_a_round_has_as_many_batches_as_asked_for_and_no_noise():
    sampler = RoundSampler(CLUSTERS, 14, SamplerOptions(2, 2), steps=25, rehearsal=0.5, seed=0)
    batches = np.stack(list(sampler.epoch(3)))
    assert batches.shape == (25, 4)
    assert len(sampler) == 25
    assert (CLUSTERS[batches] >= 0).all()
    np.testing.assert_array_equal(batches, np.stack(list(sampler.epoch(3))))
    assert not np.array_equal(batches, np.stack(list(sampler.epoch(4))))


@pytest.mark.parametrize(("rehearsal", "count"), [(0, 0), (0.25, 5), (0.5, 10), (0.9, 18)])
def test_batches_of_the_source_stand_evenly_between_those_of_the_target(rehearsal, count):
    sampler = RoundSampler(WITH_SOURCE, 14, SamplerOptions(2, 2), 20, rehearsal, seed=0)
    of_source = np.stack(list(sampler.epoch(0))) >= 14
    assert (of_source.all(axis=1) == of_source.any(axis=1)).all()  # none is of both
    where = np.flatnonzero(of_source[:, 0])
    assert len(where) == count
    if count:
        assert np.ptp(np.diff(where)) <= 1


def test_with_few_clusters_batches_are_smaller():
    sampler = RoundSampler(WITH_SOURCE, 14, SamplerOptions(16, 2), 6, 0.5, seed=0)
    assert {len(batch) for batch in sampler.epoch(0)} == {8}


def test_a_source_of_too_few_people_is_refused():
    with pytest.raises(InputError, match=r"there are 1: choose a smaller sampler\.identities"):
        RoundSampler(np.append(CLUSTERS, [4, 4]), 14, SamplerOptions(3, 2), 6, 0.5, seed=0)
