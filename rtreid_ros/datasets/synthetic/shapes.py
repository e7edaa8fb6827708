"""Polygons in image coordinates, where pixel i covers [i, i + 1)."""

from __future__ import annotations

import numpy as np

from rtreid_ros.types import Float64

_ARC = np.linspace(0.5 * np.pi, 1.5 * np.pi, 6)
_ROUND = np.linspace(0, 2 * np.pi, 14, endpoint=False)
CIRCLE = np.stack([np.cos(_ROUND), np.sin(_ROUND)], 1)
"""``(14, 2)`` corners of a unit circle."""
UPPER = np.stack([np.cos(np.linspace(np.pi, 2 * np.pi, 9)), np.sin(np.linspace(np.pi, 2 * np.pi, 9))], 1)
"""``(9, 2)`` corners of its upper half."""


def capsules(start: Float64, end: Float64, start_radius: Float64, end_radius: Float64) -> Float64:
    """Outlines ``(..., 12, 2)`` of tapered limbs with round ends.

    Args:
        start: ``(..., 2)`` one end.
        end: ``(..., 2)`` the other end.
        start_radius: ``(...)`` in pixels.
        end_radius: ``(...)`` in pixels.
    """
    along = end - start
    angle = np.arctan2(along[..., 1], along[..., 0])[..., None]
    cos, sin = np.cos(angle + _ARC), np.sin(angle + _ARC)
    arc = np.stack([cos, sin], -1)
    near = start[..., None, :] + arc * start_radius[..., None, None]
    far = end[..., None, :] - arc * end_radius[..., None, None]
    return np.concatenate([near, far], -2)


def ellipse(centre: Float64, width: float, height: float) -> Float64:
    """Outline ``(14, 2)`` with half axes `width` and `height`."""
    return np.asarray(centre + CIRCLE * (width, height))


def cushion(centre: Float64, width: float, height: float) -> Float64:
    """Outline ``(8, 2)`` of a rectangle with cut corners, half sides `width` and `height`."""
    w, h, c = width, height, 0.4 * min(width, height)
    corners = [
        (-w + c, -h),
        (w - c, -h),
        (w, -h + c),
        (w, h - c),
        (w - c, h),
        (-w + c, h),
        (-w, h - c),
        (-w, -h + c),
    ]
    return np.asarray(centre + np.array(corners))
