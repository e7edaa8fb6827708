"""Each attention against its formula written out pixel by pixel."""

import pytest
import torch
from torch.nn import functional

from rtreid_ros.reid.models.blocks.attention import (
    CoordinateAttention,
    MultiScaleAttention,
    NonLocal,
    SqueezeExcitation,
    TripletAttention,
)

BATCH, CHANNELS, HEIGHT, WIDTH = 2, 64, 5, 3


@pytest.fixture
def x():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(BATCH, CHANNELS, HEIGHT, WIDTH, generator=generator, dtype=torch.float64)


def ready(module):
    """In evaluation mode, every parameter and statistic at a value of its own."""
    generator = torch.Generator().manual_seed(1)
    module = module.double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.4, generator=generator)
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(std=0.4, generator=generator)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2, generator=generator)
    return module


def dense(layer, values):
    """A pointwise convolution of one vector."""
    y = layer.weight[:, :, 0, 0] @ values
    return y if layer.bias is None else y + layer.bias


def batch_norm(norm, values):
    return (values - norm.running_mean) / (norm.running_var + 1e-5).sqrt() * norm.weight + norm.bias


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def over_stages(make):
    return sum(2 * count(make(channels)) for channels in (64, 128, 256, 512))


def test_parameters_over_the_eight_blocks_of_a_resnet18():
    assert over_stages(SqueezeExcitation) == 88_064
    assert over_stages(CoordinateAttention) == 261_600
    assert over_stages(MultiScaleAttention) == 7_040
    assert over_stages(lambda _: TripletAttention()) == 2_400


def test_squeeze_excitation_weights_channels_by_their_means(x):
    module = ready(SqueezeExcitation(CHANNELS))
    y = module(x)
    for image in range(BATCH):
        means = torch.stack([x[image, channel].mean() for channel in range(CHANNELS)])
        weights = dense(module.expand, dense(module.reduce, means).clamp(min=0)).sigmoid()
        torch.testing.assert_close(y[image], x[image] * weights[:, None, None])


@pytest.mark.parametrize(("channels", "hidden"), [(16, 8), (64, 8), (128, 8), (256, 16), (512, 32)])
def test_squeeze_excitation_is_a_sixteenth_wide_but_at_least_eight(channels, hidden):
    assert SqueezeExcitation(channels).reduce.out_channels == hidden


def test_coordinate_attention_weights_rows_and_columns(x):
    module = ready(CoordinateAttention(CHANNELS))
    y = module(x)
    for image in range(BATCH):
        for row in range(HEIGHT):
            hidden = functional.silu(batch_norm(module.norm, dense(module.reduce, x[image, :, row].mean(1))))
            of_row = dense(module.rows, hidden).sigmoid()
            for column in range(WIDTH):
                mean = x[image, :, :, column].mean(1)
                hidden = functional.silu(batch_norm(module.norm, dense(module.reduce, mean)))
                of_column = dense(module.columns, hidden).sigmoid()
                expected = x[image, :, row, column] * of_row * of_column
                torch.testing.assert_close(y[image, :, row, column], expected)


@pytest.mark.parametrize("deviation", [False, True])
def test_triplet_attention_averages_three_rotated_gates(x, deviation):
    module = ready(TripletAttention(deviation=deviation))
    rotations = (((0, 1, 2, 3), (0, 1, 2, 3)), ((0, 2, 1, 3), (0, 2, 1, 3)), ((0, 3, 1, 2), (0, 2, 3, 1)))
    expected = torch.zeros_like(x)
    for gate, (there, back) in zip(module.gates, rotations, strict=True):
        rotated = x.permute(there)
        first = rotated.std(1, correction=1) if deviation else rotated.max(1).values
        weights = functional.conv2d(torch.stack((first, rotated.mean(1)), 1), gate[0].weight, padding=3)
        expected += (rotated * batch_norm(gate[1], weights).sigmoid()).permute(back) / 3
    torch.testing.assert_close(module(x), expected)


def test_multi_scale_attention_lets_two_branches_judge_each_other(x):
    module = ready(MultiScaleAttention(CHANNELS))
    assert module.width == 2
    y = module(x)
    for image in range(BATCH):
        for group in range(32):
            part = x[image, 2 * group : 2 * group + 2]
            by_row = torch.stack([dense(module.pointwise, part[:, row].mean(1)) for row in range(HEIGHT)], 1)
            by_column = torch.stack(
                [dense(module.pointwise, part[:, :, column].mean(1)) for column in range(WIDTH)], 1
            )
            gated = part * by_row.sigmoid()[:, :, None] * by_column.sigmoid()[:, None, :]
            first = torch.stack(
                [
                    (item - item.mean()) / (item.var(correction=0) + 1e-5).sqrt() * weight + bias
                    for item, weight, bias in zip(gated, module.norm.weight, module.norm.bias, strict=True)
                ]
            )
            second = functional.conv2d(part[None], module.local.weight, module.local.bias, padding=1)[0]
            of_first, of_second = (branch.mean((1, 2)).softmax(0) for branch in (first, second))
            weights = sum(of_first[c] * second[c] + of_second[c] * first[c] for c in range(2)).sigmoid()
            torch.testing.assert_close(y[image, 2 * group : 2 * group + 2], part * weights)


@pytest.mark.parametrize(("channels", "width"), [(64, 2), (512, 16), (24, 2), (8, 2), (136, 8)])
def test_multi_scale_attention_keeps_two_channels_in_a_group(channels, width):
    assert MultiScaleAttention(channels).width == width
    assert MultiScaleAttention(channels)(torch.zeros(1, channels, 4, 4)).shape == (1, channels, 4, 4)


def test_non_local_takes_from_all_pixels_by_their_dot_products(x):
    module = ready(NonLocal(CHANNELS))
    assert module.theta.out_channels == CHANNELS // 2
    y = module(x)
    pixels = [(row, column) for row in range(HEIGHT) for column in range(WIDTH)]
    for image in range(BATCH):
        for row, column in pixels:
            theta = dense(module.theta, x[image, :, row, column])
            taken = sum(
                torch.dot(theta, dense(module.phi, x[image, :, r, c])) * dense(module.g, x[image, :, r, c])
                for r, c in pixels
            ) / len(pixels)
            expected = x[image, :, row, column] + batch_norm(module.output[1], dense(module.output[0], taken))
            torch.testing.assert_close(y[image, :, row, column], expected)


def test_non_local_starts_as_identity(x):
    assert torch.equal(NonLocal(CHANNELS).double().train()(x), x)
