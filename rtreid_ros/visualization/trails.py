"""Where tracks came from: the last foot points of each, bounded in time and number."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtreid_ros.types import Tracks

_MOST_POINTS = 256
_LEAST_STEP = 3.0
"""Pixels a foot point must have moved to be remembered: who stands and trembles leaves no scribble."""


class Trails:
    """Remembers the middle of each track's lower edge for `seconds`.

    Tracks that were not seen for that long are forgotten, so memory is bounded by the tracks of
    that span.
    """

    def __init__(self, seconds: float) -> None:
        self._span = round(seconds * 1e9)
        self._points: dict[int, deque[tuple[int, float, float]]] = {}
        self._latest: dict[int, tuple[int, float, float]] = {}
        self._now = 0

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, tracks: Tracks, stamp_ns: int) -> None:
        """Take in the tracks of one frame; a stamp that runs backwards begins anew."""
        if stamp_ns < self._now:
            self._points.clear()
            self._latest.clear()
        self._now = stamp_ns
        for identity, (x1, _, x2, y2) in zip(tracks.ids.tolist(), tracks.boxes.tolist(), strict=True):
            point = (stamp_ns, (x1 + x2) / 2, y2)
            self._latest[identity] = point
            points = self._points.setdefault(identity, deque(maxlen=_MOST_POINTS))
            if not points or max(abs(points[-1][1] - point[1]), abs(points[-1][2] - y2)) >= _LEAST_STEP:
                points.append(point)
        oldest = stamp_ns - self._span
        for identity in [key for key, (stamp, _, _) in self._latest.items() if stamp < oldest]:
            del self._latest[identity], self._points[identity]
        for points in self._points.values():
            while points and points[0][0] < oldest:
                points.popleft()

    def of(self, identity: int) -> list[tuple[float, float, float]]:
        """Points of a track, oldest first: share of the time span passed since (0 = now), x, y."""
        if identity not in self._latest:
            return []
        points = list(self._points[identity])
        if not points or points[-1] != self._latest[identity]:
            points.append(self._latest[identity])
        span = max(self._span, 1)
        return [((self._now - stamp) / span, x, y) for stamp, x, y in points]
