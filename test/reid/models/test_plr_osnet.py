import pytest
import torch
from torch.nn import functional

from rtreid_ros.reid.models import create_model

TINY = {"width": 0.125, "dim": 24}


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_parameters_are_those_of_the_authors_network_but_for_the_biases_of_the_classifiers():
    with torch.device("meta"):
        model = create_model("plr_osnet", 751)
    assert sum(parameter.numel() for parameter in model.parameters()) == 5_248_988 - 2 * 751
    assert model.branches == (2048, 512)
    assert model.dim == 2560
    assert model.imagenet.endswith("/osnet_x1_0_imagenet.pth")  # of the trunk


def test_each_branch_has_its_own_embedding_neck_and_classifier():
    model = create_model("plr_osnet", 5, **TINY)
    images = noise(4, 3, 64, 32)
    maps = model.train().features(images)
    output = model(images)
    parts, whole = output.branches

    # map rows 0 to 3 are the four stripes
    by_hand = torch.cat([maps[0][:, :, row].mean(2) for row in range(4)], 1)
    torch.testing.assert_close(parts.embedding, by_hand)
    torch.testing.assert_close(whole.embedding, model.fc(maps[1].flatten(2).max(2).values))
    for branch, dim in ((parts, model.branches[0]), (whole, model.branches[1])):
        assert branch.embedding.shape == branch.neck.shape == (4, dim)
        torch.testing.assert_close(branch.neck.mean(0), torch.zeros(dim), atol=1e-5, rtol=0)
    torch.testing.assert_close(output.logits, (parts.logits + whole.logits) / 2)
    torch.testing.assert_close(output.embedding, torch.cat((parts.embedding, whole.embedding), 1))


def test_retrieval_compares_both_branches_alike():
    model = create_model("plr_osnet", 0, **TINY).eval()
    vectors = model(noise(2, 3, 64, 32))
    assert vectors.shape == (2, model.dim)
    for half in vectors.split(model.branches, 1):
        torch.testing.assert_close(half.norm(dim=1), torch.ones(2))


def test_more_stripes_make_a_longer_embedding():
    assert create_model("plr_osnet", 0, stripes=2, **TINY).branches == (2 * 64, 24)


@pytest.mark.parametrize(
    ("attention", "kind"),
    [("position", "PositionAttention"), ("mca", "CollaborativeAttention"), ("none", "")],
)
def test_attention_is_as_chosen(attention, kind):
    model = create_model("plr_osnet", 3, attention=attention, **TINY)
    names = {type(module).__name__ for module in model.modules()}
    assert {"PositionAttention", "CollaborativeAttention"} & names == ({kind} if kind else set())
    output = model.train()(noise(2, 3, 64, 32))
    assert torch.isfinite(output.neck).all()


def test_weights_of_osnet_fit_the_trunk():
    model, osnet = create_model("plr_osnet", 0, **TINY), create_model("osnet_x0_25", 0, width=0.125)
    left = model.load_state_dict(
        {name: value for name, value in osnet.state_dict().items() if name.startswith("conv")}, strict=False
    )
    assert left.unexpected_keys == []
    assert functional.mse_loss(model.conv4[0].conv1.conv.weight, osnet.conv4[0].conv1.conv.weight) == 0
