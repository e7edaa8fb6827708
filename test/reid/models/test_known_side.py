"""Networks that take every picture to be of one camera."""

import dataclasses

import pytest
import torch
from support.reid_export import checkpoint_of, unsettle
from support.reid_models import people, small_model

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.models.known_side import fix_side, known_sides
from rtreid_ros.reid.sides import Sides

SIDES = Sides("camera", ((0, 0), (3, 0), (4, 0)), "street")


@pytest.mark.parametrize("name", ["resnet18", "resnet3d_10", "swin_tiny", "vit_tiny", "temporal"])
@torch.no_grad()
def test_a_network_of_one_camera_gives_what_it_gives_when_told_that_camera(name):
    torch.manual_seed(0)
    images, _ = people(name, 2, 2, torch.Generator().manual_seed(0))
    model = unsettle(small_model(name, 2, cameras=4)).eval()
    expected = model(images, torch.full((len(images),), 2))
    plain, other = model(images), model(images, torch.full((len(images),), 1))
    fix_side(model, 2)
    torch.testing.assert_close(model(images), expected)
    torch.testing.assert_close(model(images, torch.full((len(images),), 1)), expected)
    for different in (plain, other):
        assert not torch.allclose(expected, different, atol=1e-3)


def refusal(checkpoint):
    with pytest.raises(ConfigError) as caught:
        known_sides(checkpoint.create_model(), checkpoint.sides, "best.pt")
    return str(caught.value)


def test_what_is_known_comes_from_the_checkpoint():
    checkpoint = checkpoint_of(sides=SIDES)
    assert known_sides(checkpoint.create_model(), checkpoint.sides, "best.pt") == SIDES


def test_why_nothing_is_known_is_said():
    assert "best.pt has no side information: it was trained with data.side=none" in refusal(checkpoint_of())
    without = checkpoint_of("osnet_x0_25", sides=SIDES, width=0.0625)
    assert "its network takes none" in refusal(without)
    older = dataclasses.replace(checkpoint_of(sides=SIDES), sides=Sides())
    assert "best.pt does not say which cameras its side information is of" in refusal(older)
