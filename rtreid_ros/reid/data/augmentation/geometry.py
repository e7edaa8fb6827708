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
