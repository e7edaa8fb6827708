"""DeepSORT: SORT with appearance and a matching cascade.

Wojke et al., Simple Online and Realtime Tracking with a Deep Association Metric, ICIP 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtreid_ros.options import option
from rtreid_ros.tracking.appearance import GalleryTracker, cosine_distance
from rtreid_ros.tracking.association import OVERLAPS, Matching, overlap
from rtreid_ros.tracking.base import TrackerOptions
from rtreid_ros.tracking.kalman import CHI2_95_4
from rtreid_ros.tracking.state_spaces import XYAH
from rtreid_ros.types import Bool, Detections, Float32, Int64, TrackState


@dataclass(frozen=True, slots=True)
class DeepSortOptions(TrackerOptions):
    """Published defaults; `max_lost` is the paper's 30 frames in its slowest sequences, of 14 per second."""

    max_lost: float = option(
        2.0, "a track not seen for longer than this is dropped, seconds", ge=0, search=(0.3, 5.0), live=True
    )
    min_score: float = option(
        0.5, "detections scored below this are ignored", ge=0, le=1, search=(0.3, 0.8), live=True
    )
    appearance_limit: float = option(
        0.2,
        "matching cascade: greatest cosine distance to the nearest past look",
        ge=0,
        le=2,
        search=(0.1, 0.6),
        live=True,
    )
    gate: float = option(
        CHI2_95_4,
        "greatest squared Mahalanobis distance of a match by appearance",
        ge=0,
        search=(4.0, 30.0),
        live=True,
    )
    overlap: str = option(
        "iou", "what a match by position is judged by, all from 0 to 1", choices=OVERLAPS, live=True
    )
    overlap_limit: float = option(
        0.7, "association by position: greatest 1 - overlap", ge=0, le=1, search=(0.4, 0.9), live=True
    )
    gallery: int = option(100, "embeddings kept of a track", ge=1, le=1000, search=[1, 10, 30, 100])


class DeepSort(GalleryTracker):
    """The tracker of the paper; its options allow DIoU (Zheng et al., AAAI 2020) in place of IoU.

    ``features`` hold the last embedding; one of zeros, which tells nothing, changes nothing. Frames
    without embeddings are associated by position, under the same Mahalanobis gate and in the same
    cascade.
    """

    Options = DeepSortOptions
    filter = XYAH()
    borrows = False  # it remembers every look on its own: one lent again and again drives out others
    options: DeepSortOptions

    @property
    def least_score(self) -> float:
        """As of every tracker."""
        return self.options.min_score

    def _looks_kept(self) -> int:
        return self.options.gallery

    def _associate(self, detections: Detections, matching: Matching) -> None:
        options, states = self.options, self.tracks.states
        good = detections.scores >= options.min_score
        predicted = self._boxes()

        # Matching cascade (paper, listing 1): who was seen last chooses first.
        tracks = matching.free_tracks(states != TrackState.TENTATIVE)
        rows = matching.free_detections(good)
        cost, limit = self._cost(tracks, rows, predicted, detections)
        able = np.flatnonzero((cost < limit).any(axis=1))
        seen = self.tracks.seen[tracks[able]]
        for time in np.unique(seen)[::-1]:
            level = able[seen == time]
            free = np.flatnonzero(matching.track_of[rows] < 0)
            matching.assign(tracks[level], rows[free], cost[np.ix_(level, free)], limit)

        # Then tentative tracks, and those missed only now, by position.
        tracks = matching.free_tracks(states != TrackState.LOST)
        rows = matching.free_detections(good)
        cost = 1 - overlap(options.overlap, predicted[tracks], detections.boxes[rows])
        matching.assign(tracks, rows, cost, options.overlap_limit)

    def _cost(
        self, tracks: Int64, rows: Int64, predicted: Float32, detections: Detections
    ) -> tuple[Any, float]:
        """Appearance cost of each pair within the gate (paper, equations 1 to 4), and its limit."""
        options = self.options
        measured = self.filter.measure(detections.boxes[rows].astype(np.float64))
        within = self.filter.gating_distance(self.tracks.motion, tracks, measured) <= options.gate
        if detections.embeddings is None or len(rows) == 0:
            cost = 1 - overlap(options.overlap, predicted[tracks], detections.boxes[rows])
            limit = options.overlap_limit
        else:
            cost = self._nearest_look(tracks, detections.embeddings[rows], within)
            limit = options.appearance_limit
        cost[~within] = np.inf
        return cost, limit

    def _nearest_look(self, tracks: Int64, embeddings: Float32, within: Bool) -> Any:
        """Cosine distance to a track's nearest past look (paper, equation 2), exact where it matters."""
        cost = cosine_distance(self.tracks.features[tracks], embeddings)
        # A pair alone within the gate and like the last look is matched whatever its exact cost.
        alone = (within.sum(axis=1) == 1)[:, None] & (within.sum(axis=0) == 1)
        one, other = np.nonzero(within & ~(alone & (cost < self.options.appearance_limit)))
        cost[one, other] = self._gallery.distance(self.tracks.slots[tracks[one]], embeddings[other])
        return cost

    def _continue(self, rows: Int64, detections: Detections) -> None:
        super()._continue(rows, detections)
        if detections.embeddings is not None:
            told = detections.embeddings.any(axis=1)
            self.tracks.features[rows[told]] = detections.embeddings[told]
            self._gallery.remember(self.tracks.slots[rows[told]], detections.embeddings[told])

    def _can_begin(self, detections: Detections) -> Bool:
        good: Bool = detections.scores >= self.options.min_score
        return good

    def _begin(self, detections: Detections, rows: Int64) -> None:
        super()._begin(detections, rows)
        if detections.embeddings is not None:
            looks = detections.embeddings[rows]
            told = looks.any(axis=1)
            self._gallery.remember(self.tracks.slots[-len(rows) :][told], looks[told])
