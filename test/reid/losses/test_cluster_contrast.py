"""Contrast with memories of identities, single and dual, against loops."""

import numpy as np
import pytest
import torch
from support.losses import labels_of, make, normal, output_of, slope, softmax, unit

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.losses import UNLABELLED

TRAINING, TRAINED = normal(10, 4), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
X, IDENTITIES = normal(6, 4, seed=1), [2, 0, 2, 2, 0, 1]
MEANS = unit([unit(TRAINING[[2 * y, 2 * y + 1]]).mean(0) for y in range(5)])


def ready(name, **options):
    loss = make(name, **options)
    loss.initialise(torch.tensor(TRAINING), torch.tensor(TRAINED))
    return loss


def cross_entropy(cosines, identity, smoothing, temperature=0.05):
    q = (1 - smoothing) * np.eye(len(cosines))[identity] + smoothing / len(cosines)
    return -(q * np.log(softmax(cosines / temperature))).sum()


def smooth_l1(x):
    return np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5).mean()


def dual(x, frozen, centroids, singles, consistency=0.25, smoothing=0.1):
    losses = []
    for row, held, y in zip(unit(x), unit(frozen), IDENTITIES, strict=True):
        losses.append(
            cross_entropy(centroids @ row, y, smoothing)
            + cross_entropy(singles @ row, y, smoothing)
            + consistency * smooth_l1(20 * (centroids @ row) - 20 * (singles @ held))
        )
    return np.mean(losses)


@pytest.mark.parametrize("name", ["cluster_contrast", "dual_cluster_contrast"])
def test_memories_begin_as_unit_means_of_the_training_set(name):
    for memory in ready(name).memories():
        assert memory.numpy() == pytest.approx(MEANS)


def test_the_two_memories_are_two():
    loss = ready("dual_cluster_contrast")
    loss.centroids[0] += 1
    assert loss.singles.numpy() == pytest.approx(MEANS)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_of_cosines_over_the_temperature(smoothing):
    loss = ready("cluster_contrast", smoothing=smoothing)
    wanted = [cross_entropy(MEANS @ row, y, smoothing) for row, y in zip(unit(X), IDENTITIES, strict=True)]
    assert float(loss(output_of(neck=X), labels_of(IDENTITIES))) == pytest.approx(np.mean(wanted))


def test_dual_contrast_and_the_consistency_of_its_memories():
    loss = ready("dual_cluster_contrast")
    loss.singles.copy_(torch.tensor(unit(normal(5, 4, seed=2))))
    found = float(loss(output_of(neck=X), labels_of(IDENTITIES)))
    assert found == pytest.approx(dual(X, X, MEANS, loss.singles.numpy()))


def test_logits_of_single_images_have_no_gradient_in_the_consistency():
    loss = ready("dual_cluster_contrast")
    loss.singles.copy_(torch.tensor(unit(normal(5, 4, seed=2))))
    x = torch.tensor(X, requires_grad=True)
    loss(output_of(neck=x, embedding=X), labels_of(IDENTITIES)).backward()
    wanted = slope(lambda x: dual(x, X, MEANS, loss.singles.numpy()), X)
    assert x.grad.numpy() == pytest.approx(wanted, abs=1e-5)


def test_length_of_embeddings_does_not_matter():
    loss = ready("dual_cluster_contrast")
    labels = labels_of(IDENTITIES)
    assert float(loss(output_of(neck=7 * X), labels)) == pytest.approx(float(loss(output_of(neck=X), labels)))


@pytest.mark.parametrize("momentum", [0.1, 0.6])
def test_the_hardest_image_of_an_identity_enters_its_memory(momentum):
    loss = ready("cluster_contrast", momentum=momentum)
    loss.after_step(output_of(neck=X), labels_of(IDENTITIES))
    wanted = MEANS.copy()
    for y, rows in ((0, [1, 4]), (1, [5]), (2, [0, 2, 3])):
        hardest = min(rows, key=lambda row, y=y: unit(X[row]) @ MEANS[y])
        wanted[y] = unit(momentum * MEANS[y] + (1 - momentum) * unit(X[hardest]))
    assert loss.centroids.numpy() == pytest.approx(wanted)


def test_of_equally_hard_images_one_enters():
    loss = ready("cluster_contrast")
    loss.after_step(output_of(neck=X[[0, 0, 0]]), labels_of([2, 2, 2]))
    assert loss.centroids[2].numpy() == pytest.approx(unit(0.1 * MEANS[2] + 0.9 * unit(X[0])))


@pytest.mark.parametrize("momentum", [0.1, 0.6])
def test_centroids_take_in_means_and_the_other_memory_single_images_in_turn(momentum):
    loss = ready("dual_cluster_contrast", momentum=momentum)
    loss.after_step(output_of(neck=X), labels_of(IDENTITIES))
    centroids, singles = MEANS.copy(), MEANS.copy()
    for row, y in zip(unit(X), IDENTITIES, strict=True):
        singles[y] = unit(momentum * singles[y] + (1 - momentum) * row)
    for y in set(IDENTITIES):
        mean = unit(unit(X)[[i for i, other in enumerate(IDENTITIES) if other == y]].mean(0))
        centroids[y] = unit(momentum * centroids[y] + (1 - momentum) * mean)
    assert loss.centroids.numpy() == pytest.approx(centroids)
    assert loss.singles.numpy() == pytest.approx(singles)


@pytest.mark.parametrize("name", ["cluster_contrast", "dual_cluster_contrast"])
def test_mixed_and_unlabelled_images_enter_no_memory(name):
    loss = ready(name)
    labels = labels_of([UNLABELLED, 0, 1], others=[0, 1, 1], shares=[1.0, 0.5, 0.9])
    loss.after_step(output_of(neck=X[:3]), labels)
    for memory in loss.memories():
        assert memory.numpy() == pytest.approx(MEANS)


@pytest.mark.parametrize("name", ["cluster_contrast", "dual_cluster_contrast"])
def test_without_the_training_set_memories_begin_with_their_first_batch(name):
    loss = make(name, momentum=1.0)
    labels = labels_of(IDENTITIES)
    assert float(loss(output_of(neck=X), labels)) == 0
    loss.after_step(output_of(neck=X), labels)
    assert loss.started.tolist() == [True, True, True, False, False]
    for memory in loss.memories():
        assert memory[2].numpy() == pytest.approx(unit(unit(X)[[0, 2, 3]].mean(0)))
        assert memory[3:].count_nonzero() == 0


def test_images_of_an_identity_without_a_memory_are_not_judged():
    loss = make("cluster_contrast")
    loss.after_step(output_of(neck=X), labels_of(IDENTITIES))
    both = float(loss(output_of(neck=X[:2]), labels_of([3, 0])))
    assert both == pytest.approx(float(loss(output_of(neck=X[1:2]), labels_of([0]))))


def test_initialising_again_begins_anew():
    loss = make("cluster_contrast")
    loss.after_step(output_of(neck=X), labels_of(IDENTITIES))
    loss.initialise(torch.tensor(TRAINING[:4]), torch.tensor([0, 0, UNLABELLED, 1]))
    assert loss.started.tolist() == [True, True, False, False, False]
    assert loss.centroids[1].numpy() == pytest.approx(unit(TRAINING[3]))


@pytest.mark.parametrize("options", [{"temperature": 0}, {"momentum": 1.5}, {"consistency": -1.0}])
def test_values_out_of_range_are_refused(options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        make("dual_cluster_contrast", **options)
