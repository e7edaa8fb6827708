"""Who is who: linear assignment with a limit, and the stages of an association."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtreid_ros import boxes
from rtreid_ros.types import Bool, Float32, Int32, Int64

OVERLAPS = ("iou", "giou", "diou", "ciou")
"""Measures of how far two boxes coincide, for `overlap`."""


def overlap(kind: str, first: Float32, second: Float32) -> Float32:
    """``(N, M)`` in [0, 1]: IoU, or one of its generalisations moved and scaled to that range.

    GIoU, DIoU and CIoU go from -1 to 1 and become ``(x + 1) / 2``, so that boxes that touch in
    nothing still differ by how far apart they are.
    """
    measure: Float32 = getattr(boxes, kind)(first, second)
    if kind != "iou":
        measure += 1
        measure /= 2
        np.clip(measure, 0, 1, out=measure)
    return measure


def overlap_cost(kind: str, first: Float32, second: Float32, least: float) -> Float32:
    """``1 - overlap``, ``(N, M)``; infinite where boxes overlap less than `least`."""
    likeness = overlap(kind, first, second)
    cost = 1 - likeness
    cost[likeness < least] = np.inf
    return cost


def load_solver() -> None:
    """Import the assignment solver (0.4 s of CPU), so that the first crowded frame does not wait for it."""
    import scipy.optimize  # noqa: F401, PLC0415 (importing this package stays quick without)


def solve_assignment(cost: Any, limit: float) -> tuple[Int64, Int64]:
    """Pairs (rows, columns) of least total cost, where leaving a pair out costs `limit`.

    Minimises ``sum(cost - limit)`` over all one-to-one pairings of any size; this is DeepSORT's and
    ByteTrack's gated assignment. No pair at or above the limit is made, so ``inf`` forbids one.

    Args:
        cost: ``(N, M)``, floating point, without NaN.
        limit: cost at which a pair is worth nothing.

    Returns:
        Two index arrays of one length, by ascending row.
    """
    gain = limit - cost
    np.maximum(gain, 0, out=gain)
    if gain.size == 0:
        none = np.zeros(0, np.int64)
        return none, none.copy()
    rows, columns = _settle_dominant(gain)

    # What is left, where anything can still be gained, goes to the solver.
    gain[rows] = 0
    gain[:, columns] = 0
    open_rows = np.flatnonzero(gain.any(axis=1))
    if len(open_rows):
        gain = gain[open_rows]
        open_columns = np.flatnonzero(gain.any(axis=0))
        gain = gain[:, open_columns]
        more_rows, more_columns = _maximise(gain)
        rows = np.concatenate((rows, open_rows[more_rows]))
        columns = np.concatenate((columns, open_columns[more_columns]))
        order = np.argsort(rows)
        rows, columns = rows[order], columns[order]
    return rows, columns


def _settle_dominant(gain: Any) -> tuple[Int64, Int64]:
    """Pairs that some optimum contains for certain.

    A pair that gains at least as much as the best alternative of its row and that of its column
    together can be exchanged into any optimum without loss. Mutually unique pairs are the case
    where both alternatives are 0. In practice that is nearly everybody.
    """
    best = gain.argmax(axis=1)
    rows = np.arange(len(gain))
    mutual = (gain.argmax(axis=0)[best] == rows) & (gain[rows, best] > 0)
    rows, columns = rows[mutual], best[mutual]
    value = gain[rows, columns]
    gain[rows, columns] = 0
    dominant = value >= gain.max(axis=1)[rows] + gain.max(axis=0)[columns]
    gain[rows, columns] = value
    return rows[dominant], columns[dominant]


def _maximise(gain: Any) -> tuple[Int64, Int64]:
    """Exact assignment of greatest total gain, without its worthless pairs."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 (see load_solver)

    rows, columns = linear_sum_assignment(gain, maximize=True)
    worth = gain[rows, columns] > 0
    return rows[worth], columns[worth]


class Matching:
    """Pairs of tracks and detections of one frame, made stage by stage.

    Attributes:
        detection_of: ``(N,)`` detection matched to each track, or -1.
        track_of: ``(M,)`` track matched to each detection, or -1.
    """

    def __init__(self, track_classes: Int32, detection_classes: Int32, per_class: bool = False) -> None:
        self.detection_of: Int64 = np.full(len(track_classes), -1, np.int64)
        self.track_of: Int64 = np.full(len(detection_classes), -1, np.int64)
        self._classes = (track_classes, detection_classes) if per_class else None

    def free_tracks(self, eligible: Bool | None = None) -> Int64:
        """Indices of the tracks, or of those of the mask `eligible`, that have no detection yet."""
        free = self.detection_of < 0
        return np.flatnonzero(free if eligible is None else eligible & free)

    def free_detections(self, eligible: Bool) -> Int64:
        """Indices of the detections of the mask `eligible` that have no track yet."""
        return np.flatnonzero(eligible & (self.track_of < 0))

    def assign(self, tracks: Int64, detections: Int64, cost: Any, limit: float) -> None:
        """One stage: match the free `tracks` and `detections` by ``cost``, one row per track."""
        if self._classes is not None:
            foreign = self._classes[0][tracks][:, None] != self._classes[1][detections]
            cost = np.where(foreign, np.inf, cost)
        rows, columns = solve_assignment(cost, limit)
        self.detection_of[tracks[rows]] = detections[columns]
        self.track_of[detections[columns]] = tracks[rows]
