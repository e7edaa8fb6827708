import pytest
import torch
from torch.nn import functional

from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.blocks.collaborative_attention import AxisGate, CollaborativeAttention
from rtreid_ros.reid.models.blocks.position_attention import PixelGate, PositionAttention

TINY = {"width": 0.125, "dim": 24}


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_parameters_are_those_of_the_authors_network_but_for_the_biases_of_the_classifiers():
    with torch.device("meta"):
        model = create_model("plr_osnet", 751)
    assert sum(parameter.numel() for parameter in model.parameters()) == 5_248_988 - 2 * 751
    assert model.branches == (2048, 512)
    assert model.dim == 2560


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


def test_position_attention_equals_the_formula_and_starts_as_identity():
    x = noise(2, 16, 4, 3)
    layer = PositionAttention(16).eval()
    torch.testing.assert_close(layer(x), x)

    layer.factor.data.fill_(0.5)
    layer.norm.weight.data.fill_(2.0)
    with torch.no_grad():
        query, key = (conv(x).flatten(2) for conv in (layer.query, layer.key))
        expected = x.clone().flatten(2)
        for image in range(2):
            for pixel in range(12):
                weights = torch.stack(
                    [(query[image, :, pixel] * key[image, :, other]).sum() for other in range(12)]
                )
                mixed = sum(
                    weight * x[image].flatten(1)[:, other] for other, weight in enumerate(weights.softmax(0))
                )
                expected[image, :, pixel] += 2 * 0.5 * mixed / (1 + layer.norm.eps) ** 0.5
        torch.testing.assert_close(layer(x).flatten(2), expected)


def test_a_pixels_gate_sees_that_pixel_alone():
    gate = PixelGate(32)
    x = noise(1, 32, 3, 3)
    changed = x.clone()
    changed[..., 0, 0] += 1
    difference = (gate(changed) - gate(x)).abs().sum(1)[0]
    assert difference[0, 0] > 0
    assert difference.flatten()[1:].max() == 0


def test_an_axis_is_weighted_by_mean_and_deviation_over_the_others():
    gate = AxisGate(2, 3)
    gate.shares.data = torch.tensor([0.0, 50.0])  # shares 0.5 + 0.5 and 0.5 + 1
    gate.conv.weight.data = torch.tensor([[[0.0, 1.0, -2.0]]])
    x = noise(1, 4, 3, 5)
    rows = [x[0, :, row] for row in range(3)]
    pooled = torch.stack([row.mean() + 1.5 * row.std() for row in rows])
    expected = torch.sigmoid(torch.stack((pooled[0] - 2 * pooled[1], pooled[1] - 2 * pooled[2], pooled[2])))
    torch.testing.assert_close(gate(x), expected.view(1, 1, 3, 1))


@pytest.mark.parametrize(("channels", "kernel"), [(64, 3), (256, 5), (384, 5), (2, 1)])
def test_neighbours_on_the_channel_axis_grow_with_its_length(channels, kernel):
    gates = CollaborativeAttention(channels).gates
    assert [gate.conv.kernel_size[0] for gate in gates] == [kernel, 3, 3]


def test_collaborative_attention_is_the_mean_of_three_weighted_maps():
    layer = CollaborativeAttention(16)
    x = noise(2, 16, 4, 6)
    torch.testing.assert_close(layer(x), torch.stack([x * gate(x) for gate in layer.gates]).mean(0))


def test_weights_of_osnet_fit_the_trunk():
    model, osnet = create_model("plr_osnet", 0, **TINY), create_model("osnet_x0_25", 0, width=0.125)
    left = model.load_state_dict(
        {name: value for name, value in osnet.state_dict().items() if name.startswith("conv")}, strict=False
    )
    assert left.unexpected_keys == []
    assert functional.mse_loss(model.conv4[0].conv1.conv.weight, osnet.conv4[0].conv1.conv.weight) == 0
