"""OC-SORT: SORT that trusts observations more than its own predictions.

Cao et al., Observation-Centric SORT: Rethinking SORT for Robust Multi-Object Tracking, CVPR 2023:
observation-centric momentum (OCM), recovery (OCR) and re-update (ORU).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rtreid_ros.options import option
from rtreid_ros.tracking.association import OVERLAPS, Matching, overlap_cost
from rtreid_ros.tracking.base import Tracker, TrackerOptions
from rtreid_ros.tracking.kalman import BoxFilter
from rtreid_ros.tracking.observations import Observations, direction
from rtreid_ros.tracking.rows import Gaussian, TrackRows
from rtreid_ros.tracking.state_spaces import XYSR
from rtreid_ros.types import Bool, Detections, Float32, Float64, Int64


@dataclass(frozen=True, slots=True)
class OcSortOptions(TrackerOptions):
    """Published defaults; `max_lost` is the paper's 30 frames at 30 frames per second."""

    track_threshold: float = option(
        0.6, "detections scored at least this are tracked", ge=0, le=1, search=(0.3, 0.8), live=True
    )
    overlap: str = option("iou", "what a match is judged by, all from 0 to 1", choices=OVERLAPS, live=True)
    min_overlap: float = option(
        0.3, "least overlap of a track with its detection", ge=0, le=1, search=(0.1, 0.5), live=True
    )
    inertia: float = option(
        0.2, "weight of the direction of motion in association", ge=0, le=1, search=(0.0, 0.6), live=True
    )
    delta_t: float = option(
        3.0, "how far back the direction of motion looks, nominal frames", ge=0, le=60, search=(1.0, 10.0)
    )
    byte: bool = option(
        False, "whether detections scored below the threshold can continue a track", live=True
    )
    low_threshold: float = option(
        0.1, "least score of those, with byte", ge=0, le=1, search=(0.05, 0.3), live=True
    )


@dataclass(slots=True)
class OcSortRows(TrackRows):
    """Tracks that remember what was observed."""

    observed: Observations
    heading: Float32
    """``(N, 2)`` unit vector of the last observed motion; zeros after the first detection."""
    frozen: Gaussian
    """The filter's state when the track was first missed."""
    frozen_at: Float64
    """Time of that, in nominal frames."""


