"""The recipe: which losses, their sum, branches, starts, and its state."""

import io

import pytest
import torch
from support.losses import labels_of, make, normal, output_of
from torch import nn

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.reid.losses import LOSSES, Recipe
from rtreid_ros.reid.models import ReIDOutput

IDENTITIES = [0, 0, 0, 1, 1, 2, 3, 3]
LABELS = labels_of(IDENTITIES)
OUTPUT = output_of(normal(8, 4), normal(8, 5), normal(8, 4, seed=2))


def recipe_of(specs, branches=(4,), counts=None):
    return Recipe(specs, branches, classes=5, images=40, counts=counts).double()


def alone(name, output=OUTPUT, **options):
    return float(make(name, **options)(output, LABELS))


def test_the_sum_is_weighted_and_the_parts_are_not():
    specs = {"cross_entropy": {"weight": 0.5, "smoothing": 0.0}, "triplet": {"weight": 3, "margin": 1.0}}
    total, values = recipe_of(specs)(OUTPUT, LABELS, epoch=0)
    parts = {"cross_entropy": alone("cross_entropy", smoothing=0.0), "triplet": alone("triplet", margin=1.0)}
    assert {name: float(value) for name, value in values.items()} == pytest.approx(parts)
    assert float(total) == pytest.approx(0.5 * parts["cross_entropy"] + 3 * parts["triplet"])


def test_without_a_loss_of_logits_a_network_needs_no_classifier():
    bare = OUTPUT._replace(logits=torch.zeros(8, 0))
    total, _ = recipe_of({"triplet": {"margin": 1.0}})(bare, LABELS, epoch=0)
    assert float(total) == pytest.approx(alone("triplet", margin=1.0))
    with pytest.raises(InputError, match="logits must be"):
        recipe_of({"triplet": {}, "lsro": {}})(bare, LABELS, epoch=0)


def test_the_sum_has_a_gradient_and_the_parts_have_none():
    embedding = OUTPUT.embedding.clone().requires_grad_()
    total, values = recipe_of({"triplet": {}})(OUTPUT._replace(embedding=embedding), LABELS, epoch=0)
    total.backward()
    assert embedding.grad.abs().sum() > 0
    assert not values["triplet"].requires_grad


def test_losses_count_from_their_first_epoch():
    recipe = recipe_of({"cross_entropy": {}, "triplet": {"start": 2}})
    told = [sorted(recipe(OUTPUT, LABELS, epoch)[1]) for epoch in range(4)]
    assert told == [["cross_entropy"]] * 2 + [["cross_entropy", "triplet"]] * 2


def test_memories_take_part_from_the_first_epoch_of_their_loss():
    recipe = recipe_of({"cross_entropy": {}, "centre": {"start": 1}})
    centre = recipe.losses["centre"][0]
    for epoch in range(2):
        recipe(OUTPUT, LABELS, epoch)
        recipe.after_step(OUTPUT, LABELS)
        assert bool(centre.seen.any()) == (epoch == 1)


def test_a_loss_of_no_weight_is_off():
    total, values = recipe_of({"cross_entropy": {}, "triplet": {"weight": 0}})(OUTPUT, LABELS, epoch=0)
    assert sorted(values) == ["cross_entropy"]
    assert float(total) == pytest.approx(alone("cross_entropy"))


def branched():
    first = output_of(normal(8, 4, seed=3), normal(8, 5, seed=4))
    second = output_of(normal(8, 6, seed=5), normal(8, 5, seed=6))
    return OUTPUT._replace(branches=(first, second))


def test_branches_are_judged_each_and_summed():
    output, recipe = branched(), recipe_of({"cross_entropy": {}, "triplet": {"weight": 2}}, (4, 6))
    total, values = recipe(output, LABELS, epoch=0)
    parts = {
        name: sum(alone(name, branch, dim=branch.embedding.shape[1]) for branch in output.branches)
        for name in ("cross_entropy", "triplet")
    }
    assert {name: float(value) for name, value in values.items()} == pytest.approx(parts)
    assert float(total) == pytest.approx(parts["cross_entropy"] + 2 * parts["triplet"])


def test_each_branch_has_centres_of_its_own():
    output, recipe = branched(), recipe_of({"centre": {}}, (4, 6))
    recipe(output, LABELS, 0)
    recipe.after_step(output, LABELS)
    for loss, branch in zip(recipe.losses["centre"], output.branches, strict=True):
        assert loss.centres[0].numpy() == pytest.approx(branch.embedding[:3].mean(0).numpy())


def test_features_of_the_training_set_begin_memories_of_each_branch():
    recipe = recipe_of({"cross_entropy": {}, "dual_cluster_contrast": {"start": 3}}, (4, 6))
    assert [recipe.wants_features(epoch) for epoch in range(5)] == [False, False, False, True, False]
    features, identities = torch.tensor(normal(10, 10)), torch.arange(10) % 5
    recipe.initialise(features, identities, epoch=3)
    for loss, part in zip(
        recipe.losses["dual_cluster_contrast"], (features[:, :4], features[:, 4:]), strict=True
    ):
        wanted = make("dual_cluster_contrast", dim=part.shape[1])
        wanted.initialise(part, identities)
        assert torch.equal(loss.centroids, wanted.centroids)
        assert loss.started.all()


