"""SORT: a Kalman filter, IoU and the Hungarian algorithm.

Bewley et al., Simple Online and Realtime Tracking, ICIP 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option
from rtreid_ros.tracking.association import OVERLAPS, Matching, overlap_cost
from rtreid_ros.tracking.base import Tracker, TrackerOptions
from rtreid_ros.tracking.state_spaces import XYSR
from rtreid_ros.types import Bool, Detections


@dataclass(frozen=True, slots=True)
class SortOptions(TrackerOptions):
    """Published defaults, but for `max_lost`: the paper drops a track missed twice (1 / 30), see `Sort`."""

    min_score: float = option(
        0.5, "detections scored below this are ignored", ge=0, le=1, search=(0.3, 0.8), live=True
    )
    overlap: str = option("iou", "what a match is judged by, all from 0 to 1", choices=OVERLAPS, live=True)
    min_overlap: float = option(
        0.3, "least overlap of a track with its detection", ge=0, le=1, search=(0.1, 0.5), live=True
    )


class Sort(Tracker):
    """The tracker of the paper; camera motion, which it does not know, is used if given.

    One thing is not the paper's: there a track missed twice is gone (``max_lost=1/30``), because who is
    lost is left to others to find again. Alone on a robot it must wait, and does as long as the rest.
    """

    Options = SortOptions
    filter = XYSR()
    tentative_survives = True
    options: SortOptions

    def _associate(self, detections: Detections, matching: Matching) -> None:
        options = self.options
        rows = matching.free_detections(detections.scores >= options.min_score)
        cost = overlap_cost(options.overlap, self._boxes(), detections.boxes[rows], options.min_overlap)
        matching.assign(matching.free_tracks(), rows, cost, 1.0)

    def _can_begin(self, detections: Detections) -> Bool:
        good: Bool = detections.scores >= self.options.min_score
        return good

    def _grace(self) -> int:
        return self.options.min_hits
