"""Moving pixels. Pictures are ``(B, T, 3, H, W)``: the T frames of a clip are moved alike."""

from __future__ import annotations

import torch
from torch.nn import functional


def flip_and_crop(
    images: torch.Tensor, flipped: torch.Tensor, corners: torch.Tensor, pad: int
) -> torch.Tensor:
    """Some pictures mirrored, and each cut at its own place out of itself padded with black.

    Args:
        images: ``(B, T, 3, H, W)``.
        flipped: ``(B,) bool``.
        corners: ``(B, 2) int64`` row and column, 0..2 * pad, of the cut in the padded picture;
            ``(pad, pad)`` leaves it in place.
        pad: pixels on every side.
    """
    batch, frames, channels, height, width = images.shape
    planes = frames * channels
    padded = functional.pad(images.reshape(batch, planes, height, width), (pad,) * 4)
    rows, columns = padded.shape[2:]
    # one copy of whole lines does it all: of the pictures, or of their mirror images behind them
    lines = torch.cat((padded, padded.flip(-1))).view(-1)
    device = images.device
    source = torch.arange(batch, device=device) + batch * flipped
    plane = source[:, None] * planes + torch.arange(planes, device=device)
    row = plane[..., None] * rows + (corners[:, :1] + torch.arange(height, device=device))[:, None]
    starts = row * columns + corners[:, 1, None, None]
    windows = lines.as_strided((len(lines) - width + 1, width), (1, 1))
    return windows.index_select(0, starts.view(-1)).view(images.shape)


def cut_affine(images: torch.Tensor, sides: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Pictures cut anew along other sides, turned about their middle; beyond the border it repeats.

    Args:
        images: ``(B, T, 3, H, W)`` float.
        sides: ``(B, 4)`` how far the left, upper, right and lower side of the cut lie to the right of or
            below the picture's, as shares of its width and height.
        angles: ``(B,)`` radians by which the cut is turned clockwise.
    """
    height, width = images.shape[-2:]
    left, upper, right, lower = sides.unbind(1)
    cos, sin = angles.cos(), angles.sin()
    wide, high = 1 + right - left, 1 + lower - upper
    # in affine_grid's coordinates a picture reaches from -1 to 1, whatever its shape
    matrix = torch.stack(
        (
            torch.stack((wide * cos, -high * sin * (height / width), left + right), 1),
            torch.stack((wide * sin * (width / height), high * cos, upper + lower), 1),
        ),
        1,
    )
    grid = functional.affine_grid(matrix, [len(images), 1, height, width], align_corners=False)
    return resample(images, grid)


def resample(images: torch.Tensor, grid: torch.Tensor) -> torch.Tensor:
    """``(B, T, 3, H, W)`` pictures at the places of `grid`, ``(B, h, w, 2)`` as `grid_sample` has them."""
    planes = images.flatten(1, 2)
    moved = functional.grid_sample(planes, grid, padding_mode="border", align_corners=False)
    return moved.view(*images.shape[:3], *grid.shape[1:3])
