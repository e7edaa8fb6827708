"""Residual networks: a generator, and a discriminator under spectral normalisation."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.gan.networks.base import (
    Discriminator,
    Generator,
    GeneratorOptions,
    NetworkOptions,
    Opinion,
    Pyramid,
    Size,
)
from rtreid_ros.gan.networks.layers import BatchNorm, Score, SelfAttention, Wrap, plain, spectral, xavier
from rtreid_ros.options import option


class Up(nn.Module):
    """Norm, ReLU, doubled by nearest neighbours, convolution, and once more; the shortcut is doubled, too.

    Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, figure 8.
    """

    def __init__(self, before: int, after: int, groups: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = BatchNorm(before, groups), BatchNorm(after, groups)
        self.conv1 = xavier(nn.Conv2d(before, after, 3, padding=1))
        self.conv2 = xavier(nn.Conv2d(after, after, 3, padding=1))
        self.shortcut = xavier(nn.Conv2d(before, after, 1))

    def forward(self, maps: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        """``(B, after, 2h, 2w)`` of ``(B, before, h, w)``."""
        inner = self.conv1(_doubled(self.norm1(maps, groups).relu()))
        inner = self.conv2(self.norm2(inner, groups).relu())
        # a 1x1 convolution and copying commute: first is four times cheaper
        result: torch.Tensor = _doubled(self.shortcut(maps)) + inner
        return result


class ResidualGenerator(Generator):
    """Residual blocks, each doubling the maps; see `Generator`.

    Miyato et al., 2018, table 4; conditional batch norm and self-attention as `BatchNorm`, `SelfAttention`.
    """

    def __init__(self, size: Size, groups: int, options: GeneratorOptions) -> None:
        super().__init__(size, groups, options)
        pyramid = Pyramid.of(size)
        pyramid.check_attention(options.attention)
        widths = pyramid.widths(options.channels)
        self._start = (widths[0], *pyramid.start)
        self.project = xavier(nn.Linear(self.inputs, widths[0] * pyramid.start[0] * pyramid.start[1]))
        outs = [*widths[1:], widths[-1]]
        self.blocks = nn.ModuleList(
            Up(before, after, groups) for before, after in zip(widths, outs, strict=True)
        )
        self._attends = options.attention
        places = zip(pyramid.heights(), outs, strict=True)
        attending = [width for height, width in places if height == options.attention]
        self.attention = SelfAttention(attending[0]) if attending else None
        self.norm = BatchNorm(widths[-1], groups)
        self.out = xavier(nn.Conv2d(widths[-1], 3, 3, padding=1))

    def forward(self, noise: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """See `Generator`."""
        maps = self.project(self.told(noise, groups)).reshape(-1, *self._start)
        for block in self.blocks:
            maps = block(maps, groups)
            if self.attention is not None and maps.shape[2] == self._attends:
                maps = self.attention(maps)
        images: torch.Tensor = self.out(self.norm(maps, groups).relu()).tanh()
        return images


class Down(nn.Module):
    """ReLU, convolution, twice, then halved by averaging, and so is the shortcut.

    Miyato et al., 2018, figure 8; the first block, which sees pixels, has no ReLU before.
    """

    def __init__(self, before: int, after: int, wrap: Wrap, *, first: bool) -> None:
        super().__init__()
        self._first = first
        self.conv1 = wrap(xavier(nn.Conv2d(before, after, 3, padding=1)))
        self.conv2 = wrap(xavier(nn.Conv2d(after, after, 3, padding=1)))
        self.shortcut = wrap(xavier(nn.Conv2d(before, after, 1)))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """``(B, after, h/2, w/2)`` of ``(B, before, h, w)``."""
        inner = maps if self._first else maps.relu()
        inner = functional.avg_pool2d(self.conv2(self.conv1(inner).relu()), 2)
        # as above: averages of a 1x1 convolution are the convolution of averages
        result: torch.Tensor = inner + self.shortcut(functional.avg_pool2d(maps, 2))
        return result


@dataclass(frozen=True, slots=True)
class ResidualDiscriminatorOptions(NetworkOptions):
    """Options of `ResidualDiscriminator`."""

    spectral: bool = option(
        True, "spectral normalisation; without it, a residual critic for Wasserstein objectives"
    )


class ResidualDiscriminator(Discriminator):
    """Residual blocks, each halving the maps, then the sum over places; see `Discriminator`.

    Miyato et al., 2018, table 4, with the projection of Miyato and Koyama, 2018, in `Score`.
    """

    Options = ResidualDiscriminatorOptions

    def __init__(self, size: Size, groups: int, options: ResidualDiscriminatorOptions) -> None:
        super().__init__(size, groups, options)
        pyramid = Pyramid.of(size)
        pyramid.check_attention(options.attention)
        wrap = spectral if options.spectral else plain
        widths = pyramid.widths(options.channels)[::-1]
        self.stages = nn.ModuleList()
        for step, (before, after) in enumerate(zip([3, *widths], widths, strict=False)):
            layers: list[nn.Module] = [Down(before, after, wrap, first=before == 3)]
            if size[0] >> (step + 1) == options.attention:
                layers.append(SelfAttention(after, wrap))
            self.stages.append(nn.Sequential(*layers))
        self.score = Score(widths[-1], groups, lambda layer: wrap(xavier(layer)))

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> Opinion:
        """See `Discriminator`."""
        maps = features = images
        for stage in self.stages:
            features, maps = maps, stage(maps)
        return Opinion(self.score(maps.relu().sum((2, 3)), groups), features)


def _doubled(maps: torch.Tensor) -> torch.Tensor:
    doubled: torch.Tensor = functional.interpolate(maps, scale_factor=2, mode="nearest")
    return doubled
