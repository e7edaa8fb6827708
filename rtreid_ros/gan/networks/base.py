"""What generators, discriminators and encoders are, whatever they are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option

Size = tuple[int, int]
"""``(height, width)`` of pictures."""


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """Options of every network; each network's own `Options` derive from it."""

    channels: int = option(64, "width: channels of the largest maps; small maps have up to 8 times", ge=1)
    attention: int = option(0, "height of the maps that get self-attention; 0: none", ge=0)


@dataclass(frozen=True, slots=True)
class GeneratorOptions(NetworkOptions):
    """Options of every generator."""

    latent: int = option(128, "length of the noise a picture is made of", ge=1, le=4096)


class Generator(nn.Module):
    """Base of all generators.

    Args:
        size: of its pictures.
        groups: how many groups a picture may be asked from; 0 = it is not conditional.
        options: the network's `Options`.

    Attributes:
        inputs: numbers its first layer is told, see `told`.
    """

    Options: ClassVar[type[GeneratorOptions]] = GeneratorOptions

    def __init__(self, size: Size, groups: int, options: GeneratorOptions) -> None:
        super().__init__()
        self.size, self.groups, self.options, self.latent = size, groups, options, options.latent
        self.inputs = options.latent + groups

    def told(self, noise: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        """``(B, inputs)``: the noise and, if conditional, beside it the group, which weighs as much.

        Mirza and Osindero, Conditional Generative Adversarial Nets, 2014, section 3.2. Where only the norms
        are told, groups begin alike and long stay so.
        """
        if groups is None:
            return noise
        asked = functional.one_hot(groups, self.groups).to(noise.dtype)
        return torch.cat([noise, asked * math.sqrt(self.latent)], 1)

    def forward(self, noise: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """``(B, 3, H, W)`` RGB in -1..1 from ``(B, latent)`` noise and the ``(B,)`` groups asked for."""
        raise NotImplementedError


class Opinion(NamedTuple):
    """What a discriminator gives.

    Attributes:
        scores: ``(B,)`` without bounds; large for pictures taken for real.
        features: ``(B, C, h, w)`` maps of its last layer but one, by which a VAE-GAN compares pictures.
    """

    scores: torch.Tensor
    features: torch.Tensor


class Discriminator(nn.Module):
    """Base of all discriminators and critics; arguments as of `Generator`.

    Attributes:
        batch_norm: whether pictures of a batch influence each other's scores.
    """

    Options: ClassVar[type[NetworkOptions]] = NetworkOptions
    batch_norm: bool = False

    def __init__(self, size: Size, groups: int, options: NetworkOptions) -> None:
        super().__init__()
        self.size, self.groups, self.options = size, groups, options

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> Opinion:
        """The opinion of ``(B, 3, H, W)`` pictures in -1..1, if conditional as of ``(B,)`` groups."""
        raise NotImplementedError


class Pyramid(NamedTuple):
    """Sizes of maps from the smallest to the picture, each twice as high and wide as the one before.

    Attributes:
        start: ``(height, width)`` of the smallest, whose shorter side is 2 or 3.
        steps: doublings from there to the picture.
    """

    start: Size
    steps: int

    @classmethod
    def of(cls, size: Size) -> Pyramid:
        """The pyramid below pictures of `size`.

        Raises:
            ConfigError: a side cannot be halved so often.
        """
        steps = int(math.log2(min(size) / 2)) if min(size) >= 4 else 0
        factor = 2**steps
        if steps < 1 or any(side % factor for side in size):
            raise ConfigError(
                f"pictures of {size[0]}x{size[1]} cannot be made by doubling: both sides must be at least 4 "
                f"and divisible by {max(factor, 2)}, as in 64x32 and 128x64"
            )
        return cls((size[0] // factor, size[1] // factor), steps)

    def heights(self) -> list[int]:
        """Of the maps after each doubling."""
        return [self.start[0] * 2 ** (step + 1) for step in range(self.steps)]

    def widths(self, channels: int) -> list[int]:
        """Channels of the maps before each doubling, the smallest first (Radford 2016, figure 1)."""
        return [channels * min(2 ** (self.steps - 1 - step), 8) for step in range(self.steps)]

    def check_attention(self, height: int) -> None:
        """Refuse self-attention where there are no maps of that height; those of the picture are too many.

        Raises:
            ConfigError: saying which heights there are.
        """
        allowed = self.heights()[:-1]
        if height and height not in allowed:
            raise ConfigError(
                f"attention={height}: maps have the heights {', '.join(map(str, allowed)) or '(none)'}; "
                "0 is none"
            )
