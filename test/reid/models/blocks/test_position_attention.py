import torch

from rtreid_ros.reid.models.blocks.position_attention import PixelGate, PositionAttention


def noise(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


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
