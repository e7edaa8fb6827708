import pytest
import torch
from torch import nn

from rtreid_ros.reid.models.blocks.omni_scale import ChannelGate, OSBlock


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("instance", ["", "after", "inside"])
@pytest.mark.parametrize("listed", [False, True])
@torch.no_grad()
def test_a_block_sums_its_gated_streams_and_normalises_where_it_should(instance, listed):
    torch.manual_seed(0)
    block = OSBlock(8, 16, instance, listed=listed).eval()
    x = noise(2, 8, 6, 4)
    reduced = block.conv1(x)
    streams = block.conv2 if listed else (block.conv2a, block.conv2b, block.conv2c, block.conv2d)
    assert [sum(isinstance(layer, nn.BatchNorm2d) for layer in stream.modules()) for stream in streams] == [
        1, 2, 3, 4,
    ]  # fmt: skip
    summed = sum(block.gate(stream(reduced)) for stream in streams)
    residual = nn.functional.conv2d(summed, block.conv3.conv.weight)
    if instance != "inside":
        residual = residual / (1 + block.conv3.bn.eps) ** 0.5
    shortcut = block.downsample(x)
    expected = {
        "": residual + shortcut,
        "after": nn.functional.instance_norm(residual + shortcut),
        "inside": nn.functional.instance_norm(residual) + shortcut,
    }[instance]
    torch.testing.assert_close(block(x), torch.relu(expected))


def test_a_gate_weights_channels_by_their_means():
    gate = ChannelGate(32)
    x = noise(2, 32, 3, 5)
    hidden = torch.relu(x.mean((2, 3)) @ gate.fc1.weight[..., 0, 0].T + gate.fc1.bias)
    weights = torch.sigmoid(hidden @ gate.fc2.weight[..., 0, 0].T + gate.fc2.bias)
    torch.testing.assert_close(gate(x), x * weights[..., None, None])
    assert gate.fc1.out_channels == 2
    assert ChannelGate(8).fc1.out_channels == 1
