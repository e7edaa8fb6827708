"""Which looks at a track tell who it is."""

from __future__ import annotations

import numpy as np

from rtreid_ros import boxes
from rtreid_ros.gallery.options import GalleryOptions
from rtreid_ros.types import Bool, Float32, Tracks, TrackState

_BORDER = 0.005
"""A box that comes as close to the image's border as this share of the image is taken for cut off."""


def seen(tracks: Tracks) -> Bool:
    """``(N,) bool``: tracks matched to a detection of this very frame."""
    in_frame: Bool = (tracks.states != TrackState.LOST) & (tracks.time_since_update <= 0)
    return in_frame


def certainly_different(tracks: Tracks) -> Bool:
    """``(N, N) bool``: pairs of confirmed tracks matched in this frame.

    Not tentative ones: detectors now and then see one person twice for a moment.
    """
    believed = seen(tracks) & (tracks.states == TrackState.CONFIRMED)
    pairs: Bool = believed[:, None] & believed & ~np.eye(len(tracks), dtype=bool)
    return pairs


def usable(tracks: Tracks, options: GalleryOptions, image_size: tuple[int, int] | None = None) -> Bool:
    """``(N,) bool``: confirmed, well scored, large enough, whole, and not behind another.

    Args:
        tracks: of one frame.
        options: the limits.
        image_size: ``(height, width)`` in pixels; None: nothing is known about the border.
    """
    box = tracks.boxes
    good: Bool = (tracks.states == TrackState.CONFIRMED) & seen(tracks)
    good &= (tracks.scores >= options.min_score) & (box[:, 3] - box[:, 1] >= options.min_height)
    if tracks.embeddings is None:
        return np.zeros(len(tracks), bool)
    good &= np.isfinite(tracks.embeddings).all(axis=1) & (tracks.embeddings != 0).any(axis=1)
    if image_size is not None:
        height, width = image_size
        x, y = _BORDER * width, _BORDER * height
        good &= (box[:, 0] >= x) & (box[:, 1] >= y) & (box[:, 2] <= width - x) & (box[:, 3] <= height - y)
    return good & (_covered(tracks) <= options.max_overlap)


def _covered(tracks: Tracks) -> Float32:
    """``(N,)`` largest share of each box that one other box covers; predictions cover nothing."""
    others = np.flatnonzero(seen(tracks) & np.isfinite(tracks.boxes).all(axis=1))
    share = np.zeros(len(tracks), np.float32)
    if len(others) < 2:
        return share
    box = tracks.boxes
    low = np.maximum(box[:, None, :2], box[None, others, :2])
    high = np.minimum(box[:, None, 2:], box[None, others, 2:])
    common = np.maximum(high - low, 0).prod(axis=2)
    common[others, np.arange(len(others))] = 0
    area = boxes.area(box)
    np.divide(common.max(axis=1), area, out=share, where=area > 0)
    return share
