"""Other surroundings for a person, without knowing the person's outline."""

from __future__ import annotations

import torch

_HALF_WIDTH, _HALF_HEIGHT = 0.36, 0.49
"""Of the region that counts as the person, shares of the picture: people stand upright in its middle."""
_POWER = 4
"""Between an ellipse (2) and a rectangle."""
_EDGE = 0.15
"""Width of the transition, as a share of the region."""


def person_prior(size: tuple[int, int]) -> torch.Tensor:
    """``(H, W)`` from 0, surroundings, to 1, the person: where people stand in crops of a detector.

    A prior and no outline: arms and bags beyond it are lost, and what lies between the legs stays. An outline
    takes a network for segmentation, which this package does not have.
    """
    down, across = (
        ((torch.arange(length) + 0.5) / length - 0.5).abs() / half
        for length, half in zip(size, (_HALF_HEIGHT, _HALF_WIDTH), strict=True)
    )
    radius = (down[:, None] ** _POWER + across**_POWER) ** (1 / _POWER)
    return ((1 + _EDGE / 2 - radius) / _EDGE).clamp(0, 1)
