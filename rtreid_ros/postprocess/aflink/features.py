"""What the link model sees of two tracklets: the end of one and the beginning of the other.

The paper's rows are (frame, x, y) in frames and pixels. Here time is in seconds and lengths are in
heights of the person at hand, so that one model serves every frame rate, resolution and distance.
Added to them are the height, which tells near from far, and how far each box lies from where the
two tracklets lead at constant velocity, which a small network does not find out by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtreid_ros.types import Float32, Float64

ROWS = 30
"""Boxes of each tracklet that the model sees, as in the paper."""

CHANNELS = ("seconds", "x", "y", "log_height", "ahead_x", "ahead_y", "back_x", "back_y", "present")
"""Columns of a row. Time, box centre and height relative to the earlier tracklet's last box; the centre
relative to where the earlier tracklet leads at that time, and to where the later one comes from; 1
where there is a box. Rows without one are all 0."""

_UNSURE = 0.02
"""Seconds squared: a spread of a tracklet's times at which its velocity counts half."""

SECONDS, X, Y, HEIGHT = range(4)
"""Columns of an excerpt (`tail`, `head`): seconds, box centre and box height in pixels."""


def tail(rows: Float64) -> Float64:
    """The last boxes ``(M, 4)`` of a tracklet as ``(ROWS, 4)``, NaN before them."""
    excerpt = np.full((ROWS, 4), np.nan)
    last = rows[-ROWS:]
    excerpt[ROWS - len(last) :] = last
    return excerpt


def head(rows: Float64) -> Float64:
    """The first boxes ``(M, 4)`` of a tracklet as ``(ROWS, 4)``, NaN behind them."""
    excerpt = np.full((ROWS, 4), np.nan)
    first = rows[:ROWS]
    excerpt[: len(first)] = first
    return excerpt


def pair_features(tails: Float64, heads: Float64) -> Float32:
    """Input of the model for N pairs.

    Args:
        tails: ``(N, ROWS, 4)``, the ends of the earlier tracklets.
        heads: ``(N, ROWS, 4)``, the beginnings of the later ones.

    Returns:
        ``(N, 2, ROWS, len(CHANNELS))``.
    """
    both = np.stack([tails, heads], axis=1)
    last, first = tails[:, -1], heads[:, 0]
    # the mean of two single boxes' heights, of which occlusion may have cut either, is not enough
    heights = np.nanmedian(both[..., HEIGHT].reshape(len(both), 2 * ROWS), axis=1)
    size = np.maximum(heights, 1.0)[:, None, None]
    features = np.empty((*both.shape[:3], len(CHANNELS)), np.float32)
    features[..., 0] = both[..., SECONDS] - last[:, None, None, SECONDS]
    features[..., 1:3] = (both[..., X : Y + 1] - last[:, None, None, X : Y + 1]) / size[..., None]
    features[..., 3] = np.log(np.maximum(both[..., HEIGHT], 1.0) / size)
    features[..., 4:6] = (both[..., X : Y + 1] - _led_to(tails, last, both)) / size[..., None]
    features[..., 6:8] = (both[..., X : Y + 1] - _led_to(heads, first, both)) / size[..., None]
    present = np.isfinite(both[..., SECONDS])
    features[..., 8] = present
    features[~present] = 0.0
    return features


def _led_to(excerpts: Float64, origin: Float64, both: Float64) -> Float64:
    """Where a tracklet is at the times of all rows if it keeps its velocity: ``(N, 2, ROWS, 2)`` pixels.

    Args:
        excerpts: ``(N, ROWS, 4)``, whose velocity is that of least squares, but small for few boxes.
        origin: ``(N, 4)``, the row it passes through.
        both: ``(N, 2, ROWS, 4)``.
    """
    apart = excerpts - np.nanmean(excerpts, axis=1, keepdims=True)
    seconds, places = apart[..., SECONDS], apart[..., X : Y + 1]
    spread = np.nansum(seconds**2, axis=1)[:, None] + _UNSURE
    velocity = np.nansum(seconds[..., None] * places, axis=1) / spread
    later = both[..., SECONDS] - origin[:, None, None, SECONDS]
    led: Float64 = origin[:, None, None, X : Y + 1] + later[..., None] * velocity[:, None, None]
    return led
