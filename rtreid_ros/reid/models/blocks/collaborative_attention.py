"""Multidimensional collaborative attention, MCA (Yu et al., EAAI 126, 2023)."""

from __future__ import annotations

import math

import torch
from torch import nn


class AxisGate(nn.Module):
    """Weights along one axis, from mean and deviation over the two others.

    Args:
        axis: 1 channels, 2 rows, 3 columns of a ``(B, C, H, W)`` map.
        kernel: neighbours on the axis that a weight depends on, itself included; odd.
    """

    def __init__(self, axis: int, kernel: int) -> None:
        super().__init__()
        self.axis = axis
        self.shares = nn.Parameter(torch.rand(2))
        self.conv = nn.Conv1d(1, 1, kernel, padding=kernel // 2, bias=False)
        nn.init.normal_(self.conv.weight, std=math.sqrt(2 / kernel))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The weights, with axes of length 1 where they are the same all along."""
        others = [axis for axis in (1, 2, 3) if axis != self.axis]
        deviation, mean = torch.std_mean(x, others)
        shares = 0.5 + torch.sigmoid(self.shares)  # equation 4
        weights = torch.sigmoid(self.conv((shares[0] * mean + shares[1] * deviation)[:, None]))
        shape = [x.shape[0], 1, 1, 1]
        shape[self.axis] = -1
        return weights.view(shape)


class CollaborativeAttention(nn.Module):
    """The mean of the map weighted along its channels, its rows and its columns.

    Args:
        channels: of the map.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        width = max(round(abs(math.log2(channels) - 1) / 1.5), 1)  # equation 6
        self.gates = nn.ModuleList(
            (AxisGate(1, width if width % 2 else width - 1), AxisGate(2, 3), AxisGate(3, 3))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, weighted."""
        channels, rows, columns = (gate(x) for gate in self.gates)
        return x * ((channels + rows + columns) / 3)
