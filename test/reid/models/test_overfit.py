"""Every network learns: all its parameters have gradients, and eight identities are soon told apart."""

import math

import pytest
import torch
from support.reid_models import distinct_models, people, small_model
from torch import nn
from torch.nn import functional

IDENTITIES = 8
STEPS = 40


@pytest.fixture(autouse=True)
def _same_start():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def heads(output):
    return output.branches or (output,)


def track_statistics_fast(model):
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 0.5


@pytest.mark.parametrize("name", distinct_models())
def test_overfits_eight_identities(name):
    images, classes = people(name, IDENTITIES, 2, torch.Generator().manual_seed(1))
    model = small_model(name, IDENTITIES).train()
    track_statistics_fast(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    worst = math.log(IDENTITIES)
    for _ in range(STEPS):
        optimizer.zero_grad()
        losses = torch.stack(
            [functional.cross_entropy(head.logits, classes) for head in heads(model(images))]
        )
        worst = losses.max().item()
        if worst < 0.1:
            break
        losses.sum().backward()
        optimizer.step()
    assert worst < 0.1

    with torch.no_grad():
        for _ in range(5):
            model(images)
        rows = functional.normalize(model.eval()(images))
    similarity = (rows @ rows.T).fill_diagonal_(-2)
    assert torch.equal(classes[similarity.argmax(1)], classes)


def without_gradient(model, images, classes):
    for parameter in model.parameters():
        if not parameter.any():  # a weight that starts at zero keeps gradients from what is before it
            nn.init.uniform_(parameter, 0.5, 1.5)
    cameras = torch.tensor([0, 1, 0, 1, -1, 0])
    loss = sum(
        functional.cross_entropy(head.logits, classes)
        + (head.embedding * torch.randn_like(head.embedding)).sum()
        for head in heads(model(images, cameras))
    )
    loss.backward()
    return {
        name
        for name, parameter in model.named_parameters()
        if parameter.requires_grad
        and parameter.numel()
        and (parameter.grad is None or not parameter.grad.any())
    }


@pytest.mark.parametrize("name", distinct_models())
def test_gradients_reach_every_parameter(name):
    images, classes = people(name, 3, 2, torch.Generator().manual_seed(1))
    dead = without_gradient(small_model(name, 3, cameras=2).train(), images, classes)
    for _ in range(8):  # a narrow gate's only ReLU can be off for every image: chance, not structure
        if dead:
            dead &= without_gradient(small_model(name, 3, cameras=2).train(), images, classes)
    assert not dead
