"""Shapes, sizes and layers of generators, discriminators and encoders."""

import pytest
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.gan.networks import (
    DISCRIMINATORS,
    GENERATORS,
    Code,
    Encoder,
    EncoderOptions,
    create_discriminator,
    create_generator,
)
from rtreid_ros.gan.networks.base import Pyramid
from rtreid_ros.gan.networks.layers import BatchNorm, Score, SelfAttention, spectral

SIZES = [(128, 64), (64, 32), (16, 8), (48, 24)]


def parameters(network):
    return sum(item.numel() for item in network.parameters())


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", list(GENERATORS))
def test_generators_make_pictures_of_the_size_asked_for(name, size):
    network = create_generator(name, size, channels=2, latent=5)
    images = network(torch.randn(3, 5))
    assert images.shape == (3, 3, *size)
    assert images.min() >= -1
    assert images.max() <= 1
    assert images.std() > 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", list(DISCRIMINATORS))
def test_discriminators_score_every_picture(name, size):
    network = create_discriminator(name, size, channels=2)
    opinion = network(torch.rand(3, 3, *size))
    assert opinion.scores.shape == (3,)
    assert opinion.features.shape[2:] == tuple(2 * side for side in Pyramid.of(size).start)
    assert len(set(opinion.scores.tolist())) == 3


@pytest.mark.parametrize("kind", [GENERATORS, DISCRIMINATORS], ids=["generator", "discriminator"])
def test_twice_the_channels_are_about_four_times_the_parameters(kind):
    create = create_generator if kind is GENERATORS else create_discriminator
    for name in kind:
        few, many = (parameters(create(name, (64, 32), channels=channels)) for channels in (32, 64))
        assert 2 < many / few < 4.1, name


def test_the_residual_generator_has_the_parameters_its_layers_add_up_to():
    # two doublings from 4x2, with 8 and 4 channels
    network = create_generator("residual", (16, 8), channels=4, latent=8)
    start = (8 * 8 * 4 * 2) + 8 * 4 * 2
    first = 2 * 8 + 2 * 4 + (9 * 8 * 4 + 4) + (9 * 4 * 4 + 4) + (8 * 4 + 4)
    second = 2 * 4 + 2 * 4 + 2 * (9 * 4 * 4 + 4) + (4 * 4 + 4)
    assert parameters(network) == start + first + second + 2 * 4 + (9 * 4 * 3 + 3)


def test_norms_have_the_usual_epsilon_and_momentum():
    for name in GENERATORS:
        norms = [
            layer
            for layer in create_generator(name, (16, 8)).modules()
            if type(layer).__name__ == "BatchNorm2d"
        ]
        assert norms
        assert {(layer.eps, layer.momentum) for layer in norms} == {(1e-5, 0.1)}


@pytest.mark.parametrize("name", list(GENERATORS))
def test_every_parameter_of_a_conditional_generator_learns(name):
    network = create_generator(name, (32, 16), groups=3, channels=4, latent=5, attention=8)
    network.attention.gain.data.fill_(0.5)
    images = network(torch.randn(6, 5), torch.tensor([0, 1, 2, 0, 1, 2]))
    (images * torch.randn(images.shape)).sum().backward()
    assert not [key for key, item in network.named_parameters() if item.grad is None or not item.grad.any()]


@pytest.mark.parametrize("name", list(GENERATORS))
def test_the_group_weighs_as_much_as_the_noise_from_the_beginning(name):
    network = create_generator(name, (32, 16), groups=3, channels=4, latent=50)
    told = network.told(torch.ones(2, 50), torch.tensor([2, 0]))
    assert torch.equal(told[:, :50], torch.ones(2, 50))
    torch.testing.assert_close(told[:, 50:].square().sum(1), torch.full((2,), 50.0))
    assert told[:, 50:].argmax(1).tolist() == [2, 0]
    noise = torch.randn(64, 50)
    with torch.no_grad():
        one, other = (network(noise, torch.full((64,), group)) for group in (0, 1))
        unlike = network(torch.randn(64, 50), torch.zeros(64, dtype=torch.int64))
    assert (one - other).abs().mean() > 0.3 * (one - unlike).abs().mean()


@pytest.mark.parametrize("name", list(DISCRIMINATORS))
def test_every_parameter_of_a_conditional_discriminator_learns(name):
    network = create_discriminator(name, (32, 16), groups=3, channels=8, attention=8)
    for layer in network.modules():
        if isinstance(layer, SelfAttention):
            layer.gain.data.fill_(0.5)
    scores = network(torch.randn(6, 3, 32, 16), torch.tensor([0, 1, 2, 0, 1, 2])).scores
    (scores * torch.randn(6)).sum().backward()
    without = [key for key, item in network.named_parameters() if item.grad is None or not item.grad.any()]
    # the same key bias for all places shifts all weights alike, which softmax does not see
    assert [key for key in without if not key.endswith("key.bias")] == []


@pytest.mark.parametrize("create", [create_generator, create_discriminator])
def test_attention_stands_only_where_there_are_maps(create):
    assert "attention" not in " ".join(dict(create("dcgan", (64, 32)).named_modules()))
    for height in (8, 16, 32):
        found = [
            layer
            for layer in create("residual", (64, 32), channels=8, attention=height).modules()
            if isinstance(layer, SelfAttention)
        ]
        assert len(found) == 1
    with pytest.raises(ConfigError, match=r"attention=12: maps have the heights 8, 16, 32; 0 is none"):
        create("residual", (64, 32), attention=12)


