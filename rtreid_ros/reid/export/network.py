"""What is exported: pixels in, rows of unit length out."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.reid.models import ReIDModel


class DeployedNetwork(nn.Module):
    """``(B, 3, H, W)`` normalised float32 pixels to ``(B, D)`` float32 rows of unit length.

    Args:
        model: the network; it stays as it is.
        size: ``(height, width)`` of its input.
        half: whether it computes in float16 inside; the norm never does.

    Attributes:
        size: as given.
    """

    def __init__(self, model: ReIDModel, size: tuple[int, int], *, half: bool = False) -> None:
        super().__init__()
        self.size = size
        self.half_inside = half
        self.model = copy.deepcopy(model).cpu().float().eval()
        if half:
            self.model.half()
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """See the class."""
        vectors = self.model(images.half() if self.half_inside else images)
        return functional.normalize(vectors.float(), dim=1)

    def example(self) -> torch.Tensor:
        """An input to trace with; two rows, because exporters take an axis of length 1 for constant."""
        generator = torch.Generator().manual_seed(0)
        return torch.randn(2, 3, *self.size, generator=generator)