class OcSort(Tracker):
    """The tracker of the paper; camera motion, which it does not know, is used if given."""

    Options = OcSortOptions
    Rows = OcSortRows
    filter: ClassVar[BoxFilter] = XYSR()
    tentative_survives = True
    options: OcSortOptions
    tracks: OcSortRows

    @property
    def least_score(self) -> float:
        """As of every tracker."""
        return self.options.low_threshold if self.options.byte else self.options.track_threshold

    def reset(self) -> None:
        """Start anew: no tracks, ids from 1, no last stamp."""
        self._looks: deque[float] = deque(maxlen=math.floor(self.options.delta_t) + 1)
        super().reset()

    def _warp(self, affine: Float64) -> None:
        super()._warp(affine)
        tracks = self.tracks
        self.filter.warp(tracks.frozen, affine)
        tracks.observed.warp(affine)
        tracks.boxes = _warp_boxes(tracks.boxes, affine)
        turned = tracks.heading @ affine[:, :2].T.astype(np.float32)
        length = np.sqrt((turned**2).sum(axis=1, keepdims=True))
        tracks.heading = np.divide(turned, length, out=turned, where=length > 0)

    def _associate(self, detections: Detections, matching: Matching) -> None:
        options, scores = self.options, detections.scores
        high = scores >= options.track_threshold

        # As far back as so many nominal frames, or as so many looks where frames are missing.
        self._looks.append(self._clock.now)
        since = min(self._looks[0], self._clock.now - options.delta_t)
        self._origins = self.tracks.observed.since(since)

        # First association: overlap with the prediction, and constancy of direction (OCM).
        predicted = self._boxes()
        tracks, rows = matching.free_tracks(), matching.free_detections(high)
        cost = overlap_cost(options.overlap, predicted, detections.boxes[rows], options.min_overlap)
        cost -= self._evidence(np.isfinite(cost), detections[rows])
        matching.assign(tracks, rows, cost, 1.0)

        if options.byte:
            tracks = matching.free_tracks()
            rows = matching.free_detections((scores >= options.low_threshold) & ~high)
            self._assign_by_overlap(matching, tracks, rows, predicted, detections)

        # Second association: overlap with the last observation (OCR).
        tracks = matching.free_tracks()
        rows = matching.free_detections(high)
        self._assign_by_overlap(matching, tracks, rows, self.tracks.boxes, detections)

    def _evidence(self, near: Bool, detections: Detections) -> Float32:
        """What speaks for a pair beside overlap, ``(N, M)``; only asked for the pairs that are `near`."""
        evidence = np.zeros(near.shape, np.float32)
        tracks, rows = np.nonzero(near)
        evidence[tracks, rows] = self._momentum(tracks, detections, rows)
        return evidence

    def _momentum(self, tracks: Int64, detections: Detections, rows: Int64) -> Float32:
        """OCM (paper, section 4.2): how well each pair keeps the track's direction, ``(P,)``.

        Half a turn apart gives ``-inertia / 2``, the same direction ``inertia / 2``, times the score.
        """
        origin = self._origins[tracks]
        towards = direction(origin, _centers(detections.boxes)[rows])
        cosine = np.einsum("pi,pi->p", self.tracks.heading[tracks], towards).clip(-1, 1)
        constancy = 0.5 - np.arccos(cosine) / np.pi
        momentum: Float32 = self.options.inertia * constancy * detections.scores[rows]
        return momentum

    def _assign_by_overlap(
        self, matching: Matching, tracks: Int64, rows: Int64, places: Float32, detections: Detections
    ) -> None:
        options = self.options
        cost = overlap_cost(options.overlap, places[tracks], detections.boxes[rows], options.min_overlap)
        matching.assign(tracks, rows, cost, 1.0)

    def _can_begin(self, detections: Detections) -> Bool:
        good: Bool = detections.scores >= self.options.track_threshold
        return good

    def _grace(self) -> int:
        return self.options.min_hits

    def _new_tracks(self, detections: Detections, **more: Any) -> TrackRows:
        count = len(detections)
        centers = _centers(detections.boxes)
        nothing = np.zeros((count, 4))
        return super()._new_tracks(
            detections,
            observed=Observations.of(centers, self._clock.now, self.options.delta_t),
            heading=np.zeros((count, 2), np.float32),
            frozen=Gaussian(nothing, *(nothing.copy() for _ in range(4))),
            frozen_at=np.zeros(count),
            **more,
        )

    def _continue(self, rows: Int64, detections: Detections) -> None:
        tracks, centers = self.tracks, _centers(detections.boxes)
        self._relive(rows, detections)
        tracks.heading[rows] = direction(self._origins[rows], centers)
        super()._continue(rows, detections)
        tracks.observed.add(rows, centers, self._clock.now)

    def _judge(self, matched: Bool) -> None:
        missed = np.flatnonzero(~matched & (self.tracks.seen == self._before))
        self.tracks.frozen.put(missed, self.tracks.motion.take(missed))
        self.tracks.frozen_at[missed] = self._clock.now
        super()._judge(matched)

    def _relive(self, rows: Int64, detections: Detections) -> None:
        """ORU (paper, section 4.1) for those of `rows` that are seen again after they were missed.

        The filter goes back to where it stood when the track was first missed, and is led along the
        straight line from the last observation to the new one, a virtual observation per nominal
        frame, ready for the update by the new one.
        """
        tracks, now = self.tracks, self._clock.now
        again = np.flatnonzero(tracks.seen[rows] < self._before)
        if len(again) == 0:
            return
        back = rows[again]
        start = tracks.boxes[back].astype(np.float64)
        path = detections.boxes[again] - start
        seen, state = tracks.seen[back], tracks.frozen.take(back)
        time, elapsed = tracks.frozen_at[back], now - seen
        virtual = np.ceil(now - time - 1e-6)  # observations from then on, a frame apart, before now
        for step in range(int(virtual.max(initial=0))):
            some = np.flatnonzero(virtual > step)
            moving = state if len(some) == len(state) else state.take(some)
            if step:
                self.filter.predict(moving, 1.0)
            share = (time[some] + step - seen[some]) / elapsed[some]
            on_line = self.filter.measure(start[some] + share[:, None] * path[some])
            self.filter.update(moving, np.arange(len(some)), on_line)
            if moving is not state:
                state.put(some, moving)
        self.filter.predict(state, (now - time - np.maximum(virtual - 1, 0))[:, None])
        tracks.motion.put(back, state)


def _centers(boxes: Float32) -> Float32:
    centers: Float32 = (boxes[:, :2] + boxes[:, 2:]) * np.float32(0.5)
    return centers


def _warp_boxes(boxes: Float32, affine: Float64) -> Float32:
    """Corner boxes moved with their centres and scaled, not turned."""
    linear, offset = affine[:, :2], affine[:, 2]
    centers = _centers(boxes) @ linear.T + offset
    half = (boxes[:, 2:] - boxes[:, :2]) * (np.sqrt(abs(np.linalg.det(linear))) / 2)
    return np.concatenate([centers - half, centers + half], axis=1).astype(np.float32)
