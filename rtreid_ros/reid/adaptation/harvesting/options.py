"""Options of a harvest."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option


@dataclass(frozen=True, slots=True)
class HarvestOptions:
    """Which crops of a track are kept."""

    per_track: int = option(8, "most crops of a track", ge=1, le=1000)
    least_crops: int = option(2, "tracks with fewer crops are left out", ge=1)
    least_score: float = option(0.5, "detections below are left out", ge=0, le=1)
    least_height: int = option(64, "boxes lower than this, pixels, are left out", ge=1)
    least_width: int = option(24, "boxes narrower than this, pixels, are left out", ge=1)
    most_overlap: float = option(
        0.2, "boxes of which a larger share is covered by another box are left out", ge=0, le=1
    )
    border: float = option(2.0, "boxes that come this near to the border, pixels, are left out", ge=0)
    interval: float = option(0.5, "least time between crops of a track, seconds", ge=0.001)
    least_change: float = option(
        4.0, "crops whose thumbnails differ less than this, grey levels in the mean, are one", ge=0, le=255
    )
    most_height: int = option(384, "crops higher than this, pixels, are scaled down", ge=16)
    patience: float = option(10.0, "a track not seen for this long, seconds, is over", ge=0.1)
