"""The best crops of one track, spread over its time."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from rtreid_ros.types import UInt8

_THUMBNAIL = (8, 16)


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """One picture of somebody.

    Attributes:
        image: ``(h, w, 3) uint8`` BGR.
        frame: index of its frame.
        stamp_ns: when.
        box: corners in the frame, pixels.
        score: of the detection.
        overlap: share of the box that another one covers.
        quality: by which it was chosen.
    """

    image: UInt8
    frame: int
    stamp_ns: int
    box: tuple[float, float, float, float]
    score: float
    overlap: float
    quality: float


@dataclass(slots=True, eq=False)
class Album:
    """At most `capacity` crops of a track, however long it lives.

    Time is divided into intervals, of each of which the best crop is kept. Where that would be too many,
    intervals grow to twice their length and neighbours merge.

    Attributes:
        capacity: most crops.
        interval_ns: length of the intervals at first.
        start_ns: when the track was first seen.
        seen_ns: when last.
        frames: in which it was seen.
        together: tracks of the same camera that were seen beside it.
    """

    capacity: int
    interval_ns: int
    start_ns: int
    seen_ns: int = 0
    frames: int = 0
    together: set[int] = field(default_factory=set)
    _best: dict[int, Crop] = field(default_factory=dict)

    def wants(self, stamp_ns: int, quality: float) -> bool:
        """Whether a crop of this time and quality would be kept."""
        held = self._best.get(self._place(stamp_ns))
        return held is None or held.quality < quality

    def take(self, crop: Crop) -> None:
        """Keep `crop` if it is the best of its time."""
        if self.wants(crop.stamp_ns, crop.quality):
            self._best[self._place(crop.stamp_ns)] = crop
        while len(self._best) > self.capacity:
            self.interval_ns *= 2
            crops, self._best = list(self._best.values()), {}
            for item in crops:
                if self.wants(item.stamp_ns, item.quality):
                    self._best[self._place(item.stamp_ns)] = item

    def _place(self, stamp_ns: int) -> int:
        return (stamp_ns - self.start_ns) // self.interval_ns

    def chosen(self, least_change: float) -> list[Crop]:
        """The crops in the order of time, without those that look like the one before."""
        kept: list[Crop] = []
        last: np.ndarray | None = None
        for crop in sorted(self._best.values(), key=lambda crop: crop.stamp_ns):
            small = cv2.resize(crop.image, _THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)
            if last is None or np.abs(small - last).mean() >= least_change:
                kept.append(crop)
                last = small
        return kept
