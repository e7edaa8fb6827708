"""Attention of PLR-OSNet: each pixel takes from all others like it."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class PositionAttention(nn.Module):
    """Adds to every pixel the mean of all pixels, weighted by likeness.

    After SAGAN (Zhang et al., ICML 2019) and DANet (Fu et al., CVPR 2019, section 3.2), with the pixels
    themselves as values and batch norm after the learned factor, as in the code published with PLR-OSNet.
    At the start it passes the map on unchanged, because the factor is 0.

    Args:
        channels: of the map; likeness is judged on an eighth as many.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 8, 1)
        self.query, self.key = nn.Conv2d(channels, hidden, 1), nn.Conv2d(channels, hidden, 1)
        self.factor = nn.Parameter(torch.zeros(1))
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``."""
        query, key, value = (y.flatten(2).transpose(1, 2) for y in (self.query(x), self.key(x), x))
        mixed = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        return x + self.norm(self.factor * mixed.transpose(1, 2).unflatten(2, x.shape[2:]))


class PixelGate(nn.Module):
    """Weights each pixel's channels by that pixel alone: squeeze-excitation without the squeeze.

    Args:
        channels: of the map; the hidden layer has a sixteenth as many.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 16, 1)
        self.reduce, self.expand = nn.Conv2d(channels, hidden, 1), nn.Conv2d(hidden, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, weighted."""
        return x * torch.sigmoid(self.expand(torch.relu(self.reduce(x))))