def test_attention_is_that_of_the_paper_and_begins_as_the_identity():
    layer = SelfAttention(16)
    maps = torch.randn(2, 16, 3, 2)
    assert torch.equal(layer(maps), maps)
    layer.gain.data.fill_(0.7)
    query, key, value = (part(maps).flatten(2) for part in (layer.query, layer.key, layer.value))
    shares = torch.softmax(torch.einsum("bci,bcj->bij", query, key), 2)
    seen = torch.einsum("bij,bcj->bci", shares, value).reshape(2, 2, 3, 2)
    torch.testing.assert_close(layer(maps), maps + 0.7 * layer.out(seen))


def test_conditional_norm_scales_and_shifts_by_group():
    layer = BatchNorm(2, groups=2)
    layer.scale.weight.data = torch.tensor([[1.0, 1.0], [3.0, 1.0]])
    layer.shift.weight.data = torch.tensor([[0.0, 0.0], [0.0, 5.0]])
    maps = torch.randn(64, 2, 4, 4)
    plain = torch.nn.functional.batch_norm(maps, None, None, training=True)
    groups = torch.arange(64) % 2
    found = layer(maps, groups)
    torch.testing.assert_close(found[::2], plain[::2])
    torch.testing.assert_close(found[1::2, 0], 3 * plain[1::2, 0])
    torch.testing.assert_close(found[1::2, 1], plain[1::2, 1] + 5)


def test_conditional_norm_begins_as_a_plain_one():
    maps, groups = torch.randn(8, 3, 2, 2), torch.arange(8) % 4
    torch.testing.assert_close(BatchNorm(3, 4)(maps, groups), BatchNorm(3, 0)(maps, None))


def test_the_score_projects_features_onto_the_group():
    layer = Score(3, groups=2)
    features, groups = torch.randn(4, 3), torch.tensor([0, 1, 1, 0])
    expected = layer.linear(features)[:, 0] + (layer.groups.weight[groups] * features).sum(1)
    torch.testing.assert_close(layer(features, groups), expected)


@pytest.mark.parametrize("name", list(DISCRIMINATORS))
def test_groups_hardly_count_at_the_beginning(name):
    network = create_discriminator(name, (64, 32), groups=4)
    scores = network(torch.rand(16, 3, 64, 32) * 2 - 1, torch.arange(16) % 4).scores
    assert scores.abs().max() < 4


def test_spectral_norm_makes_the_largest_singular_value_one():
    layer = spectral(torch.nn.Conv2d(4, 6, 3))
    raw = layer.parametrizations.weight.original
    largest = torch.linalg.svdvals(raw.detach().flatten(1))[0]
    for _ in range(50):
        layer(torch.randn(1, 4, 5, 5))
    layer.eval()
    torch.testing.assert_close(torch.linalg.svdvals(layer.weight.detach().flatten(1))[0], torch.tensor(1.0))
    torch.testing.assert_close(layer.weight * largest, raw, rtol=1e-4, atol=1e-5)


def test_all_weights_of_the_spectral_discriminator_are_normalised_and_none_without():
    network = create_discriminator("residual", (16, 8), groups=2, channels=4, attention=8)
    for _ in range(100):
        network(torch.randn(2, 3, 16, 8), torch.tensor([0, 1]))
    network.eval()
    layers = [item for item in network.modules() if isinstance(getattr(item, "weight", None), torch.Tensor)]
    assert len(layers) > 6
    for layer in layers:
        assert torch.linalg.svdvals(layer.weight.detach().flatten(1))[0] == pytest.approx(1, abs=2e-3)
    plain = create_discriminator("residual", (16, 8), channels=4, spectral=False)
    assert not any("parametrizations" in key for key in plain.state_dict())


def test_groups_change_pictures_and_scores():
    generator = create_generator("residual", (16, 8), groups=2, channels=4, latent=5).eval()
    discriminator = create_discriminator("residual", (16, 8), groups=2, channels=4).eval()
    for layer in generator.modules():
        if isinstance(layer, BatchNorm):
            torch.nn.init.normal_(layer.shift.weight)
    noise = torch.randn(1, 5)
    one, other = (generator(noise, torch.tensor([group])) for group in (0, 1))
    assert not torch.allclose(one, other)
    scores = [discriminator(one, torch.tensor([group])).scores.item() for group in (0, 1)]
    assert scores[0] != scores[1]


def test_a_critic_judges_each_picture_for_itself():
    images = torch.randn(4, 3, 16, 8)
    critic, usual = (create_discriminator(name, (16, 8), channels=4).train() for name in ("critic", "dcgan"))
    torch.testing.assert_close(critic(images).scores[:2], critic(images[:2]).scores)
    assert not torch.allclose(usual(images).scores[:2], usual(images[:2]).scores)
    assert (critic.batch_norm, usual.batch_norm) == (False, True)


def test_an_encoder_gives_distributions():
    encoder = Encoder((32, 16), 7, EncoderOptions(channels=4, hidden=8))
    code = encoder(torch.randn(5, 3, 32, 16))
    assert code.mean.shape == code.log_variance.shape == (5, 7)


def test_codes_are_drawn_by_their_deviation_and_diverge_as_by_the_closed_form():
    code = Code(torch.tensor([[1.0, -2.0]]), torch.tensor([[1.0, 4.0]]).log())
    drawn = code.draw(torch.tensor([[1.0, 1.0]]))
    torch.testing.assert_close(drawn, torch.tensor([[2.0, 0.0]]))  # mean + deviation, not variance
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(code.mean, (0.5 * code.log_variance).exp()), normal(0.0, 1.0)
    ).sum(1)
    torch.testing.assert_close(code.divergence(), expected)


@pytest.mark.parametrize("size", [(3, 3), (50, 31), (64, 33)])
def test_a_size_that_doubling_cannot_reach_is_refused(size):
    with pytest.raises(ConfigError, match=rf"pictures of {size[0]}x{size[1]} cannot be made by doubling"):
        create_generator("dcgan", size)
