"""Games in which an encoder plays, and pictures are rebuilt from what it says of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.gan.objectives.adversarial import (
    NonSaturating,
    NonSaturatingOptions,
    PenalisedOptions,
    PenalisedWasserstein,
    Wasserstein,
    WassersteinOptions,
)
from rtreid_ros.gan.objectives.base import Deal, Losses, Objective, Players
from rtreid_ros.options import option

_SIMILARITY = 0.01
_HELP = "weight for the generator of what tells rebuilt pictures from real ones, beside deceiving"


class Encoding(Objective):
    """Larsen et al., Autoencoding beyond pixels using a learned similarity metric, ICML 2016, algorithm 1.

    The encoder lessens divergence and dissimilarity, the generator dissimilarity (weighted) and what the
    discriminator finds out, the discriminator tells real pictures from rebuilt and from free ones. Similarity
    is that of the discriminator's features (equations 7 and 8), summed over them, a mean over pictures.
    """

    encodes = True
    both = 1.0
    """Weight of the loss of rebuilt and free pictures together, next to that of real ones."""

    def similarity(self) -> float:
        """The weight gamma of algorithm 1."""
        raise NotImplementedError

    def discriminator_losses(self, players: Players, deal: Deal) -> Losses:
        """See `Objective`."""
        assert players.encoder is not None
        latent = players.generator.latent
        with torch.no_grad():
            noise = players.encoder(deal.real).draw(deal.noise(latent))
            rebuilt = players.generator(noise, deal.groups)
            free = players.generator(deal.noise(latent), deal.groups)
        views = [deal.views(images) for images in (deal.real, rebuilt, free)]
        real, *made = (players.discriminator(view, deal.groups).scores for view in views)
        losses = {
            "real": self.real(real, deal.generator),
            "fake": self.both * self.fake(torch.cat(made), deal.generator),
        }
        # half of each kind of what is made
        odd = torch.arange(len(free), device=free.device)[:, None, None, None] % 2 == 1
        penalty = self.penalty(players.discriminator, views[0], torch.where(odd, *views[1:]), deal)
        return losses if penalty is None else {**losses, "penalty": penalty}

    def generator_losses(self, players: Players, deal: Deal) -> tuple[Losses, Losses]:
        """See `Objective`."""
        assert players.encoder is not None
        latent = players.generator.latent
        code = players.encoder(deal.real)
        rebuilt = players.generator(code.draw(deal.noise(latent)), deal.groups)
        free = players.generator(deal.noise(latent), deal.groups)
        draws = deal.views.draw(deal.real)  # one and the same for both, else all differ
        with torch.no_grad():
            seen = players.discriminator(deal.views(deal.real, draws), deal.groups)
        rebuilt_seen = players.discriminator(deal.views(rebuilt, draws), deal.groups)
        free_seen = players.discriminator(deal.views(free), deal.groups)
        difference = seen.features - rebuilt_seen.features
        dissimilarity = 0.5 * difference.square().flatten(1).sum(1).mean()
        divergence = code.divergence().mean()
        deceit = self.both * self.deceit(torch.cat([rebuilt_seen.scores, free_seen.scores]))
        losses = {
            "generator": self.similarity() * dissimilarity + deceit,
            "encoder": divergence + dissimilarity,
        }
        parts = {"generator": deceit, "divergence": divergence, "dissimilarity": dissimilarity}
        return losses, {name: value.detach() for name, value in parts.items()}


@dataclass(frozen=True, slots=True)
class VaeGanOptions(NonSaturatingOptions):
    """Options of `VaeGan`."""

    similarity: float = option(_SIMILARITY, _HELP, ge=0)


class VaeGan(Encoding, NonSaturating):
    """With cross-entropy, as published: rebuilt and free pictures each count as much as real ones."""

    Options = VaeGanOptions
    options: VaeGanOptions
    both = 2.0

    def similarity(self) -> float:
        """See `Encoding`."""
        return self.options.similarity


@dataclass(frozen=True, slots=True)
class VaeWganOptions(WassersteinOptions):
    """Options of `VaeWgan`."""

    similarity: float = option(_SIMILARITY, _HELP, ge=0)


class VaeWgan(Encoding, Wasserstein):
    """With a clipped critic; what is made weighs as much as what is real, so that scores do not drift."""

    Options = VaeWganOptions
    options: VaeWganOptions

    def similarity(self) -> float:
        """See `Encoding`."""
        return self.options.similarity


@dataclass(frozen=True, slots=True)
class VaeWganGpOptions(PenalisedOptions):
    """Options of `VaeWganGp`."""

    similarity: float = option(_SIMILARITY, _HELP, ge=0)


class VaeWganGp(Encoding, PenalisedWasserstein):
    """The same with the gradient penalty."""

    Options = VaeWganGpOptions
    options: VaeWganGpOptions

    def similarity(self) -> float:
        """See `Encoding`."""
        return self.options.similarity
