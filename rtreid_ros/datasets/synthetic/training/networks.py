"""The detector's network: inverted residuals behind dense 3x3 strided convolutions."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.reid.models.blocks.mobile import MobileBlock, conv_layer

STRIDES = (8, 16, 32)
BINS = 16
"""Distances to a box's sides are distributions over 0..BINS-1 cells."""


def _mix(width: int) -> Any:
    return nn.Sequential(conv_layer(width, width, 5, groups=width), conv_layer(width, width, 1))


class DetectorNet(nn.Module):  # type: ignore[misc]
    """Anchor-free one-class detector over three strides with a top-down path.

    Boxes come from distributions of the four distances between a cell's centre and the box's sides
    (Li et al., Generalized Focal Loss, 2020, section 3.2); feature maps are fused top-down (Lin et
    al., Feature Pyramid Networks, 2017).
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.shallow = nn.Sequential(
            conv_layer(3, 16, 3, 2),
            conv_layer(16, 24, 3, 2),
            conv_layer(24, 48, 3, 2),
            MobileBlock(48, 3),
            MobileBlock(48, 3),
        )
        self.middle = nn.Sequential(
            conv_layer(48, 96, 3, 2), MobileBlock(96), MobileBlock(96), MobileBlock(96)
        )
        self.deep = nn.Sequential(conv_layer(96, 128, 3, 2), MobileBlock(128), MobileBlock(128))
        self.lateral = nn.ModuleList(conv_layer(inside, width, 1) for inside in (48, 96, 128))
        self.fuse = nn.ModuleList(_mix(width) for _ in range(2))
        self.tower = nn.ModuleList(nn.Sequential(_mix(width), _mix(width)) for _ in STRIDES)
        self.score = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in STRIDES)
        self.sides = nn.ModuleList(nn.Conv2d(width, 4 * BINS, 1) for _ in STRIDES)
        for layer in self.score:  # people are rare: start near what a random cell deserves
            nn.init.constant_(layer.bias, -4.6)

    def forward(self, images: Any) -> tuple[Any, Any]:
        """Logits of scores ``(B, N)`` and sides ``(B, N, 4, BINS)`` of ``(B, 3, H, W)`` images in [0, 1]."""
        shallow = self.shallow(images)
        middle = self.middle(shallow)
        deep = self.lateral[2](self.deep(middle))
        middle = self.fuse[1](self.lateral[1](middle) + functional.interpolate(deep, scale_factor=2.0))
        shallow = self.fuse[0](self.lateral[0](shallow) + functional.interpolate(middle, scale_factor=2.0))
        scores, sides = [], []
        for level, feature in enumerate((shallow, middle, deep)):
            shared = self.tower[level](feature)
            scores.append(self.score[level](shared).flatten(1))
            sides.append(self.sides[level](shared).flatten(2).transpose(1, 2))
        logits = torch.cat(sides, 1)
        return torch.cat(scores, 1), logits.reshape(logits.shape[0], logits.shape[1], 4, BINS)


def cells(size: tuple[int, int]) -> tuple[Any, Any]:
    """Centres ``(N, 2)`` in pixels and strides ``(N, 1)`` of all cells of an input of ``(height, width)``."""
    centres, strides = [], []
    for stride in STRIDES:
        rows = torch.arange(size[0] // stride)
        columns = torch.arange(size[1] // stride)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        centres.append((torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride)
        strides.append(torch.full((len(rows) * len(columns), 1), float(stride)))
    return torch.cat(centres), torch.cat(strides)


def decode(sides: Any, centres: Any, strides: Any) -> Any:
    """Corners ``(B, N, 4)`` in pixels from side logits ``(B, N, 4, BINS)``."""
    distance = (sides.softmax(-1) * torch.arange(BINS, dtype=sides.dtype)).sum(-1) * strides
    return torch.cat([centres - distance[..., :2], centres + distance[..., 2:]], -1)


class ExportedDetector(nn.Module):  # type: ignore[misc]
    """The detector with its decoding: one output ``(1, 5, N)`` of centre x, y, width, height, score."""

    def __init__(self, net: DetectorNet, size: tuple[int, int]) -> None:
        super().__init__()
        self.net = net
        centres, strides = cells(size)
        self.register_buffer("centres", centres.T.contiguous()[None])
        self.register_buffer("strides", strides.T.contiguous()[None])
        self.register_buffer("bins", torch.arange(BINS, dtype=torch.float32)[:, None])

    def forward(self, images: Any) -> Any:
        """See the class."""
        scores, sides = self.net(images)
        distance = (sides.softmax(-1) @ self.bins).squeeze(-1).transpose(1, 2) * self.strides
        low, high = self.centres - distance[:, :2], self.centres + distance[:, 2:]
        return torch.cat([(low + high) / 2, high - low, scores.sigmoid()[:, None]], 1)
