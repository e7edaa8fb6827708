"""Strided convolutions: DCGAN, and the critic without norms that Wasserstein objectives want."""

from __future__ import annotations

import torch
from torch import nn

from rtreid_ros.gan.networks.base import (
    Discriminator,
    Generator,
    GeneratorOptions,
    NetworkOptions,
    Opinion,
    Pyramid,
    Size,
)
from rtreid_ros.gan.networks.layers import BatchNorm, Score, SelfAttention, begin_normal


class DcganGenerator(Generator):
    """Transposed convolutions with batch norm and ReLU, tanh at the end; see `Generator`.

    Radford et al., Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
    Networks, ICLR 2016, figure 1; it begins with maps of the shape of people instead of 4x4.
    """

    def __init__(self, size: Size, groups: int, options: GeneratorOptions) -> None:
        super().__init__(size, groups, options)
        pyramid = Pyramid.of(size)
        pyramid.check_attention(options.attention)
        widths = pyramid.widths(options.channels)
        self._start = (widths[0], *pyramid.start)
        self.project = nn.Linear(self.inputs, widths[0] * pyramid.start[0] * pyramid.start[1], bias=False)
        self.norms = nn.ModuleList(BatchNorm(width, groups) for width in widths)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(before, after, 4, 2, 1, bias=after == 3)
            for before, after in zip(widths, [*widths[1:], 3], strict=True)
        )
        self._attends = options.attention
        places = zip(pyramid.heights(), widths[1:], strict=False)
        attending = [width for height, width in places if height == options.attention]
        self.attention = SelfAttention(attending[0]) if attending else None
        begin_normal(self)

    def forward(self, noise: torch.Tensor, groups: torch.Tensor | None = None) -> torch.Tensor:
        """See `Generator`."""
        maps = self.project(self.told(noise, groups)).reshape(-1, *self._start)
        for norm, up in zip(self.norms, self.ups, strict=True):
            maps = up(norm(maps, groups).relu())
            if self.attention is not None and maps.shape[2] == self._attends:
                maps = self.attention(maps)
        return maps.tanh()


class StridedDiscriminator(Discriminator):
    """Strided convolutions with leaky ReLU 0.2; see `Discriminator`.

    Radford 2016, section 3: batch norm in all layers but the first, where `batch_norm` is set.
    """

    def __init__(self, size: Size, groups: int, options: NetworkOptions) -> None:
        super().__init__(size, groups, options)
        pyramid = Pyramid.of(size)
        pyramid.check_attention(options.attention)
        widths = pyramid.widths(options.channels)[::-1]
        heights = [size[0] >> (step + 1) for step in range(pyramid.steps)]
        self.stages = nn.ModuleList()
        for before, after, height in zip([3, *widths], widths, heights, strict=False):
            normed = self.batch_norm and before != 3
            layers: list[nn.Module] = [nn.Conv2d(before, after, 4, 2, 1, bias=not normed)]
            layers += [nn.BatchNorm2d(after)] if normed else []
            layers += [nn.LeakyReLU(0.2)]
            layers += [SelfAttention(after)] if height == options.attention else []
            self.stages.append(nn.Sequential(*layers))
        self.score = Score(widths[-1] * pyramid.start[0] * pyramid.start[1], groups)
        begin_normal(self)

    def forward(self, images: torch.Tensor, groups: torch.Tensor | None = None) -> Opinion:
        """See `Discriminator`."""
        maps = features = images
        for stage in self.stages:
            features, maps = maps, stage(maps)
        return Opinion(self.score(maps.flatten(1), groups), features)


class DcganDiscriminator(StridedDiscriminator):
    """As published, with batch norm."""

    batch_norm = True


class Critic(StridedDiscriminator):
    """Without norms: a gradient penalty is of each picture for itself (Gulrajani et al., 2017, section 4)."""
