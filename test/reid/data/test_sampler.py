import logging

import numpy as np
import pytest

from rtreid_ros.errors import InputError
from rtreid_ros.options import build
from rtreid_ros.reid.data import ClipSampler, PKSampler, SamplerOptions
from rtreid_ros.reid.data.sampler import full_batches

rng = np.random.default_rng(5)
SIZES = rng.integers(1, 30, 40)
CLASSES = rng.permutation(np.repeat(np.arange(40), SIZES))


def sampler(classes, identities=4, images=3, seed=0, **more):
    return PKSampler(np.asarray(classes, np.int64), SamplerOptions(identities, images, **more), seed)


def test_a_batch_has_p_identities_with_k_images_side_by_side():
    batches = list(sampler(CLASSES).epoch(0))
    assert len(batches) == len(sampler(CLASSES))
    for batch in batches:
        assert batch.dtype == np.int64
        classes = CLASSES[batch].reshape(4, 3)
        assert (classes == classes[:, :1]).all()
        assert len(np.unique(classes[:, 0])) == 4


def test_no_image_comes_twice_in_an_epoch_unless_its_identity_has_fewer_than_k():
    rows, count = np.unique(np.concatenate(list(sampler(CLASSES).epoch(0))), return_counts=True)
    assert (count[SIZES[CLASSES[rows]] >= 3] == 1).all()
    few = np.concatenate(list(sampler([0, 0, 1, 1, 1], identities=2).epoch(0)))
    assert {0, 1} < set(few.tolist())  # both of the first identity, one of them again
    assert len(few) == 6


def test_almost_all_groups_are_used_and_all_images_in_time():
    drawn = sampler(CLASSES)
    groups = np.maximum(SIZES // 3, 1).sum()
    assert len(drawn) == groups // 4  # no identity has so many that batches stay unfilled
    seen = set()
    for number in range(40):
        seen |= set(np.concatenate(list(drawn.epoch(number))).tolist())
    assert seen == set(range(len(CLASSES)))


def test_epochs_differ_and_are_a_function_of_seed_and_number():
    first, same = sampler(CLASSES), sampler(CLASSES)
    again = list(first.epoch(3))
    list(first.epoch(7))
    for left, right in zip(again, same.epoch(3), strict=True):
        np.testing.assert_array_equal(left, right)
    for other in (first.epoch(4), sampler(CLASSES, seed=1).epoch(3)):
        assert any((left != right).any() for left, right in zip(again, other, strict=True))


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_as_many_batches_as_can_be_full(size):
    # slow reference: fill a batch from the identities with most groups left, which loses none
    for _ in range(50):
        groups = rng.integers(1, 9, rng.integers(size, 9))
        left, batches = groups.copy(), 0
        while np.count_nonzero(left) >= size:
            left[np.argsort(-left, kind="stable")[:size]] -= 1
            batches += 1
        assert full_batches(groups, size) == batches
        drawn = sampler(np.repeat(np.arange(len(groups)), groups), size, 1)
        assert len(list(drawn.epoch(0))) == batches


def test_groups_of_an_identity_meet_many_others():
    # dealt at random, 30 equal identities of 4 groups meet 12 others each time, mostly different ones
    classes = np.repeat(np.arange(30), 8)
    met = [set() for _ in range(30)]
    for batch in sampler(classes, 4, 2).epoch(0):
        present = np.unique(classes[batch])
        for identity in present:
            met[identity] |= set(present.tolist()) - {identity}
    assert np.mean([len(others) for others in met]) > 9


def test_a_single_image_is_drawn_again_and_logged_once(caplog):
    with caplog.at_level(logging.WARNING):
        drawn = sampler([0, 1, 1, 1, 1], identities=2, images=4)
        assert next(drawn.epoch(0)).tolist().count(0) == 4
        list(drawn.epoch(1))
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 2 identities have one image, which is drawn again and again"
    ]


def test_balance_gives_every_identity_as_many_images():
    classes = np.repeat([0, 1, 2], [2, 8, 20])  # median 8
    rows = np.concatenate(list(sampler(classes, 3, 4, balance=True).epoch(0)))
    assert np.bincount(classes[rows]).tolist() == [8, 8, 8]
    counts = np.bincount(rows, minlength=30)
    assert counts[:2].tolist() == [4, 4]  # equally often
    assert counts[2:10].tolist() == [1] * 8
    assert counts[10:].max() == 1


