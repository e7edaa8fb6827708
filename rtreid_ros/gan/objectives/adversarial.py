"""Games of a generator and a discriminator alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from rtreid_ros.gan.networks import Discriminator
from rtreid_ros.gan.objectives.base import Deal, Objective, ObjectiveOptions
from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class NonSaturatingOptions(ObjectiveOptions):
    """Options of `NonSaturating`."""

    soft_label: float = option(
        0.9, "target of real pictures for the discriminator; generated ones have 0", ge=0.5, le=1
    )
    swapped: float = option(
        0.0, "probability with which a picture has the other label for the discriminator", ge=0, le=0.5
    )


class NonSaturating(Objective):
    """Binary cross-entropy; the generator maximises log D(G(z)).

    Goodfellow et al., Generative Adversarial Nets, 2014, section 3. Labels are smoothed on one side only
    (Salimans et al., Improved Techniques for Training GANs, 2016, section 3.4), and swapped now and then if
    asked for (Chintala et al., How to Train a GAN, NIPS 2016 workshop, tip 6).
    """

    Options = NonSaturatingOptions
    options: NonSaturatingOptions

    def real(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """See `Objective`."""
        return self._judged(scores, self.options.soft_label, 0.0, generator)

    def fake(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """See `Objective`."""
        return self._judged(scores, 0.0, self.options.soft_label, generator)

    def deceit(self, scores: torch.Tensor) -> torch.Tensor:
        """See `Objective`."""
        return _cross_entropy(scores, torch.ones_like(scores))

    def _judged(
        self, scores: torch.Tensor, label: float, other: float, generator: torch.Generator | None
    ) -> torch.Tensor:
        """The discriminator's loss where pictures have a label or, by chance, the other one."""
        labels = torch.full_like(scores, label)
        if self.options.swapped:
            chance = torch.rand(scores.shape, generator=generator, device=scores.device)
            labels = labels.masked_fill(chance < self.options.swapped, other)
        return _cross_entropy(scores, labels)


class Hinge(Objective):
    """Lim and Ye, Geometric GAN, 2017; Miyato et al., 2018, equations 16 and 17."""

    def real(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """See `Objective`."""
        return (1 - scores).relu().mean()

    def fake(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """See `Objective`."""
        return (1 + scores).relu().mean()

    def deceit(self, scores: torch.Tensor) -> torch.Tensor:
        """See `Objective`."""
        return -scores.mean()


class EarthMover(Objective):
    """The critic's difference of means, which estimates the Wasserstein distance where it is 1-Lipschitz."""

    batch_norm = False

    def real(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """See `Objective`."""
        return -scores.mean()

    def fake(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """See `Objective`."""
        return scores.mean()

    def deceit(self, scores: torch.Tensor) -> torch.Tensor:
        """See `Objective`."""
        return -scores.mean()


@dataclass(frozen=True, slots=True)
class WassersteinOptions(ObjectiveOptions):
    """Options of `Wasserstein`."""

    critic_steps: int = option(5, "steps of the critic for each of the generator", ge=1)
    clip: float = option(0.01, "largest absolute value of the critic's weights", ge=1e-6)


class Wasserstein(EarthMover):
    """With clipped weights: Arjovsky et al., Wasserstein GAN, 2017, algorithm 1."""

    Options = WassersteinOptions
    options: WassersteinOptions
    spectral = (
        False  # which divides what is clipped by its largest singular value, so that nothing is clipped
    )

    def after_step(self, discriminator: Discriminator) -> None:
        """Clip every weight."""
        with torch.no_grad():
            for weight in discriminator.parameters():
                weight.clamp_(-self.options.clip, self.options.clip)


@dataclass(frozen=True, slots=True)
class PenalisedOptions(ObjectiveOptions):
    """Options of `PenalisedWasserstein`."""

    critic_steps: int = option(5, "steps of the critic for each of the generator", ge=1)
    penalty: float = option(10.0, "weight of the gradient penalty", ge=0)


class PenalisedWasserstein(EarthMover):
    """With penalised gradients.

    Gulrajani et al., Improved Training of Wasserstein GANs, 2017, algorithm 1.
    """

    Options = PenalisedOptions
    options: PenalisedOptions

    def penalty(
        self, discriminator: Discriminator, real: torch.Tensor, fake: torch.Tensor, deal: Deal
    ) -> torch.Tensor:
        """See `Objective`."""
        found = gradient_penalty(discriminator, real, fake, deal.groups, deal.generator)
        return self.options.penalty * found


def gradient_penalty(
    discriminator: Discriminator,
    real: torch.Tensor,
    fake: torch.Tensor,
    groups: torch.Tensor | None,
    generator: torch.Generator,
) -> torch.Tensor:
    """Mean of (||gradient|| - 1)^2 at places between real and generated pictures (ibid., equation 3).

    Args:
        discriminator: whose scores are differentiated; without batch norm.
        real: ``(B, 3, H, W)``.
        fake: as many.
        groups: ``(B,)`` of the pictures.
        generator: decides where between the two.
    """
    share = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    between = torch.lerp(fake.detach(), real.detach(), share).requires_grad_()
    scores = discriminator(between, groups).scores
    (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


def _cross_entropy(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    loss: torch.Tensor = functional.binary_cross_entropy_with_logits(scores, labels)
    return loss
