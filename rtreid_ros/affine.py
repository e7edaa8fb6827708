"""Motions of the image plane as ``(2, 3)`` affines in pixels."""

from __future__ import annotations

import numpy as np

from rtreid_ros.types import Float64


def identity() -> Float64:
    """No motion."""
    return np.eye(2, 3)


def compose(outer: Float64, inner: Float64) -> Float64:
    """The 2x3 affine that applies `inner`, then `outer`."""
    linear = outer[:, :2] @ inner[:, :2]
    return np.concatenate([linear, (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]], 1)


def invert(affine: Float64) -> Float64:
    """The 2x3 affine that undoes `affine`."""
    linear = np.linalg.inv(affine[:, :2])
    return np.concatenate([linear, -(linear @ affine[:, 2])[:, None]], 1)


def transform(affine: Float64, points: Float64) -> Float64:
    """Points ``(..., 2)`` moved by the 2x3 `affine`."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])
