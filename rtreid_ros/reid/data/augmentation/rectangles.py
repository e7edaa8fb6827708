"""Random rectangles, and what is done inside them."""

from __future__ import annotations

import torch

_ATTEMPTS = 100
"""Rectangles drawn until one fits; pictures none fits into have none."""


def draw_rectangles(
    count: int,
    size: tuple[int, int],
    area: tuple[float, float],
    aspect: float,
    generator: torch.Generator,
) -> torch.Tensor:
    """Random rectangles (Zhong et al., Random Erasing Data Augmentation, AAAI 2020, algorithm 1).

    Args:
        count: how many, B.
        size: ``(height, width)`` they lie in.
        area: least and most share of it.
        aspect: height by width is drawn from this up to its inverse.
        generator: on the device that shall hold the rectangles.

    Returns:
        ``(B, 4) int64`` first row, first column, and those behind the last; one without a
        pixel where none fitted.
    """
    height, width = size
    draws = torch.rand((count, _ATTEMPTS, 2), generator=generator, device=generator.device)
    least, most = area
    pixels = height * width * (least + (most - least) * draws[..., 0])
    ratio = aspect + (1 / aspect - aspect) * draws[..., 1]
    sides = torch.stack(((pixels * ratio).sqrt(), (pixels / ratio).sqrt()), -1).round_().long()
    fits = (sides[..., 0] < height) & (sides[..., 1] < width)
    first = fits.to(torch.uint8).argmax(1)[:, None, None]
    chosen = sides.take_along_dim(first, 1)[:, 0] * fits.any(1)[:, None]
    place = torch.rand((count, 2), generator=generator, device=generator.device)
    free = torch.stack((height - chosen[:, 0], width - chosen[:, 1]), 1)
    corner = (place * (free + 1)).long()
    return torch.cat((corner, corner + chosen), 1)


def inside(rectangles: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """``(B, 1, 1, H, W) bool``: which pixels lie in the rectangle of their picture."""
    spans = []
    for axis, length in enumerate(size):
        line = torch.arange(length, device=rectangles.device)
        spans.append((line >= rectangles[:, axis, None]) & (line < rectangles[:, axis + 2, None]))
    return (spans[0][:, :, None] & spans[1][:, None, :])[:, None, None]


def erase(images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Normalised pictures with 0, the mean colour, where `mask` is set; changes `images`."""
    return images.mul_(~mask)
