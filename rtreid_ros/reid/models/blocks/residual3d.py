"""Residual blocks over time and space, named inside as in files of 3D-ResNets (Hara et al., CVPR 2018)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.reid.models.blocks.ibn import IBN3d


class ZeroShortcut(nn.Module):
    """Every other value, and zeros for the channels that are lacking: type A of He et al., CVPR 2016."""

    def __init__(self, outside: int, stride: int) -> None:
        super().__init__()
        self.outside, self.stride = outside, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, T, H, W)`` to ``(B, outside, T / stride, H / stride, W / stride)``."""
        x = x[:, :, :: self.stride, :: self.stride, :: self.stride]
        return functional.pad(x, (0, 0, 0, 0, 0, 0, 0, self.outside - x.shape[1]))


class Block3d(nn.Module):
    """``relu(residual(x) + shortcut(x))``.

    Args:
        inside: channels of the input.
        middle: channels of the 3x3x3 convolutions; the output has `expansion` times as many.
        stride: of the block, in time and space.
        ibn: half of the first normalisation is per clip.
        project: a convolution is the shortcut where shapes change, else `ZeroShortcut`.
    """

    expansion: ClassVar[int]

    def __init__(self, inside: int, middle: int, stride: int, *, ibn: bool, project: bool) -> None:
        super().__init__()
        outside = middle * self.expansion
        self._build(inside, middle, stride, IBN3d(middle) if ibn else nn.BatchNorm3d(middle))
        self.downsample = nn.Identity()
        if stride != 1 or inside != outside:
            self.downsample = (
                nn.Sequential(nn.Conv3d(inside, outside, 1, stride, bias=False), nn.BatchNorm3d(outside))
                if project
                else ZeroShortcut(outside, stride)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, T, H, W)`` to ``(B, outside, T / stride, H / stride, W / stride)``."""
        return functional.relu(self.residual(x) + self.downsample(x), inplace=True)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """The branch beside the shortcut."""
        raise NotImplementedError

    def _build(self, inside: int, middle: int, stride: int, first: nn.Module) -> None:
        raise NotImplementedError


class BasicBlock3d(Block3d):
    """Two 3x3x3 convolutions."""

    expansion = 1

    def _build(self, inside: int, middle: int, stride: int, first: nn.Module) -> None:
        self.conv1 = nn.Conv3d(inside, middle, 3, stride, 1, bias=False)
        self.bn1 = first
        self.conv2 = nn.Conv3d(middle, middle, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm3d(middle)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """See the base."""
        return self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)), inplace=True)))


class Bottleneck3d(Block3d):
    """A 3x3x3 convolution between two pointwise ones; it takes the stride."""

    expansion = 4

    def _build(self, inside: int, middle: int, stride: int, first: nn.Module) -> None:
        outside = middle * self.expansion
        self.conv1 = nn.Conv3d(inside, middle, 1, bias=False)
        self.bn1 = first
        self.conv2 = nn.Conv3d(middle, middle, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm3d(middle)
        self.conv3 = nn.Conv3d(middle, outside, 1, bias=False)
        self.bn3 = nn.BatchNorm3d(outside)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """See the base."""
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        y = functional.relu(self.bn2(self.conv2(y)), inplace=True)
        return self.bn3(self.conv3(y))