def test_without_groups_images_are_shuffled():
    drawn = sampler([0, -1, 0, 0, 5, -1, 0, 0], identities=3, images=0)
    batches = list(drawn.epoch(0))
    assert len(batches) == len(drawn) == 2
    assert len(set(np.concatenate(batches).tolist())) == 6
    orders = {tuple(np.concatenate(list(drawn.epoch(number))).tolist()) for number in range(5)}
    assert len(orders) == 5


def test_what_no_batch_can_be_made_of_is_refused():
    with pytest.raises(InputError, match="no images to draw batches from"):
        sampler([])
    with pytest.raises(InputError, match="batches of 4 identities need at least that many; there are 2"):
        sampler([0, 0, 1, 1])
    with pytest.raises(InputError, match=r"2 images have no identity; only a sampler without groups"):
        sampler([0, 1, 2, 3, -1, -1])
    with pytest.raises(InputError, match="a batch of 4 images needs as many; there are 3"):
        sampler([0, 1, 2], images=0)


def test_options_have_ranges():
    assert build(SamplerOptions, {}) == SamplerOptions(16, 4, balance=False)
    with pytest.raises(ValueError, match="identities must be an integer >= 1"):
        build(SamplerOptions, {"identities": 0})


def clips(classes, tracks, frames, identities=2, images=2, seed=0):
    options = SamplerOptions(identities, images)
    return ClipSampler(np.array(classes), np.array(tracks), options, frames, seed)


def test_clips_are_ordered_frames_of_one_track():
    classes = rng.permutation(np.repeat([0, 1, 2, 3], [17, 30, 9, 8]))
    tracks = np.where(rng.random(64) < 0.5, 3, 8)
    drawn = clips(classes, tracks, 3)
    batches = list(drawn.epoch(0))
    assert len(batches) == len(drawn)
    for batch in batches:
        assert batch.shape == (4, 3)
        assert (np.diff(batch, axis=1) > 0).all()
        assert (classes[batch] == classes[batch][:, :1]).all()
        assert (tracks[batch] == tracks[batch][:, :1]).all()
        assert classes[batch[::2, 0]].tolist() == classes[batch[1::2, 0]].tolist()
    flat = np.concatenate(batches).ravel()
    assert len(np.unique(flat)) == len(flat)
    assert np.array_equal(np.stack(batches), np.stack(list(clips(classes, tracks, 3).epoch(0))))
    assert not np.array_equal(np.stack(batches), np.stack(list(drawn.epoch(1))))


def test_short_tracks_are_filled_up_with_their_last_frame():
    batch = next(clips([0, 1, 0, 1, 1], [0] * 5, 4).epoch(0))
    assert {tuple(row) for row in batch.tolist()} == {(0, 2, 2, 2), (1, 3, 4, 4)}


def test_clips_of_nothing_are_refused():
    with pytest.raises(InputError, match="at least one frame, got 0"):
        clips([0, 1], [0, 0], 0)
    with pytest.raises(InputError, match="no images"):
        clips(np.zeros(0, int), np.zeros(0, int), 2)


@pytest.mark.parametrize("base", [0, 5, 40])
def test_without_groups_every_identity_has_exactly_as_many_images_as_asked_for(base):
    drawn = sampler(CLASSES, identities=8, images=0, balance=True, base=base)
    wanted = base or round(float(np.median(SIZES)))
    assert len(drawn) == 40 * wanted // 8
    rows = np.concatenate(list(drawn.epoch(0)))  # 40 identities: nothing is left over
    assert (np.bincount(CLASSES[rows]) == wanted).all()
    for identity in range(40):  # each as often as any other of the identity, or once more
        counts = np.bincount(rows[CLASSES[rows] == identity], minlength=len(CLASSES))[identity == CLASSES]
        assert counts.max() - counts.min() <= 1
    again = np.concatenate(list(drawn.epoch(0)))
    np.testing.assert_array_equal(rows, again)
    assert (np.concatenate(list(drawn.epoch(1))) != rows).any()


def test_with_groups_the_base_is_rounded_to_whole_groups():
    drawn = sampler(CLASSES, balance=True, base=7)  # groups of 3
    rows = np.concatenate(list(drawn.epoch(0)))
    assert (np.bincount(CLASSES[rows]) == 6).all()


def test_a_balanced_epoch_without_a_full_batch_is_refused():
    with pytest.raises(InputError, match="a batch of 9 images needs as many; there are 6"):
        sampler([0, 1, 1, 1, 2, 2], identities=9, images=0, balance=True, base=2)
    with pytest.raises(InputError, match="6 images have no identity"):
        sampler([-1] * 6, identities=2, images=0, balance=True)
