"""StrongSORT: DeepSORT with appearance as the main evidence.

Du et al., StrongSORT: Make DeepSORT Great Again, IEEE Transactions on Multimedia 2023, section 3.2:
smoothed embeddings (EMA), camera motion compensation, NSA Kalman filter, motion cost (MC) and one
global assignment (woC) in place of the matching cascade of DeepSORT (Wojke et al., ICIP 2017),
whose track management it keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtreid_ros import boxes
from rtreid_ros.options import option
from rtreid_ros.tracking.appearance import GalleryTracker, blend, cosine_distance
from rtreid_ros.tracking.association import Matching
from rtreid_ros.tracking.base import TrackerOptions
from rtreid_ros.tracking.kalman import CHI2_95_4
from rtreid_ros.tracking.state_spaces import XYAH
from rtreid_ros.types import Bool, Detections, Float32, Float64, Int64, TrackState

_LEAST_NOISE = 1e-6
"""Share of the measurement noise left to a detection of score 1, so that no variance becomes 0."""


@dataclass(frozen=True, slots=True)
class StrongSortOptions(TrackerOptions):
    """Published defaults; `max_lost` is the paper's 30 frames in its slowest sequences, of 14 per second."""

    max_lost: float = option(
        2.0, "a track not seen for longer than this is dropped, seconds", ge=0, search=(0.3, 5.0), live=True
    )
    min_score: float = option(
        0.6, "detections scored below this are ignored", ge=0, le=1, search=(0.3, 0.8), live=True
    )
    appearance_limit: float = option(
        0.45,
        "first association: greatest fused cost (0.4 for the cosine, 0.05 for the motion)",
        ge=0,
        search=(0.2, 0.9),
        live=True,
    )
    appearance_weight: float = option(
        0.98,
        "share of the cosine distance in the fused cost; the rest is the Mahalanobis distance",
        ge=0,
        le=1,
        search=(0.8, 1.0),
        live=True,
    )
    gate: float = option(
        CHI2_95_4,
        "greatest squared Mahalanobis distance of a match by appearance",
        ge=0,
        search=(4.0, 30.0),
        live=True,
    )
    iou_limit: float = option(
        0.7, "second association: greatest 1 - IoU", ge=0, le=1, search=(0.4, 0.9), live=True
    )
    momentum: float = option(
        0.9,
        "share of its old embedding a track keeps at each match",
        ge=0,
        le=0.999,
        search=(0.5, 0.99),
        live=True,
    )
    gallery: int = option(
        10,
        "snapshots of a track's smoothed embedding also compared with; 0 is the paper's",
        ge=0,
        le=1000,
        search=[0, 10, 30],
    )


class StrongSort(GalleryTracker):
    """The tracker of the paper, online part.

    Beyond the paper, detections are compared with the nearest of a track's smoothed embeddings now and
    in the past (``gallery``): a young track with the looks of an older one then does not take turns
    with it. On MOT17 (validation halves) it is worth 0.3 HOTA with strong embeddings, 1.6 with
    weak ones.

    Frames without embeddings are associated by position: 1 - IoU under the same Mahalanobis gate
    stands in for the fused cost.
    """

    Options = StrongSortOptions
    filter = XYAH()
    camera_motion = "ecc"
    options: StrongSortOptions

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

        def overlap_cost(tracks: Int64, rows: Int64) -> Any:
            return 1 - boxes.iou(predicted[tracks], detections.boxes[rows])

        # First association: all confirmed tracks, lost ones included, by appearance within reach.
        tracks = matching.free_tracks(states != TrackState.TENTATIVE)
        rows = matching.free_detections(good)
        measured = self.filter.measure(detections.boxes[rows].astype(np.float64))
        motion = self.filter.gating_distance(self.tracks.motion, tracks, measured)
        within = motion <= options.gate
        if detections.embeddings is None or len(rows) == 0:
            cost, limit = overlap_cost(tracks, rows), options.iou_limit
        else:
            cost = self._appearance_cost(tracks, detections.embeddings[rows], motion, within)
            limit = options.appearance_limit
        cost[~within] = np.inf
        matching.assign(tracks, rows, cost, limit)

        # Second association: tentative tracks, and those missed only now, by overlap.
        tracks = matching.free_tracks(states != TrackState.LOST)
        rows = matching.free_detections(good)
        matching.assign(tracks, rows, overlap_cost(tracks, rows), options.iou_limit)

    def _appearance_cost(self, tracks: Int64, embeddings: Float32, motion: Float64, within: Bool) -> Any:
        """Cosine and Mahalanobis distance weighed together (StrongSORT, equation 7)."""
        options, weight = self.options, self.options.appearance_weight
        cost = weight * cosine_distance(self.tracks.features[tracks], embeddings)
        cost += (1 - weight) * motion
        limit = options.appearance_limit
        if options.gallery and cost.size:
            # Whom present looks settle beyond doubt need not be asked for past ones.
            asked = np.ones_like(within)
            sure_tracks, sure_detections = _mutual_best(np.where(within, cost, np.inf), limit / 2)
            asked[sure_tracks] = False
            asked[:, sure_detections] = False
            one, other = np.nonzero(within & asked)
            past = weight * self._gallery.distance(self.tracks.slots[tracks[one]], embeddings[other])
            cost[one, other] = np.minimum(cost[one, other], past + (1 - weight) * motion[one, other])
        return cost

    def _noise_scale(self, scores: Float32) -> Float64:
        return np.maximum(1 - scores.astype(np.float64), _LEAST_NOISE)

    def _continue(self, rows: Int64, detections: Detections) -> None:
        super()._continue(rows, detections)
        if detections.embeddings is not None:
            blend(self.tracks, rows, detections.embeddings, self.options.momentum)
            if self.options.gallery:
                # One snapshot per time constant of the average: those between would be nearly the same.
                interval = round(1 / (1 - self.options.momentum))
                now = rows[self.tracks.hits[rows] % interval == 0]
                self._gallery.remember(self.tracks.slots[now], self.tracks.features[now])

    def _can_begin(self, detections: Detections) -> Bool:
        good: Bool = detections.scores >= self.options.min_score
        return good


def _mutual_best(cost: Any, limit: float) -> tuple[Int64, Int64]:
    """Pairs that are each other's cheapest, at a cost below `limit`."""
    best = cost.argmin(axis=1)
    rows = np.arange(len(cost))
    mutual = (cost.argmin(axis=0)[best] == rows) & (cost[rows, best] < limit)
    return rows[mutual], best[mutual]
