"""Filling the gaps of tracks, linearly or along a smoothed path.

Both work track by track. A gap of more than `max_gap` missing frames is left open, and what lies
on its two sides is treated as two tracks (with one id). Ids are never touched. A filled row has the
score and visibility between its neighbours', in proportion, and the class of the earlier one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import ConfigError
from rtreid_ros.postprocess.table import by_frame, by_track

if TYPE_CHECKING:
    from rtreid_ros.evaluation.mot_text import MotTable
    from rtreid_ros.types import Float64, Int64

NOISE = 1e-6
"""Variance of the observations' noise over that of the process (sigma^2 of the paper's equation)."""

_CORE = 512
_REACH = 14
"""Runs are smoothed in pieces of `_CORE` frames, of which each also sees `_REACH` length scales around."""


def interpolate_linear(table: MotTable, max_gap: int) -> MotTable:
    """Boxes between the two at the ends of a gap, in proportion to time (Zhang et al., "ByteTrack:
    Multi-Object Tracking by Associating Every Detection Box", 2022, section 4.1).

    Args:
        table: one box per id and frame.
        max_gap: most frames missing in a row that are filled.

    Returns:
        The rows given, unchanged, and the filled ones, by frame and id.

    Raises:
        ConfigError: `max_gap` is negative.
        InputError: an id occurs twice in a frame.
    """  # noqa: D205 (a citation is long)
    return by_frame(_filled(by_track(table), _checked(max_gap)))


def interpolate_gaussian(table: MotTable, max_gap: int, tau: float = 10.0) -> MotTable:
    """Gaussian-smoothed interpolation (Du et al., "StrongSORT: Make DeepSORT Great Again", IEEE
    Transactions on Multimedia 2023, section 3.4): every box moves to where a Gaussian process
    over time expects it, which takes the detector's jitter out and bends filled gaps.

    Gaps are first filled linearly; see `smooth` for the process.

    Args:
        table: one box per id and frame.
        max_gap: most frames missing in a row that are filled; longer ones also part the smoothing.
        tau: frames; scale of the smoothing.

    Returns:
        As many rows as `interpolate_linear`, all boxes smoothed, by frame and id.

    Raises:
        ConfigError: `max_gap` is negative or `tau` not positive.
        InputError: an id occurs twice in a frame.
    """  # noqa: D205 (a citation is long)
    if not tau > 0:
        raise ConfigError(f"tau must be positive, got {tau!r}")
    filled = _filled(by_track(table), _checked(max_gap))
    boxes = filled.boxes.copy()
    borders = np.flatnonzero((np.diff(filled.ids) != 0) | (np.diff(filled.frames) != 1)) + 1
    for start, end in zip([0, *borders], [*borders, len(filled)], strict=True):
        boxes[start:end] = smooth(filled.boxes[start:end], tau)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 0.0)  # overshoot must not turn a box inside out
    return by_frame(replace(filled, boxes=boxes, corners=None))


def length_scale(frames: int, tau: float) -> float:
    """Of the kernel for a run of so many frames: ``tau log(tau^3 / frames)``, from ``1 / tau`` to ``tau^2``.

    The paper's equation (its section 3.4), and the bounds its authors compute with: longer tracks
    are steadier, so they are smoothed over a shorter time, and from ``tau^3`` frames on not at all.
    """
    return float(np.clip(tau * np.log(tau**3 / frames), 1 / tau, max(tau**2, 1 / tau)))


def smooth(values: Float64, tau: float, noise: float = NOISE) -> Float64:
    """What a Gaussian process expects at the very times of its observations.

    ``K (K + noise I)^-1 (P - L) + L`` with ``K_st = exp(-(s - t)^2 / 2 lambda^2)``, by Cholesky; L
    is the straight line through the observations (least squares), without which the process would
    draw both ends of a track towards the image's origin.

    A run of more than ``512 + 28 lambda`` frames is smoothed in pieces of 512 that also see the 14
    lambda before and behind them, beyond which an observation moves no box by 0.001 of its jitter.
    So memory is bounded by one matrix of that size, whatever the length.

    Args:
        values: ``(T, D)``, one row per frame, without gaps.
        tau: frames; see `length_scale`.
        noise: see `NOISE`.

    Returns:
        ``(T, D)``.
    """
    from scipy.linalg import cho_factor, cho_solve  # noqa: PLC0415 (slow to import)

    count = len(values)
    if count < 3:  # a line goes through them all
        return values.copy()
    scale = length_scale(count, tau)
    times = np.arange(count) - (count - 1) / 2
    line = values.mean(axis=0) + np.outer(times, times @ values / (times @ times))
    rest = values - line
    reach = int(np.ceil(_REACH * scale))
    smoothed = np.empty_like(values)
    starts = range(0, count, _CORE) if count > _CORE + 2 * reach else (0,)
    for start in starts:
        end = min(start + _CORE, count) if len(starts) > 1 else count
        first, last = max(start - reach, 0), min(end + reach, count)
        noisy = _kernel(last - first, scale)
        noisy[np.diag_indices_from(noisy)] += noise
        weights = cho_solve(cho_factor(noisy, lower=True, overwrite_a=True), rest[first:last])
        # K w is what is left of (K + noise I) w = rest
        smoothed[start:end] = (rest[first:last] - noise * weights)[start - first : end - first]
    smoothed += line
    return smoothed


def _kernel(count: int, scale: float) -> Float64:
    """``(count, count)``, of unit variance."""
    values: Float64 = np.exp(-0.5 * (np.arange(count) / scale) ** 2)
    apart: Int64 = np.abs(np.subtract.outer(np.arange(count), np.arange(count)))
    return np.take(values, apart)


def _checked(max_gap: int) -> int:
    if max_gap < 0:
        raise ConfigError(f"max_gap must be an integer >= 0, got {max_gap!r}")
    return max_gap


def _filled(ordered: MotTable, max_gap: int) -> MotTable:
    """Rows `by_track` with the gaps filled, in that order."""
    gaps = np.diff(ordered.frames)
    missing = np.where((np.diff(ordered.ids) == 0) & (gaps <= max_gap + 1), gaps - 1, 0)
    left: Int64 = np.repeat(np.arange(len(missing)), missing)
    if not len(left):
        return ordered
    step = np.arange(len(left)) - np.repeat(np.cumsum(missing) - missing, missing) + 1
    share = step / gaps[left]
    keys = np.concatenate([np.arange(len(ordered)), left + share])
    order = np.argsort(keys, kind="stable")

    def between(column: Float64) -> Float64:
        part = share.reshape(-1, *[1] * (column.ndim - 1))
        new = column[left] * (1 - part) + column[left + 1] * part
        return np.concatenate([column, new])[order]

    def same(column: Int64) -> Int64:
        return np.concatenate([column, column[left]])[order]

    return replace(
        ordered,
        frames=np.concatenate([ordered.frames, ordered.frames[left] + step])[order],
        ids=same(ordered.ids),
        boxes=between(ordered.boxes),
        scores=between(ordered.scores),
        class_ids=same(ordered.class_ids),
        visibility=between(ordered.visibility.astype(np.float64)).astype(np.float32),
        corners=None if ordered.corners is None else between(ordered.corners),
    )
