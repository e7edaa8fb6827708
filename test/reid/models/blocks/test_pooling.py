import math

import pytest
import torch

from rtreid_ros.reid.models.blocks.pooling import AttentionPooling, AveragePooling, GeM, MaxPooling


@pytest.fixture
def x():
    return torch.randn(2, 8, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_average_and_maximum(x):
    expected = [[channel.flatten().tolist() for channel in image] for image in x]
    mean = [[sum(values) / 15 for values in image] for image in expected]
    most = [[max(values) for values in image] for image in expected]
    torch.testing.assert_close(AveragePooling()(x), torch.tensor(mean, dtype=torch.float64))
    torch.testing.assert_close(MaxPooling()(x), torch.tensor(most, dtype=torch.float64))


@pytest.mark.parametrize("p", [1.0, 3.0, 6.5])
def test_gem_is_the_generalised_mean_of_what_is_positive(x, p):
    pool = GeM(p).double()
    expected = [
        [
            (sum(max(value, 1e-6) ** p for value in channel.flatten().tolist()) / 15) ** (1 / p)
            for channel in image
        ]
        for image in x
    ]
    torch.testing.assert_close(pool(x), torch.tensor(expected, dtype=torch.float64))


def test_gems_exponent_is_one_number_that_starts_at_three_and_is_learned(x):
    pool = GeM().double()
    assert pool.p.tolist() == [3]

    def pooled(p, x):
        return torch.func.functional_call(pool, {"p": p}, x)

    assert torch.autograd.gradcheck(pooled, (pool.p, x.abs().requires_grad_()))


def test_gem_of_a_large_map_in_half_precision_does_not_overflow():
    x = torch.full((1, 2, 4, 4), 60.0, dtype=torch.float16)  # 60^3 is beyond half precision
    torch.testing.assert_close(GeM()(x), torch.full((1, 2), 60.0))


def test_attention_pooling_asks_with_the_mean(x):
    pool = AttentionPooling(8, (5, 3), heads=2).double()
    with torch.no_grad():
        for layer in (pool.query, pool.key, pool.value, pool.output):
            layer.bias.normal_(generator=torch.Generator().manual_seed(1))
    result = pool(x)
    for image in range(2):
        pixels = [x[image, :, row, column] for row in range(5) for column in range(3)]
        places = [pool.positions[0, :, row, column] for row in range(5) for column in range(3)]
        mean = torch.stack(pixels).mean(0) + pool.position[0, 0]
        tokens = [mean] + [pixel + place for pixel, place in zip(pixels, places, strict=True)]
        query = pool.query(mean)
        heads = []
        for part in (slice(0, 4), slice(4, 8)):
            scores = [torch.dot(query[part], pool.key(token)[part]) / math.sqrt(4) for token in tokens]
            weights = torch.stack(scores).softmax(0)
            heads.append(
                sum(weight * pool.value(token)[part] for weight, token in zip(weights, tokens, strict=True))
            )
        torch.testing.assert_close(result[image], pool.output(torch.cat(heads)))


def test_attention_pooling_stretches_its_positions_over_other_maps():
    pool = AttentionPooling(8, (2, 2), heads=2)
    with torch.no_grad():
        pool.positions.copy_(torch.tensor([[0.0, 1.0], [2.0, 3.0]]).expand(1, 8, 2, 2))
    x = torch.zeros(1, 8, 4, 4)
    wide = AttentionPooling(8, (4, 4), heads=2)
    wide.load_state_dict(
        {
            **pool.state_dict(),
            "positions": torch.nn.functional.interpolate(pool.positions, (4, 4), mode="bilinear"),
        }
    )
    torch.testing.assert_close(pool(x), wide(x))
