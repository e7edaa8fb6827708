"""What holds of every loss: gradients, ragged batches, nothing to judge, precision, state."""

import copy
import subprocess
import sys

import pytest
import torch
from support.losses import labels_of, make, normal, output_of

from rtreid_ros.options import build
from rtreid_ros.reid.losses import LOSSES, UNLABELLED
from rtreid_ros.reid.models import ReIDOutput

NAMES = list(LOSSES)
OF_PAIRS = ["triplet", "semi_hard_triplet", "weighted_triplet", "circle", "ranked_list"]
PLAIN = {
    "circle": {"margin": 0.0, "scale": 4.0},
    "ranked_list": {"temperature": 0.0},
    "dual_cluster_contrast": {"consistency": 0.0},
    "semi_hard_triplet": {"margin": 2.0},
    "cross_entropy": {"poly": 1.5, "poly2": 0.5},
    "focal": {"poly": 1.5, "poly2": 0.5, "smoothing": 0.1},
    "lsro": {"poly": 1.5, "smoothing": 0.1},
}
"""Options under which nothing is held back from the gradient."""

IDENTITIES = [0, 0, 0, 1, 1, 2, 3, 3]


def warm(name, **options):
    """A loss in float64 that has seen a batch of every identity."""
    if name == "cross_batch_memory":
        options["warmup"] = 0
    loss = make(name, **options)
    seen = labels_of([0, 1, 2, 3, 4, 0], indices=range(30, 36))
    loss.after_step(random_output(6, seed=9), seen)
    return loss


def random_output(rows=8, seed=0):
    return output_of(normal(rows, 4, seed), normal(rows, 5, seed + 1), normal(rows, 4, seed + 2))


def leaves(output):
    return ReIDOutput(*(part.detach().clone().requires_grad_() for part in output[:3]))


def gradients(loss, output, labels):
    """The loss and its gradients; zeros where it does not reach."""
    output = leaves(output)
    value = loss(output, labels)
    value.backward()
    return value.detach(), [torch.zeros_like(x) if x.grad is None else x.grad for x in output[:3]]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "circle"])
def test_gradients_are_those_of_differences(name):
    loss, labels = warm(name, **PLAIN.get(name, {})), labels_of(IDENTITIES)

    def judged(embedding, logits, neck):
        return loss(ReIDOutput(embedding, neck, logits), labels)

    output = leaves(random_output())
    assert torch.autograd.gradcheck(judged, (output.embedding, output.logits, output.neck))
    _, found = gradients(loss, random_output(), labels)
    assert sum(float(x.abs().sum()) for x in found) > 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("triplet", {"soft": True}),
        ("triplet", {"penalty": 0.4, "normalise": True}),
        ("weighted_triplet", {"normalise": True}),
        ("cross_batch_memory", {"pair": "triplet"}),
        ("cross_batch_memory", {"pair": "weighted_triplet", "normalise": False}),
        ("cross_entropy", {"temperature": 3.0, "smoothing": 0.0}),
        ("focal", {"gamma": 0.5}),
    ],
)
def test_gradients_with_options(name, options):
    loss, labels = warm(name, **options), labels_of(IDENTITIES)
    output = leaves(random_output())
    assert torch.autograd.gradcheck(
        lambda embedding, logits: loss(ReIDOutput(embedding, embedding, logits), labels),
        (output.embedding, output.logits),
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "identities", [[0, 0, 0, 0], [0, 1, 2, 3], [0, 0, 1, 1]], ids=["one", "single", "pk"]
)
def test_twins_have_finite_gradients(name, identities):
    twins = output_of(normal(1, 4).repeat(4, 0), normal(1, 5).repeat(4, 0))
    value, found = gradients(warm(name), twins, labels_of(identities))
    assert value.isfinite()
    assert all(x.isfinite().all() for x in found)


