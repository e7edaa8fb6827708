"""Attention modules for residual branches: each takes a map ``(B, C, H, W)`` and gives it back, weighted."""

from __future__ import annotations

import torch
from torch import nn

from rtreid_ros.reid.models.blocks.ibn import Norm


class SqueezeExcitation(nn.Module):
    """One weight per channel, from the means of all (Hu et al., CVPR 2018; reduction 16, at least 8)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(8, channels // 16)
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)
        self.expand = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, weighted."""
        hidden = torch.relu(self.reduce(x.mean((2, 3), keepdim=True)))
        return x * torch.sigmoid(self.expand(hidden))


class CoordinateAttention(nn.Module):
    """One weight per channel and row times one per channel and column (Hou et al., CVPR 2021).

    Reduction 8 and SiLU, where the paper has 32 and h-swish: at 64 channels 32 would leave two.

    Args:
        channels: of the map.
        norm: of the shared hidden layer.
    """

    def __init__(self, channels: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        hidden = max(8, channels // 8)
        self.reduce = nn.Conv2d(channels, hidden, 1, bias=False)
        self.norm = norm(hidden)
        self.rows = nn.Conv2d(hidden, channels, 1, bias=False)
        self.columns = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, weighted."""
        height, width = x.shape[2:]
        both = torch.cat((x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)), 2)
        hidden = nn.functional.silu(self.norm(self.reduce(both)))
        rows, columns = hidden.split((height, width), 2)
        return x * torch.sigmoid(self.rows(rows)) * torch.sigmoid(self.columns(columns.transpose(2, 3)))


class TripletAttention(nn.Module):
    """Three maps of weights, each looking along one axis; their mean counts (Misra et al., WACV 2021).

    Args:
        deviation: pool an axis into deviation and mean instead of the paper's maximum and mean.
    """

    def __init__(self, *, deviation: bool = False) -> None:
        super().__init__()
        self.deviation = deviation
        self.gates = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1, momentum=0.01))
            for _ in range(3)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, weighted."""
        weights = [
            torch.sigmoid(gate(self._pool(x, axis))).squeeze(1).unsqueeze(axis)
            for axis, gate in enumerate(self.gates, 1)
        ]
        return x * ((weights[0] + weights[1] + weights[2]) / 3)

    def _pool(self, x: torch.Tensor, axis: int) -> torch.Tensor:
        first = x.std(axis) if self.deviation else x.amax(axis)
        return torch.stack((first, x.mean(axis)), 1)


class MultiScaleAttention(nn.Module):
    """Groups of channels weight their pixels by two branches that judge each other: EMA.

    Ouyang et al., "Efficient Multi-Scale Attention Module with Cross-Spatial Learning", ICASSP 2023.

    Args:
        channels: of the map.
        groups: at most so many; fewer where that leaves less than two channels in each.
    """

    def __init__(self, channels: int, groups: int = 32) -> None:
        super().__init__()
        fitting = max(n for n in range(1, groups + 1) if channels % n == 0 and channels // n >= 2)
        self.width = channels // fitting
        self.pointwise = nn.Conv2d(self.width, self.width, 1)
        self.local = nn.Conv2d(self.width, self.width, 3, padding=1)
        self.norm = nn.GroupNorm(self.width, self.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, weighted."""
        channels, height, width = x.shape[1:]
        grouped = x.reshape(-1, self.width, height, width)
        both = torch.cat((grouped.mean(3, keepdim=True), grouped.mean(2, keepdim=True).transpose(2, 3)), 2)
        rows, columns = self.pointwise(both).split((height, width), 2)
        first = self.norm(grouped * torch.sigmoid(rows) * torch.sigmoid(columns.transpose(2, 3)))
        second = self.local(grouped)
        pixels = self._mixture(first) @ second.flatten(2) + self._mixture(second) @ first.flatten(2)
        weighted = grouped * torch.sigmoid(pixels).view(-1, 1, height, width)
        return weighted.reshape(-1, channels, height, width)

    @staticmethod
    def _mixture(x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3)).softmax(1)[:, None]


class NonLocal(nn.Module):
    """Every pixel takes from all others, dot-product form (Wang et al., CVPR 2018, equations 4 and 6).

    At the start it passes the map on unchanged, because its last normalisation has weight 0.

    Args:
        channels: of the map; half as many are used inside.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = channels // 2
        self.theta, self.phi, self.g = (nn.Conv2d(channels, inner, 1) for _ in range(3))
        self.output = nn.Sequential(nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.output[1].weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``."""
        theta, phi, g = (layer(x).flatten(2) for layer in (self.theta, self.phi, self.g))
        # divided first: half precision ends at 65504
        affinity = (theta / theta.shape[2]).transpose(1, 2) @ phi
        y = (affinity @ g.transpose(1, 2)).transpose(1, 2)
        return x + self.output(y.unflatten(2, x.shape[2:]))
