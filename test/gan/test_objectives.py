"""What players lose, and that they learn from it."""

import math

import pytest
import torch
from torch import nn

from rtreid_ros.gan.augmentation import ViewOptions, Views
from rtreid_ros.gan.networks import Encoder, EncoderOptions, Opinion, create_discriminator, create_generator
from rtreid_ros.gan.networks.vae import Code
from rtreid_ros.gan.objectives import OBJECTIVES, Deal, Players, gradient_penalty
from rtreid_ros.options import build

SIZE = (16, 8)
COLOUR = torch.tensor([0.6, -0.4, 0.1])


@pytest.fixture(autouse=True)
def _seeded():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def make(name, **options):
    return OBJECTIVES[name](build(OBJECTIVES[name].Options, options))


def deal(real, groups=None, seed=0, views=None):
    generator = torch.Generator().manual_seed(seed)
    return Deal(real, groups, Views(views or ViewOptions(policy=()), generator, 0.0), generator)


class Linear(nn.Module):
    """A critic whose gradient is known everywhere."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, images, groups=None):
        return Opinion((images * self.weight).flatten(1).sum(1), images)


def test_the_gradient_penalty_of_a_linear_critic_is_that_of_its_weights():
    weight = torch.randn(3, 4, 2)
    critic = Linear(weight)
    real, fake = torch.randn(5, 3, 4, 2), torch.randn(5, 3, 4, 2)
    found = gradient_penalty(critic, real, fake, None, torch.Generator())
    assert found.item() == pytest.approx((weight.norm().item() - 1) ** 2, rel=1e-5)
    found.backward()
    expected = 2 * (weight.norm() - 1) * weight / weight.norm()
    torch.testing.assert_close(critic.weight.grad, expected)
    objective = make("wgan_gp", penalty=7.0)
    penalty = objective.penalty(critic, real, fake, deal(real))
    assert penalty.item() == pytest.approx(7 * found.item(), rel=1e-5)


def test_the_gradient_is_taken_between_real_and_generated():
    class Square(nn.Module):
        def forward(self, images, groups=None):
            self.seen = images.detach()
            return Opinion(images.square().flatten(1).sum(1) / 2, images)

    critic, real, fake = Square(), torch.ones(64, 3, 4, 2), -torch.ones(64, 3, 4, 2)
    found = gradient_penalty(critic, real, fake, None, torch.Generator().manual_seed(0))
    shares = critic.seen[:, 0, 0, 0]
    assert torch.equal(critic.seen, shares[:, None, None, None].expand_as(real))  # one share per picture
    assert -1 <= shares.min() < -0.8
    assert 0.8 < shares.max() <= 1
    expected = (critic.seen.flatten(1).norm(dim=1) - 1).square().mean()  # the gradient of x^2/2 is x
    torch.testing.assert_close(found, expected)


def test_as_many_labels_are_swapped_for_the_discriminator_as_asked_for():
    scores, generator = torch.full((20_000,), 0.7), torch.Generator().manual_seed(0)
    plain, swapped = (make("non_saturating", swapped=share) for share in (0.0, 0.2))
    real, fake = plain.real(scores).item(), plain.fake(scores).item()
    assert swapped.real(scores, generator).item() == pytest.approx(0.8 * real + 0.2 * fake, rel=0.01)
    assert swapped.fake(scores, generator).item() == pytest.approx(0.8 * fake + 0.2 * real, rel=0.01)
    assert swapped.deceit(scores).item() == plain.deceit(scores).item()


def test_cross_entropy_softens_the_labels_of_real_pictures_alone():
    objective, scores = make("non_saturating", soft_label=0.8), torch.tensor([0.7])
    share = torch.sigmoid(scores).item()
    assert objective.real(scores).item() == pytest.approx(
        -0.8 * math.log(share) - 0.2 * math.log(1 - share), rel=1e-5
    )
    assert objective.fake(scores).item() == pytest.approx(-math.log(1 - share), rel=1e-5)
    assert objective.deceit(scores).item() == pytest.approx(-math.log(share), rel=1e-5)


def test_hinge_and_wasserstein_are_as_published():
    scores = torch.tensor([-2.0, 0.5, 3.0])
    hinge, wgan = make("hinge"), make("wgan")
    assert hinge.real(scores).item() == pytest.approx((3 + 0.5 + 0) / 3)
    assert hinge.fake(scores).item() == pytest.approx((0 + 1.5 + 4) / 3)
    assert hinge.deceit(scores).item() == pytest.approx(-0.5)
    assert [getattr(wgan, name)(scores).item() for name in ("real", "fake", "deceit")] == pytest.approx(
        [-0.5, 0.5, -0.5]
    )


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_discriminators_lose_more_the_more_they_are_deceived(name):
    objective = make(name)
    low, high = torch.full((4,), -0.5), torch.full((4,), 0.5)
    assert objective.real(high) < objective.real(low)
    assert objective.fake(low) < objective.fake(high)
    assert objective.deceit(high) < objective.deceit(low)


def test_clipping_is_of_the_clipped_critic_alone():
    for name, largest in (("wgan", 0.01), ("vae_wgan", 0.01), ("wgan_gp", 1.0), ("vae_wgan_gp", 1.0)):
        critic = Linear(torch.ones(3, 4, 2))
        make(name).after_step(critic)
        assert critic.weight.max().item() == pytest.approx(largest)
    critic = Linear(-torch.ones(3, 4, 2))
    make("wgan", clip=0.2).after_step(critic)
    assert critic.weight.min().item() == pytest.approx(-0.2)


def test_published_steps_of_critics():
    steps = {name: OBJECTIVES[name].Options().critic_steps for name in OBJECTIVES}
    assert {name for name, count in steps.items() if count == 5} == {
        "wgan",
        "wgan_gp",
        "vae_wgan",
        "vae_wgan_gp",
    }
    assert {steps[name] for name in ("non_saturating", "hinge", "vae_gan")} == {1}
    assert OBJECTIVES["wgan_gp"].Options().penalty == 10


def players_of(name):
    generator = create_generator(
        "vae_decoder" if OBJECTIVES[name].encodes else "dcgan", SIZE, channels=4, latent=4
    )
    critic = create_discriminator("critic", SIZE, channels=8)
    encoder = Encoder(SIZE, 4, EncoderOptions(channels=4, hidden=8)) if OBJECTIVES[name].encodes else None
    return Players(generator, critic, encoder)


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_a_generator_learns_the_colour_of_real_pictures(name):
    options = {"penalty": 1.0} if "gp" in name else {"clip": 0.1} if "wgan" in name else {}
    objective, players = make(name, critic_steps=1, **options), players_of(name)
    real = COLOUR[:, None, None].expand(8, 3, *SIZE)
    rates = {"discriminator": 4e-3, "generator": 4e-3, "encoder": 4e-3}
    optimizers = {
        key: torch.optim.RMSprop(player.parameters(), rates[key], alpha=0.9)
        for key, player in players.named().items()
    }

    def distance():
        noise = torch.randn(32, 4, generator=torch.Generator().manual_seed(9))
        with torch.no_grad():
            return (players.generator(noise).mean((0, 2, 3)) - COLOUR).abs().max().item()

    before = distance()
    nearest = before
    for step in range(150):
        given = deal(real, seed=step)
        losses = objective.discriminator_losses(players, given)
        assert set(losses) == ({"real", "fake", "penalty"} if "gp" in name else {"real", "fake"})
        sum(losses.values()).backward(inputs=list(players.discriminator.parameters()))
        optimizers["discriminator"].step()
        objective.after_step(players.discriminator)
        aims, parts = objective.generator_losses(players, given)
        assert set(aims) == ({"generator", "encoder"} if objective.encodes else {"generator"})
        assert all(math.isfinite(value) for value in parts.values())
        for key, loss in aims.items():
            loss.backward(inputs=list(getattr(players, key).parameters()), retain_graph=True)
        for key, optimizer in optimizers.items():
            if key != "discriminator":
                optimizer.step()
            optimizer.zero_grad()
        if step % 10 == 9:
            nearest = distance()
            if nearest < 0.4 * before:
                break
    assert nearest < 0.4 * before


def test_a_conditional_generator_learns_the_colour_of_each_group():
    objective = make("hinge")
    generator = create_generator("dcgan", SIZE, groups=2, channels=4, latent=4)
    players = Players(generator, create_discriminator("critic", SIZE, groups=2, channels=8))
    groups = torch.arange(16) % 2
    real = torch.stack([COLOUR, -COLOUR])[groups][:, :, None, None].expand(16, 3, *SIZE)
    optimizers = {
        name: torch.optim.Adam(player.parameters(), 4e-3, betas=(0.0, 0.9))
        for name, player in players.named().items()
    }
    noise = torch.randn(32, 4)
    apart = 0.0
    for step in range(200):
        given = deal(real, groups, seed=step)
        sum(objective.discriminator_losses(players, given).values()).backward()
        optimizers["discriminator"].step()
        optimizers["generator"].zero_grad()
        objective.generator_losses(players, given)[0]["generator"].backward()
        optimizers["generator"].step()
        optimizers["discriminator"].zero_grad()
        if step % 10 == 9:
            with torch.no_grad():
                red = [generator(noise, torch.full((32,), group))[:, 0].mean().item() for group in (0, 1)]
            apart = red[0] - red[1]
            if apart > 0.4:
                break
    assert apart > 0.4  # 1.2 in real pictures, 0 at the beginning


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if OBJECTIVES[name].encodes])
def test_the_parts_of_a_vae_gan_are_those_of_algorithm_1(name):
    objective, players = make(name, similarity=0.3), players_of(name)
    given, again = (deal(torch.rand(6, 3, *SIZE) * 0 + torch.linspace(-1, 1, 8), seed=3) for _ in range(2))
    aims, parts = objective.generator_losses(players, given)
    code = players.encoder(again.real)
    rebuilt = players.generator(code.draw(again.noise(4)))
    free = players.generator(again.noise(4))
    features = [players.discriminator(images).features for images in (again.real, rebuilt)]
    dissimilarity = 0.5 * (features[0] - features[1]).square().sum((1, 2, 3)).mean()
    divergence = code.divergence().mean()
    scores = torch.cat([players.discriminator(images).scores for images in (rebuilt, free)])
    deceit = (2 if name == "vae_gan" else 1) * objective.deceit(scores)
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(parts["dissimilarity"], dissimilarity.detach(), **close)
    torch.testing.assert_close(aims["encoder"], divergence + dissimilarity, **close)
    torch.testing.assert_close(aims["generator"], 0.3 * dissimilarity + deceit, **close)


def test_rebuilt_pictures_are_compared_with_real_ones_under_the_same_view():
    class Copy(nn.Module):  # of pictures that are their own code
        latent = 3 * 16 * 8

        def forward(self, noise, groups=None):
            return noise.reshape(-1, 3, *SIZE)

    class Exact(nn.Module):
        def forward(self, images):
            return Code(images.flatten(1), torch.full((len(images), 3 * 16 * 8), -100.0))

    players = Players(Copy(), Linear(torch.ones(3, *SIZE)), Exact())
    given = deal(torch.rand(4, 3, *SIZE), views=ViewOptions(noise=0.5))
    _, parts = make("vae_gan").generator_losses(players, given)
    assert parts["dissimilarity"].item() == pytest.approx(0, abs=1e-9)


def test_a_step_for_one_player_leaves_the_others_without_gradient():
    objective, players = make("vae_gan"), players_of("vae_gan")
    aims, _ = objective.generator_losses(players, deal(torch.rand(4, 3, *SIZE)))
    aims["encoder"].backward(inputs=list(players.encoder.parameters()))
    assert any(item.grad is not None for item in players.encoder.parameters())
    assert all(item.grad is None for item in players.generator.parameters())
    assert all(item.grad is None for item in players.discriminator.parameters())


def test_both_sides_see_augmented_pictures():
    """The gradient that reaches the generator comes through the views: a hole of all pictures stops it."""
    players = players_of("hinge")

    class Blind(Views):
        def __call__(self, images, draws=None):
            return images * 0

    given = deal(torch.rand(4, 3, *SIZE))
    given = given._replace(views=Blind(ViewOptions(), given.generator, 0.0))
    aims, _ = make("hinge").generator_losses(players, given)
    aims["generator"].backward()
    assert not any(item.grad.any() for item in players.generator.parameters())
    losses = make("hinge").discriminator_losses(players, given)
    assert losses["real"].item() + losses["fake"].item() == pytest.approx(2)  # it cannot tell them apart
