"""BoT-SORT: ByteTrack with camera motion, a better state vector, and appearance.

Aharon et al., BoT-SORT: Robust Associations Multi-Pedestrian Tracking, 2022.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtreid_ros import boxes
from rtreid_ros.options import option
from rtreid_ros.tracking.appearance import AppearanceTracker, blend, cosine_distance
from rtreid_ros.tracking.bytetrack import ByteTrack, ByteTrackOptions
from rtreid_ros.tracking.state_spaces import XYWH
from rtreid_ros.types import Detections, Float32, Int64


@dataclass(frozen=True, slots=True)
class BotSortOptions(ByteTrackOptions):
    """Published defaults, but for `max_lost` (the paper's is 1 s) and `proximity_limit`, see `BotSort`."""

    max_lost: float = option(
        1.5, "a track not seen for longer than this is dropped, seconds", ge=0, search=(0.3, 3.0), live=True
    )
    proximity_limit: float = option(
        0.8,
        "appearance counts only for pairs nearer than this 1 - IoU; 0.5 is the paper's",
        ge=0,
        le=1,
        search=(0.3, 0.95),
        live=True,
    )
    appearance_limit: float = option(
        0.25,
        "appearance counts only for pairs alike to within this half cosine distance",
        ge=0,
        le=1,
        search=(0.1, 0.5),
        live=True,
    )
    momentum: float = option(
        0.9,
        "share of its old embedding a track keeps at each match",
        ge=0,
        le=0.999,
        search=(0.5, 0.99),
        live=True,
    )


class BotSort(AppearanceTracker, ByteTrack):
    """The tracker of the paper; BoT-SORT-ReID where detections come with embeddings.

    Looks may speak as far as position does (``proximity_limit=0.5``: the paper's), and are given half a
    second longer to find somebody again.
    """

    Options = BotSortOptions
    filter = XYWH()
    camera_motion = "sparse_flow"
    needs_embeddings = False
    options: BotSortOptions

    def _cost(self, tracks: Int64, predicted: Float32, detections: Detections) -> Any:
        """The smaller of position and appearance cost (paper, equations 12 and 13)."""
        overlap = boxes.iou(predicted, detections.boxes)
        cost = 1 - overlap * detections.scores
        if detections.embeddings is None or cost.size == 0:
            return cost
        options = self.options
        half = cosine_distance(self.tracks.features[tracks], detections.embeddings) / 2
        alike = (half <= options.appearance_limit) & (1 - overlap <= options.proximity_limit)
        return np.minimum(cost, half, out=cost, where=alike)

    def _continue(self, rows: Int64, detections: Detections) -> None:
        super()._continue(rows, detections)
        if detections.embeddings is not None:
            blend(self.tracks, rows, detections.embeddings, self.options.momentum)
