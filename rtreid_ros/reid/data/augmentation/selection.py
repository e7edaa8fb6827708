"""Work on those pictures of a batch that were drawn for it."""

from __future__ import annotations

from collections.abc import Callable

import torch

Work = Callable[..., torch.Tensor]

_KNOWN_AT_ONCE = ("cpu",)
"""Devices that say without delay how many were chosen; on others all are worked on, rather than wait."""


def draw_chance(probability: float, count: int, generator: torch.Generator) -> torch.Tensor:
    """``(count,) bool``, each True with `probability`."""
    return torch.rand(count, generator=generator, device=generator.device) < probability


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Numbers between `low` and `high`."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def where_chosen(
    chosen: torch.Tensor, images: torch.Tensor, work: Work, *parameters: torch.Tensor
) -> torch.Tensor:
    """`images`, and ``work(images, *parameters)`` where `chosen` says so; may overwrite `images`.

    Args:
        chosen: ``(B,) bool``.
        images: ``(B, T, C, H, W)``.
        work: treats every picture on its own.
        parameters: its further arguments, with B rows each.
    """
    if images.device.type not in _KNOWN_AT_ONCE:
        return torch.where(chosen[:, None, None, None, None], work(images, *parameters), images)
    rows = chosen.nonzero()[:, 0]
    if len(rows):
        images[rows] = work(images[rows], *(item[rows] for item in parameters))
    return images