@pytest.mark.parametrize("name", NAMES)
def test_zero_embeddings_have_finite_gradients(name):
    value, found = gradients(warm(name), output_of(torch.zeros(4, 4).double()), labels_of([0, 0, 1, 1]))
    assert value.isfinite()
    assert all(x.isfinite().all() for x in found)


@pytest.mark.parametrize("name", NAMES)
def test_well_told_batches_have_finite_gradients(name):
    far = 1e3 * torch.eye(5).double()[[0, 0, 1, 1]]
    value, found = gradients(warm(name), output_of(far[:, :4], far), labels_of([0, 0, 1, 1]))
    assert value.isfinite()
    assert all(x.isfinite().all() for x in found)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "lsro"])
def test_a_batch_without_labels_costs_and_moves_nothing(name):
    value, found = gradients(warm(name), random_output(), labels_of([UNLABELLED] * 8))
    assert value == 0
    assert all(torch.equal(x, torch.zeros_like(x)) for x in found)


@pytest.mark.parametrize("name", OF_PAIRS)
@pytest.mark.parametrize("identities", [[1] * 8, list(range(8)), [1] + [UNLABELLED] * 7])
def test_a_batch_without_positives_or_negatives_costs_and_moves_nothing(name, identities):
    value, found = gradients(make(name, classes=8), random_output(), labels_of(identities))
    assert value == 0
    assert all(torch.equal(x, torch.zeros_like(x)) for x in found)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("cross_entropy", "focal", "lsro")])
def test_mixed_images_are_left_out_of_all_but_losses_of_logits(name):
    output, rows, options = random_output(), [0, 1, 3, 4, 5, 7], PLAIN.get(name, {})
    mixed = labels_of(IDENTITIES, others=[1] * 8, shares=[1, 1, 0.9, 1, 1, 1, 0.0, 1])
    value, found = gradients(warm(name, **options), output, mixed)
    kept = ReIDOutput(*(x[rows] for x in output[:3]))
    labels = labels_of([IDENTITIES[row] for row in rows], indices=rows)
    wanted, slopes = gradients(warm(name, **options), kept, labels)
    assert value == pytest.approx(float(wanted))
    assert value > 0
    for x, y in zip(found, slopes, strict=True):
        assert x[rows].numpy() == pytest.approx(y.numpy())
        assert x[[2, 6]].count_nonzero() == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_full(name, dtype):
    options = {"warmup": 0} if name == "cross_batch_memory" else {}
    kind = LOSSES[name]
    loss = kind(build(kind.Options, options), 4, 5, 40)
    half = ReIDOutput(*(x.to(dtype) for x in random_output()[:3]))
    full = ReIDOutput(*(x.float() for x in half[:3]))
    labels = labels_of(IDENTITIES)
    loss.after_step(full, labels_of(IDENTITIES, indices=range(20, 28)))
    wanted = copy.deepcopy(loss)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = loss(half, labels)
        loss.after_step(half, labels)
    assert found.dtype == torch.float32
    assert torch.equal(found, wanted(full, labels))
    wanted.after_step(full, labels)
    for here, there in zip(loss.buffers(), wanted.buffers(), strict=True):
        assert torch.equal(here, there)


@pytest.mark.parametrize("name", NAMES)
def test_remembering_keeps_no_graph_and_draws_no_random_number(name):
    loss, drawn = make(name), torch.get_rng_state()
    loss.after_step(leaves(random_output()), labels_of(IDENTITIES))
    loss(leaves(random_output()), labels_of(IDENTITIES))
    assert not any(memory.requires_grad for memory in loss.buffers())
    assert torch.equal(torch.get_rng_state(), drawn)


@pytest.mark.parametrize("name", NAMES)
def test_none_has_parameters(name):
    assert list(make(name).parameters()) == []


def test_losses_load_without_what_only_some_of_them_need():
    code = "import sys, rtreid_ros.reid.losses; print('pytorch_metric_learning' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
