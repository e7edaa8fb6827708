"""What a game between generator and discriminator is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn

from rtreid_ros.gan.augmentation import Views
from rtreid_ros.gan.networks import Discriminator, Encoder, Generator
from rtreid_ros.options import option

Losses = Mapping[str, torch.Tensor]
"""By name, numbers without dimension."""


class Players(NamedTuple):
    """The networks of a game.

    Attributes:
        generator: makes pictures.
        discriminator: judges them.
        encoder: says what real pictures are made of; None where no objective asks for it.
    """

    generator: Generator
    discriminator: Discriminator
    encoder: Encoder | None = None

    def named(self) -> dict[str, nn.Module]:
        """Those that play, by name."""
        return {name: player for name, player in self._asdict().items() if player is not None}


class Deal(NamedTuple):
    """What a step is given.

    Attributes:
        real: ``(B, 3, H, W)`` pictures in -1..1.
        groups: ``(B,)`` their groups; generated pictures are asked from the same. None = not conditional.
        views: what the discriminator sees of pictures.
        generator: of all that is drawn.
    """

    real: torch.Tensor
    groups: torch.Tensor | None
    views: Views
    generator: torch.Generator

    def noise(self, latent: int) -> torch.Tensor:
        """``(B, latent)`` standard normal numbers."""
        device = self.generator.device
        return torch.randn(len(self.real), latent, generator=self.generator, device=device)


@dataclass(frozen=True, slots=True)
class ObjectiveOptions:
    """Options of every objective."""

    critic_steps: int = option(1, "steps of the discriminator for each of the generator", ge=1)


class Objective:
    """Losses of both sides; what they make of scores is each objective's own.

    Args:
        options: the objective's `Options`.

    Attributes:
        encodes: whether an encoder plays.
        batch_norm: whether the discriminator may have batch norm.
        spectral: whether it may have spectral normalisation.
    """

    Options: ClassVar[type[ObjectiveOptions]] = ObjectiveOptions
    encodes: ClassVar[bool] = False
    batch_norm: ClassVar[bool] = True
    spectral: ClassVar[bool] = True

    def __init__(self, options: ObjectiveOptions) -> None:
        self.options = options

    def real(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """The discriminator's loss of ``(B,)`` scores of real pictures; `generator` of what is drawn."""
        raise NotImplementedError

    def fake(self, scores: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
        """The same of generated ones."""
        raise NotImplementedError

    def deceit(self, scores: torch.Tensor) -> torch.Tensor:
        """The generator's loss of ``(B,)`` scores of its pictures."""
        raise NotImplementedError

    def penalty(
        self, discriminator: Discriminator, real: torch.Tensor, fake: torch.Tensor, deal: Deal
    ) -> torch.Tensor | None:
        """A further loss of the discriminator, of ``(B, 3, H, W)`` views; None = none."""
        return None

    def after_step(self, discriminator: Discriminator) -> None:
        """Called after every step of the discriminator."""

    def discriminator_losses(self, players: Players, deal: Deal) -> Losses:
        """Parts of the discriminator's loss, which is their sum."""
        with torch.no_grad():
            fake = players.generator(deal.noise(players.generator.latent), deal.groups)
        real_view, fake_view = deal.views(deal.real), deal.views(fake)
        losses = {
            "real": self.real(players.discriminator(real_view, deal.groups).scores, deal.generator),
            "fake": self.fake(players.discriminator(fake_view, deal.groups).scores, deal.generator),
        }
        penalty = self.penalty(players.discriminator, real_view, fake_view, deal)
        return losses if penalty is None else {**losses, "penalty": penalty}

    def generator_losses(self, players: Players, deal: Deal) -> tuple[Losses, Losses]:
        """Losses by the name of the player who lessens them, and parts of them for the log."""
        fake = players.generator(deal.noise(players.generator.latent), deal.groups)
        loss = self.deceit(players.discriminator(deal.views(fake), deal.groups).scores)
        return {"generator": loss}, {"generator": loss.detach()}
