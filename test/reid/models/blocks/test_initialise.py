import math

import pytest
import torch
from torch import nn

from rtreid_ros.reid.models.blocks.initialise import initialise_convolutions


def test_convolutions_start_by_hes_rule_over_what_leaves_them_and_other_layers_stay():
    model = nn.Sequential(nn.Conv2d(4, 256, 3), nn.Conv2d(256, 64, 1, bias=False), nn.Linear(8, 8))
    linear = model[2].weight.clone()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        initialise_convolutions(model)
    assert model[0].weight.std().item() == pytest.approx(math.sqrt(2 / (256 * 9)), rel=0.05)
    assert model[1].weight.std().item() == pytest.approx(math.sqrt(2 / 64), rel=0.05)
    assert not model[0].bias.any()
    assert torch.equal(model[2].weight, linear)
