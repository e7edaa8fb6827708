"""Residual blocks, named inside as in torchvision's and IBN-Net's files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.reid.models.blocks.attention import NonLocal
from rtreid_ros.reid.models.blocks.ibn import IBN, Norm


@dataclass(frozen=True, slots=True)
class Fittings:
    """What a block has besides its convolutions.

    Attributes:
        norm: its normalisation.
        ibn: half of the first normalisation is per image.
        attention: weights the residual branch.
        dense_skip: where the shortcut is the identity, it is added before the attention and again after it.
        non_local: a non-local block follows.
    """

    norm: Norm
    ibn: bool
    attention: Callable[[int], nn.Module]
    dense_skip: bool
    non_local: bool


class ResidualBlock(nn.Module):
    """``relu(attention(residual(x)) + shortcut(x))``; He et al., CVPR 2016.

    Args:
        inside: channels of the input.
        middle: channels of the 3x3 convolutions; the output has `expansion` times as many.
        stride: of the block.
        fittings: see there.
    """

    expansion: ClassVar[int]

    def __init__(self, inside: int, middle: int, stride: int, fittings: Fittings) -> None:
        super().__init__()
        outside = middle * self.expansion
        self._build(inside, middle, stride, fittings)
        self.attention = fittings.attention(outside)
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), fittings.norm(outside)
            )
        self.non_local = NonLocal(outside) if fittings.non_local else nn.Identity()
        self._dense = fittings.dense_skip and self.downsample is None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, H, W)`` to ``(B, outside, H / stride, W / stride)``."""
        y = self.residual(x)
        if self._dense:
            y = functional.relu(y + x, inplace=True)
        shortcut = x if self.downsample is None else self.downsample(x)
        return self.non_local(functional.relu(self.attention(y) + shortcut, inplace=True))

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """The branch beside the shortcut, before attention."""
        raise NotImplementedError

    def _build(self, inside: int, middle: int, stride: int, fittings: Fittings) -> None:
        raise NotImplementedError


def _first_norm(channels: int, fittings: Fittings) -> nn.Module:
    return IBN(channels, fittings.norm) if fittings.ibn else fittings.norm(channels)


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions."""

    expansion = 1

    def _build(self, inside: int, middle: int, stride: int, fittings: Fittings) -> None:
        self.conv1 = nn.Conv2d(inside, middle, 3, stride, 1, bias=False)
        self.bn1 = _first_norm(middle, fittings)
        self.conv2 = nn.Conv2d(middle, middle, 3, 1, 1, bias=False)
        self.bn2 = fittings.norm(middle)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """See the base."""
        return self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)), inplace=True)))


class Bottleneck(ResidualBlock):
    """A 3x3 convolution between two pointwise ones; the 3x3 one takes the stride."""

    expansion = 4

    def _build(self, inside: int, middle: int, stride: int, fittings: Fittings) -> None:
        outside = middle * self.expansion
        self.conv1 = nn.Conv2d(inside, middle, 1, bias=False)
        self.bn1 = _first_norm(middle, fittings)
        self.conv2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = fittings.norm(middle)
        self.conv3 = nn.Conv2d(middle, outside, 1, bias=False)
        self.bn3 = fittings.norm(outside)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """See the base."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
        return self.bn3(self.conv3(y))
