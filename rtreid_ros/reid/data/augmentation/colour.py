"""Light and colour. Pictures are ``(B, T, 3, H, W)`` float levels 0..255, RGB."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch.nn import functional

_LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""
_BLUR = 27
"""Pixels of the Gaussian window of a sketch."""
_SIGMA = 0.3 * ((_BLUR - 1) * 0.5 - 1) + 0.8
"""Its deviation, as OpenCV derives it from the window."""


def luma(images: torch.Tensor) -> torch.Tensor:
    """``(B, T, 1, H, W)`` grey levels."""
    red, green, blue = images.split(1, dim=2)
    return (red * _LUMA[0]).add_(green, alpha=_LUMA[1]).add_(blue, alpha=_LUMA[2])


def jitter(
    images: torch.Tensor, gain: torch.Tensor, contrast: torch.Tensor, saturation: torch.Tensor
) -> torch.Tensor:
    """Pictures in other light, clipped to 0..255.

    Args:
        images: see the module.
        gain: ``(B, 3)`` factor of each channel.
        contrast: ``(B,)`` factor of the distance from the picture's mean level.
        saturation: ``(B,)`` factor of the distance from grey.
    """
    images = images * gain[:, None, :, None, None]
    grey = luma(images)
    mean = grey.mean((1, 2, 3, 4), keepdim=True)
    factor = (contrast * saturation)[:, None, None, None, None]
    # mean + contrast * (grey + saturation * (image - grey) - mean)
    rest = grey.mul_((contrast * (1 - saturation))[:, None, None, None, None])
    rest += mean * (1 - contrast)[:, None, None, None, None]
    return images.mul_(factor).add_(rest).clamp_(0, 255)


def grey_inside(images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Pictures grey where `mask`, ``(B, 1, 1, H, W)``, is set."""
    return torch.where(mask, luma(images), images)


def sketch(grey: torch.Tensor) -> torch.Tensor:
    """A pencil drawing of ``(B, T, 1, H, W)`` grey levels: colour dodge with their blurred negative."""
    batch, frames, _, height, width = grey.shape
    window = _window(grey.device)
    half = _BLUR // 2
    planes = grey.reshape(batch * frames, 1, height, width)
    padded = functional.pad(planes, (half,) * 4, mode="replicate")
    blurred = functional.conv2d(
        functional.conv2d(padded, window[None, None, None]), window[None, None, :, None]
    )
    return (planes * 256 / blurred.clamp_min(1e-3)).clamp_(max=255).reshape(grey.shape)


@lru_cache(maxsize=4)
def _window(device: torch.device) -> torch.Tensor:
    offsets = torch.arange(_BLUR, dtype=torch.float64) - _BLUR // 2
    weights = torch.exp(-(offsets**2) / (2 * _SIGMA**2))
    return (weights / weights.sum()).float().to(device)


def mix_channels(images: torch.Tensor, extra: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Pictures of three channels out of their own and twice `extra`.

    Args:
        images: see the module.
        extra: ``(B, T, 1, H, W)``.
        order: ``(B, 3) int64``: 0 to 2 is a channel of the picture, 3 and 4 are `extra`.
    """
    sources = torch.cat((images, extra, extra), 2)
    return sources.take_along_dim(order[:, None, :, None, None], 2)
