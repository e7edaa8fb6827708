"""Pieces of somebody else pasted over pictures."""

from __future__ import annotations

import torch

from rtreid_ros.reid.data.augmentation.geometry import resample
from rtreid_ros.reid.data.augmentation.rectangles import inside
from rtreid_ros.reid.data.augmentation.selection import uniform


def draw_below(
    count: int, size: tuple[int, int], generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the upper quarter of another picture goes: at half to full size, anywhere on the lower border.

    Returns:
        ``(B, 4)`` float target and source: first row, first column, and those behind the last. The columns
        of half of the sources run backwards: such a piece is mirrored.
    """
    height, width = size
    scale = uniform(0.5, 1, (count,), generator)
    high, wide = (scale * height / 4).round(), (scale * width).round()
    left = ((width - wide + 1) * uniform(0, 1, (count,), generator)).floor()
    bottom = torch.full_like(high, height)
    target = torch.stack((bottom - high, left, bottom, left + wide), 1)
    mirrored = uniform(0, 1, (count,), generator) < 0.5
    first, last = width * mirrored.float(), width * (~mirrored).float()
    return target, torch.stack((torch.zeros_like(first), first, torch.full_like(first, height / 4), last), 1)


def draw_side(
    count: int, size: tuple[int, int], generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for a strip of the middle of another picture, at its own height.

    It is 0.15 to 0.5 of the width and reaches from the upper half to the lower border; 0.4 of them are at
    the left, 0.4 at the right border, the others anywhere.
    """
    height, width = size
    wide = (uniform(0.15, 0.5, (count,), generator) * width).round().clamp_(min=1)
    place, where = uniform(0, 1, (count,), generator), uniform(0, 1, (count,), generator)
    left = ((width - wide + 1) * where).floor()
    left = torch.where(place < 0.4, 0, torch.where(place < 0.8, width - wide, left))
    top = (uniform(0, 0.5, (count,), generator) * height).floor()
    bottom = torch.full_like(top, height)
    middle = ((width - wide) / 2).floor()
    return torch.stack((top, left, bottom, left + wide), 1), torch.stack(
        (top, middle, bottom, middle + wide), 1
    )


def paste(
    images: torch.Tensor, others: torch.Tensor, target: torch.Tensor, source: torch.Tensor
) -> torch.Tensor:
    """Pictures with a rectangle of others in them, bilinearly scaled.

    Args:
        images: ``(B, T, 3, H, W)`` float.
        others: the same, of others.
        target: ``(B, 4)``, whole pixels: first row, first column, and those behind the last.
        source: the same of `others`; need not be whole.
    """
    size = images.shape[-2:]
    places = []
    for axis, length in enumerate(size):
        line = torch.arange(length, device=images.device) + 0.5
        share = (line - target[:, axis, None]) / (target[:, axis + 2] - target[:, axis])[:, None]
        pixel = source[:, axis, None] + share * (source[:, axis + 2] - source[:, axis])[:, None]
        places.append(pixel * (2 / length) - 1)
    rows, columns = places[0][:, :, None], places[1][:, None, :]
    grid = torch.stack((columns.expand(-1, *size), rows.expand(-1, *size)), -1)
    return torch.where(inside(target, (size[0], size[1])), resample(others, grid), images)
