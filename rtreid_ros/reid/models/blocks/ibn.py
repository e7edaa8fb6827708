"""Instance and batch normalisation side by side (Pan et al., IBN-Net, ECCV 2018)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import nn

Norm = Callable[[int], nn.Module]
"""Makes the normalisation of so many channels."""


class IBN(nn.Module):
    """The first half of the channels is normalised per image, the rest per batch; variant "a" of the paper.

    Parameters are named as in the authors' files.

    Args:
        channels: of the map.
        norm: what the second half gets.
    """

    instance: ClassVar[type[nn.Module]] = nn.InstanceNorm2d

    def __init__(self, channels: int, norm: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        self.half = channels // 2
        self.IN = self.instance(self.half, affine=True)
        self.BN = norm(channels - self.half)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, ...)``, normalised."""
        per_image, per_batch = x.split((self.half, x.shape[1] - self.half), 1)
        return torch.cat((self.IN(per_image), self.BN(per_batch)), 1)


class IBN3d(IBN):
    """The same over time and space: the first half of the channels is normalised per clip."""

    instance = nn.InstanceNorm3d

    def __init__(self, channels: int) -> None:
        super().__init__(channels, nn.BatchNorm3d)
