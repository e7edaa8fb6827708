"""Encoder and decoder of a VAE-GAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from rtreid_ros.gan.networks.base import Generator, GeneratorOptions, Pyramid, Size
from rtreid_ros.gan.networks.layers import BatchNorm, SelfAttention, begin_normal
from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """Options of `Encoder`."""

    channels: int = option(64, "width: channels of the largest maps; small maps have up to 8 times", ge=1)
    hidden: int = option(1024, "units of the layer before mean and variance", ge=1)


class Code(NamedTuple):
    """A normal distribution over noise for each picture.

    Attributes:
        mean: ``(B, latent)``.
        log_variance: ``(B, latent)``.
    """

    mean: torch.Tensor
    log_variance: torch.Tensor

    def draw(self, normal: torch.Tensor) -> torch.Tensor:
        """Noise from it, made of ``(B, latent)`` standard normal numbers (Kingma and Welling, 2014, 2.4)."""
        return self.mean + (0.5 * self.log_variance).exp() * normal

    def divergence(self) -> torch.Tensor:
        """``(B,)`` Kullback-Leibler divergence of each from the standard normal (ibid., appendix B)."""
        mean, log_variance = self
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


class Encoder(nn.Module):
    """From pictures to what they might be made of.

    Larsen et al., Autoencoding beyond pixels using a learned similarity metric, ICML 2016, table 1.

    Args:
        size: of pictures.
        latent: length of the noise.
        options: see there.
    """

    def __init__(self, size: Size, latent: int, options: EncoderOptions) -> None:
        super().__init__()
        pyramid = Pyramid.of(size)
        widths = pyramid.widths(options.channels)[::-1][: max(pyramid.steps - 1, 1)]
        layers: list[nn.Module] = []
        for before, after in zip([3, *widths], widths, strict=False):
            layers += [nn.Conv2d(before, after, 5, 2, 2, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        places = (size[0] >> len(widths)) * (size[1] >> len(widths))
        layers += [nn.Flatten(), nn.Linear(widths[-1] * places, options.hidden, bias=False)]
        self.trunk = nn.Sequential(*layers, nn.BatchNorm1d(options.hidden), nn.ReLU())
        self.mean = nn.Linear(options.hidden, latent)
        self.log_variance = nn.Linear(options.hidden, latent)
        begin_normal(self)

    def forward(self, images: torch.Tensor) -> Code:
        """The codes of ``(B, 3, H, W)`` pictures in -1..1."""
        found = self.trunk(images)
        return Code(self.mean(found), self.log_variance(found))


class VaeDecoder(Generator):
    """Larsen 2016, table 1: a linear layer, then 5x5 transposed convolutions, all with norm and ReLU."""

    def __init__(self, size: Size, groups: int, options: GeneratorOptions) -> None:
        super().__init__(size, groups, options)
        pyramid = Pyramid.of(size)
        pyramid.check_attention(options.attention)
        widths = pyramid.widths(options.channels)
        self._start = (widths[0], *pyramid.start)
        outs = [*widths[1:], widths[-1]]
        self.project = nn.Linear(self.inputs, widths[0] * pyramid.start[0] * pyramid.start[1], bias=False)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 5, 2, 2, output_padding=1, bias=False)
            for before, after in zip(widths, outs, strict=True)
        )
        self.norms = nn.ModuleList(BatchNorm(width, groups) for width in (widths[0], *outs))
        self._attends = options.attention
        places = zip(pyramid.heights(), outs, strict=True)
        attending = [width for height, width in places if height == options.attention]
        self.attention = SelfAttention(attending[0]) if attending else None
        self.out = nn.Conv2d(outs[-1], 3, 5, padding=2)
        begin_normal(self)

    def forward(self, noise: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """See `Generator`."""
        maps = self.norms[0](self.project(self.told(noise, groups)).reshape(-1, *self._start), groups).relu()
        for up, norm in zip(self.ups, self.norms[1:], strict=True):
            maps = norm(up(maps), groups).relu()
            if self.attention is not None and maps.shape[2] == self._attends:
                maps = self.attention(maps)
        images: torch.Tensor = self.out(maps).tanh()
        return images
