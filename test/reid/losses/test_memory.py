"""Cross-batch memory: what it holds, whom it compares, and the losses of pairs by loops."""

import numpy as np
import pytest
from support.losses import distance, labels_of, make, normal, output_of, softmax, softplus, unit

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.losses import UNLABELLED

OLD, NEW = normal(6, 4), normal(4, 4, seed=1)
KNOWN, KNOWN_ROWS = [0, 0, 1, 1, 2, UNLABELLED], [10, 11, 12, 13, 14, 15]
ASKED, ASKED_ROWS = [0, 1, 3, 0], [10, 20, 21, 22]
"""The first is an image the memory has; the third has no positive."""


def filled(images=20, **options):
    loss = make("cross_batch_memory", images=images, warmup=0, **options)
    loss.after_step(output_of(OLD), labels_of(KNOWN, indices=KNOWN_ROWS))
    return loss


def across(anchor):
    rows = [j for j in range(len(KNOWN)) if KNOWN[j] != UNLABELLED]
    return (
        [j for j in rows if KNOWN[j] == ASKED[anchor] and KNOWN_ROWS[j] != ASKED_ROWS[anchor]],
        [j for j in rows if KNOWN[j] != ASKED[anchor]],
    )


def ask(loss):
    return float(loss(output_of(NEW), labels_of(ASKED, indices=ASKED_ROWS)))


def test_empty_places_are_no_samples():
    loss = make("cross_batch_memory", images=20, warmup=0)
    assert loss.identities.tolist() == [UNLABELLED] * 20
    assert ask(loss) == 0


@pytest.mark.parametrize("margin", [0.5, 0.0])
def test_contrastive_loss_with_the_memory(margin):
    losses = []
    for a in range(4):
        positives, negatives = across(a)
        cosine = unit(OLD) @ unit(NEW[a])
        losses.append(
            sum(1 - cosine[p] for p in positives) + sum(max(0.0, cosine[n] - margin) for n in negatives)
        )
    assert ask(filled(margin=margin)) == pytest.approx(np.mean(losses))


@pytest.mark.parametrize("normalise", [True, False])
def test_triplets_with_the_memory(normalise):
    old, new = (unit(OLD), unit(NEW)) if normalise else (OLD, NEW)
    hard, weighted = [], []
    for a in range(4):
        positives, negatives = across(a)
        if positives:
            far = np.array([distance(new[a], old[p]) for p in positives])
            near = np.array([distance(new[a], old[n]) for n in negatives])
            hard.append(max(0.0, 0.3 + max(far) - min(near)))
            weighted.append(softplus(softmax(far) @ far - softmax(-near) @ near))
    assert len(hard) == 3
    assert ask(filled(pair="triplet", margin=0.3, normalise=normalise)) == pytest.approx(np.mean(hard))
    assert ask(filled(pair="weighted_triplet", normalise=normalise)) == pytest.approx(np.mean(weighted))


def test_an_image_is_not_its_own_positive_however_old():
    loss = make("cross_batch_memory", images=20, warmup=0)
    loss.after_step(output_of(OLD[:1]), labels_of([0], indices=[10]))
    new = output_of(NEW[:1])
    assert float(loss(new, labels_of([0], indices=[10]))) == 0
    assert float(loss(new, labels_of([0], indices=[11]))) == pytest.approx(1 - unit(OLD[0]) @ unit(NEW[0]))


def test_a_batch_enters_after_its_step():
    loss = make("cross_batch_memory", images=20, warmup=0)
    output, labels = output_of(NEW), labels_of([0, 0, 1, 1])
    assert float(loss(output, labels)) == 0
    assert loss.identities.max() == UNLABELLED


def test_the_newest_take_the_place_of_the_oldest():
    loss = make("cross_batch_memory", images=10, capacity=0.5, warmup=0, pair="triplet", normalise=False)
    x = normal(12, 4)
    for first in range(0, 12, 3):
        rows = list(range(first, first + 3))
        loss.after_step(output_of(x[rows]), labels_of([row % 5 for row in rows], indices=rows))
    # five places, twelve images: the last five, written round and round
    assert loss.indices.tolist() == [10, 11, 7, 8, 9]
    assert loss.identities.tolist() == [0, 1, 2, 3, 4]
    assert loss.embeddings.numpy() == pytest.approx(x[[10, 11, 7, 8, 9]])


def test_of_a_batch_larger_than_the_memory_the_last_stay():
    loss = make("cross_batch_memory", images=4, capacity=0.5, warmup=0, normalise=False, pair="triplet")
    loss.after_step(output_of(OLD), labels_of([0, 1, 2, 3, 4, 0]))
    assert sorted(loss.indices.tolist()) == [4, 5]
    loss.after_step(output_of(NEW[:1]), labels_of([1], indices=[9]))
    assert sorted(loss.indices.tolist()) == [5, 9]


def test_mixed_and_unlabelled_images_enter_without_an_identity():
    loss = make("cross_batch_memory", images=20)
    loss.after_step(
        output_of(OLD[:3]), labels_of([0, 1, UNLABELLED], others=[1, 1, 0], shares=[0.4, 1.0, 1.0])
    )
    assert loss.identities[:3].tolist() == [UNLABELLED, 1, UNLABELLED]


def test_it_is_used_once_enough_batches_are_in():
    loss = make("cross_batch_memory", images=20, warmup=2)
    told = []
    for _ in range(3):
        told.append(ask(loss))
        loss.after_step(output_of(OLD), labels_of(KNOWN, indices=KNOWN_ROWS))
    assert told[:2] == [0, 0]
    assert told[2] > 0


def test_it_holds_the_training_set_by_default():
    assert len(make("cross_batch_memory", images=123).identities) == 123


@pytest.mark.parametrize(("images", "capacity"), [(0, 1.0), (100, 0.001)])
def test_a_memory_of_nothing_is_refused(images, capacity):
    with pytest.raises(ConfigError, match="holds none"):
        make("cross_batch_memory", images=images, capacity=capacity)


def test_an_unknown_loss_of_pairs_is_refused():
    with pytest.raises(ConfigError, match="contrastive, triplet, weighted_triplet"):
        make("cross_batch_memory", pair="circle")