def test_features_begin_only_what_starts_in_that_epoch():
    recipe = recipe_of({"cross_entropy": {}, "cluster_contrast": {"start": 3}})
    recipe.initialise(torch.tensor(normal(5, 4)), torch.arange(5), epoch=0)
    assert not recipe.losses["cluster_contrast"][0].started.any()


def test_recipes_without_memories_of_identities_want_no_features():
    assert not recipe_of(
        {"cross_entropy": {}, "centre": {}, "cluster_contrast": {"weight": 0}}
    ).wants_features(0)


def test_counts_of_images_reach_the_losses():
    counts = [1, 2, 4, 4, 4]
    total, _ = recipe_of({"focal": {"balance": "inverse"}}, counts=counts)(OUTPUT, LABELS, epoch=0)
    assert float(total) == pytest.approx(
        float(make("focal", balance="inverse", counts=counts)(OUTPUT, LABELS))
    )


ALL = {name: {"warmup": 2} if name == "cross_batch_memory" else {} for name in LOSSES}


class Tiny(nn.Module):
    """A network of two layers, and four batches to learn from over and over."""

    def __init__(self):
        super().__init__()
        self.trunk, self.neck, self.head = nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 5)
        generator = torch.Generator().manual_seed(3)
        for weights in self.parameters():
            nn.init.normal_(weights, generator=generator)
        self.optimizer = torch.optim.SGD(self.parameters(), 0.01, momentum=0.9)

    def learn(self, recipe, steps):
        told = []
        for step in steps:
            generator = torch.Generator().manual_seed(step % 4)
            images = torch.randn(8, 6, generator=generator)
            labels = labels_of(IDENTITIES, indices=range(8 * (step % 4), 8 * (step % 4) + 8))
            embedding = self.trunk(images)
            neck = self.neck(embedding)
            output = ReIDOutput(embedding, neck, self.head(neck))
            total, values = recipe(output, labels, epoch=step // 4)
            total.backward()
            self.optimizer.step()
            self.optimizer.zero_grad()
            recipe.after_step(ReIDOutput(*(x.detach() for x in output[:3])), labels)
            told.append([total.item(), *(value.item() for value in values.values())])
        return told


def test_a_training_resumed_from_its_state_goes_on_bit_for_bit():
    specs = {**ALL, "triplet": {"start": 2}, "dual_cluster_contrast": {"start": 1}}
    through = Tiny()
    recipe = Recipe(specs, (4,), classes=5, images=24)
    begun = through.learn(recipe, range(7))
    file = io.BytesIO()
    whole = {"network": through, "optimizer": through.optimizer, "recipe": recipe}
    torch.save({name: part.state_dict() for name, part in whole.items()}, file)
    wanted = through.learn(recipe, range(7, 14))
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    resumed, other = Tiny(), Recipe(specs, (4,), classes=5, images=24)
    resumed.load_state_dict(saved["network"])
    resumed.optimizer.load_state_dict(saved["optimizer"])
    other.load_state_dict(saved["recipe"])
    assert resumed.learn(other, range(7, 14)) == wanted
    for here, there in zip(other.state_dict().values(), recipe.state_dict().values(), strict=True):
        assert torch.equal(here, there)
    assert begun != wanted


def test_the_state_of_other_losses_is_refused():
    with pytest.raises(RuntimeError, match="centre"):
        recipe_of({"triplet": {}}).load_state_dict(recipe_of({"centre": {}}).state_dict())


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        ({}, "at least one loss"),
        ({"tripplet": {}}, "did you mean 'triplet'"),
        ({"triplet": {"margn": 0.3}}, "did you mean 'margin'"),
        ({"triplet": {"weight": -1}}, "weight must be"),
        ({"triplet": {"start": 1}, "centre": {"weight": 0}}, "no loss counts in epoch 0"),
    ],
)
def test_recipes_that_cannot_be_are_refused(specs, told):
    with pytest.raises(ConfigError, match=told):
        recipe_of(specs)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"embedding": torch.zeros(8, 3)}, "embedding must be"),
        ({"neck": torch.zeros(7, 4)}, "neck must be"),
        ({"logits": torch.zeros(8, 6)}, "logits must be"),
    ],
)
def test_outputs_that_do_not_fit_are_refused(change, told):
    with pytest.raises(InputError, match=told):
        recipe_of({"cross_entropy": {}})(OUTPUT._replace(**change), LABELS, epoch=0)


@pytest.mark.parametrize("part", ["indices", "others", "shares"])
def test_labels_that_do_not_fit_are_refused(part):
    with pytest.raises(InputError, match=f"{part} must be"):
        recipe_of({"cross_entropy": {}})(OUTPUT, LABELS._replace(**{part: torch.zeros(3)}), epoch=0)


def test_another_number_of_branches_is_refused():
    with pytest.raises(InputError, match="1 branches, the network gave 2"):
        recipe_of({"cross_entropy": {}})(branched(), LABELS, epoch=0)


@pytest.mark.parametrize("shape", [(10, 5), (9, 4)])
def test_features_that_do_not_fit_are_refused(shape):
    with pytest.raises(InputError, match="features must be"):
        recipe_of({"cluster_contrast": {}}).initialise(torch.zeros(shape), torch.zeros(10), epoch=0)
