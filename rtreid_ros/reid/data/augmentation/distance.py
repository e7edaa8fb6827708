"""Pictures as if taken from farther away."""

from __future__ import annotations

import torch
from torch.nn import functional

_LEVELS = 16
"""Scales prepared between the least and 1."""


class Distance:
    """Scales pictures down by areas and up again by linear interpolation, each by its own scale.

    Both are linear along rows and along columns, so a picture costs two products with prepared matrices.

    Args:
        least: smallest scale.
        size: ``(height, width)`` of the pictures.
    """

    def __init__(self, least: float, size: tuple[int, int]) -> None:
        self.scales = [least + (1 - least) * level / _LEVELS for level in range(_LEVELS)]
        self._matrices = tuple(
            torch.stack([down_and_up(length, max(round(scale * length), 1)) for scale in self.scales])
            for length in size
        )

    def __call__(self, images: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        """``(B, T, 3, H, W)`` at the scale of its level ``(B,) int64`` each."""
        # moved once: afterwards they are where the pictures are
        rows, columns = self._matrices = tuple(item.to(images.device) for item in self._matrices)
        return rows[levels][:, None, None] @ images @ columns[levels].mT[:, None, None]


def down_and_up(length: int, small: int) -> torch.Tensor:
    """``(length, length)``: what scaling a line of pixels down to `small` and up again does to it."""
    step = length / small
    first = torch.arange(small, dtype=torch.float64)[:, None] * step
    pixel = torch.arange(length, dtype=torch.float64)
    overlap = (torch.minimum(first + step, pixel + 1) - torch.maximum(first, pixel)).clamp_(min=0)
    lines = torch.eye(small, dtype=torch.float64)[None]
    up = functional.interpolate(lines, size=length, mode="linear", align_corners=False)[0].T
    return (up @ (overlap / step)).float()
