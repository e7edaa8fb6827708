import pytest
import torch

from rtreid_ros.reid.models.blocks.collaborative_attention import AxisGate, CollaborativeAttention


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


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
