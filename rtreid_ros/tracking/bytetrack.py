"""ByteTrack: associate every detection box, also the doubtful ones.

Zhang et al., ByteTrack: Multi-Object Tracking by Associating Every Detection Box, ECCV 2022,
algorithm 1, with the life of tracks as in the authors' experiments (section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from rtreid_ros import boxes
from rtreid_ros.options import option
from rtreid_ros.tracking.association import Matching
from rtreid_ros.tracking.base import Tracker, TrackerOptions
from rtreid_ros.tracking.kalman import BoxFilter
from rtreid_ros.tracking.state_spaces import XYAH
from rtreid_ros.types import Bool, Detections, Float32, Int64, TrackState


@dataclass(frozen=True, slots=True)
class ByteTrackOptions(TrackerOptions):
    """Published defaults; `max_lost` is the paper's 30 frames at 30 frames per second."""

    min_hits: int = option(2, "detections that confirm a track not born in the first frame", ge=1, live=True)
    track_threshold: float = option(
        0.6, "detections scored at least this are associated first", ge=0, le=1, search=(0.3, 0.8), live=True
    )
    low_threshold: float = option(
        0.1,
        "detections scored at least this can still continue a track",
        ge=0,
        le=1,
        search=(0.05, 0.3),
        live=True,
    )
    new_track_threshold: float = option(
        0.7, "least score of a detection that begins a track", ge=0, le=1, search=(0.3, 0.9), live=True
    )
    first_limit: float = option(
        0.8, "first association: greatest 1 - IoU * score", ge=0, le=1, search=(0.5, 0.95), live=True
    )
    second_limit: float = option(
        0.5, "second association, of low scores: greatest 1 - IoU", ge=0, le=1, search=(0.2, 0.8), live=True
    )
    tentative_limit: float = option(
        0.7,
        "association of tentative tracks: greatest 1 - IoU * score",
        ge=0,
        le=1,
        search=(0.3, 0.9),
        live=True,
    )
    duplicate_limit: float = option(
        0.15,
        "of a seen and a lost track nearer than this 1 - IoU, the younger goes",
        ge=0,
        le=1,
        search=(0.0, 0.3),
        live=True,
    )


class ByteTrack(Tracker):
    """The tracker of the paper; camera motion, which it does not know, is used if given."""

    Options = ByteTrackOptions
    filter: ClassVar[BoxFilter] = XYAH()
    options: ByteTrackOptions

    @property
    def least_score(self) -> float:
        """As of every tracker."""
        return self.options.low_threshold

    def _associate(self, detections: Detections, matching: Matching) -> None:
        options, states, scores = self.options, self.tracks.states, detections.scores
        predicted = self._boxes()
        high = scores >= options.track_threshold
        low = (scores >= options.low_threshold) & ~high

        # First association: all believed tracks, lost ones included, with the high scores.
        tracks = matching.free_tracks(states != TrackState.TENTATIVE)
        rows = matching.free_detections(high)
        cost = self._cost(tracks, predicted[tracks], detections[rows])
        matching.assign(tracks, rows, cost, options.first_limit)

        # Second association: tracks seen in the last frame with the low scores, by position alone.
        tracks = matching.free_tracks(states == TrackState.CONFIRMED)
        rows = matching.free_detections(low)
        cost = 1 - boxes.iou(predicted[tracks], detections.boxes[rows])
        matching.assign(tracks, rows, cost, options.second_limit)

        # Tracks seen only once must be seen again, with a high score.
        tracks = matching.free_tracks(states == TrackState.TENTATIVE)
        rows = matching.free_detections(high)
        cost = self._cost(tracks, predicted[tracks], detections[rows])
        matching.assign(tracks, rows, cost, options.tentative_limit)

    def _cost(self, tracks: Int64, predicted: Float32, detections: Detections) -> Any:
        """Cost of each pair of `tracks`, which are where `predicted` says, and `detections`."""
        return 1 - boxes.iou(predicted, detections.boxes) * detections.scores

    def _can_begin(self, detections: Detections) -> Bool:
        good: Bool = detections.scores >= self.options.new_track_threshold
        return good

    def _grace(self) -> int:
        return 1

    def _finish(self) -> None:
        """Drop the younger of a seen and a lost track that have become one."""
        lost = self.tracks.states == TrackState.LOST
        if not lost.any() or lost.all():
            return
        seen_rows, lost_rows = np.flatnonzero(~lost), np.flatnonzero(lost)
        current = self._boxes()
        near = 1 - boxes.iou(current[seen_rows], current[lost_rows]) < self.options.duplicate_limit
        if self.options.per_class:
            near &= self.tracks.class_ids[seen_rows][:, None] == self.tracks.class_ids[lost_rows]
        first, second = np.nonzero(near)
        if len(first) == 0:
            return
        first, second = seen_rows[first], lost_rows[second]
        older = self.tracks.born[first] <= self.tracks.born[second]
        keep = np.ones(len(lost), bool)
        keep[np.where(older, second, first)] = False
        self.tracks.keep(keep)
