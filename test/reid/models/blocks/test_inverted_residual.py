import pytest
import torch

from rtreid_ros.reid.models.blocks.inverted_residual import (
    BottleneckSpec,
    ConvReLU6,
    InvertedResidual,
    UniversalInvertedBottleneck,
)


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_an_activation_of_v2_ends_at_six():
    layer = ConvReLU6(3, 4, 1).eval()
    y = layer(100 * noise(1, 3, 8, 8))
    assert y.min() == 0
    assert y.max() == 6


@pytest.mark.parametrize(("outside", "stride", "added"), [(8, 1, True), (16, 1, False), (8, 2, False)])
@torch.no_grad()
def test_the_input_is_added_where_it_fits(outside, stride, added):
    x = noise(2, 8, 6, 6)
    v2 = InvertedResidual(8, outside, 3, stride).eval()
    v4 = UniversalInvertedBottleneck(8, BottleneckSpec(3, 5, 24, outside, stride)).eval()
    for block, branch in ((v2, v2.conv3), (v4, v4.pw_proj)):
        seen = []
        branch.register_forward_hook(lambda _module, _inputs, output, seen=seen: seen.append(output))
        y = block(x)
        torch.testing.assert_close(y, x + seen[0] if added else seen[0])
        assert y.shape == (2, outside, 6 // stride, 6 // stride)


@pytest.mark.parametrize(
    ("first", "middle", "stride", "strides"), [(3, 0, 2, (2, None)), (3, 3, 2, (1, 2)), (0, 5, 2, (None, 2))]
)
def test_the_later_depthwise_convolution_takes_the_stride(first, middle, stride, strides):
    block = UniversalInvertedBottleneck(8, BottleneckSpec(first, middle, 24, 16, stride))
    found = tuple(layer and layer.conv.stride[0] for layer in (block.dw_start, block.dw_mid))
    assert found == strides
    assert block(noise(1, 8, 8, 8)).shape == (1, 16, 4, 4)
