"""Where tracks came from: the last foot points of each, bounded in time and number."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtreid_ros.types import Tracks

_MOST_POINTS = 256


class Trails:
    """Remembers the middle of each track's lower edge for `seconds`.

    Tracks that were not seen for that long are forgotten, so memory is bounded by the tracks of
    that span.
    """

    def __init__(self, seconds: float) -> None:
        self._span = round(seconds * 1e9)
        self._points: dict[int, deque[tuple[int, float, float]]] = {}
        self._now = 0

    def __len__(self) -> int:
        return len(self._points)

    def add(self, tracks: Tracks, stamp_ns: int) -> None:
        """Take in the tracks of one frame; a stamp that runs backwards begins anew."""
        if stamp_ns < self._now:
            self._points.clear()
        self._now = stamp_ns
        for identity, (x1, _, x2, y2) in zip(tracks.ids.tolist(), tracks.boxes.tolist(), strict=True):
            points = self._points.setdefault(identity, deque(maxlen=_MOST_POINTS))
            points.append((stamp_ns, (x1 + x2) / 2, y2))
        oldest = stamp_ns - self._span
        for identity in list(self._points):
            points = self._points[identity]
            while points and points[0][0] < oldest:
                points.popleft()
            if not points:
                del self._points[identity]

    def of(self, identity: int) -> list[tuple[float, float, float]]:
        """Points of a track, oldest first: share of the time span passed since (0 = now), x, y."""
        span = max(self._span, 1)
        return [((self._now - stamp) / span, x, y) for stamp, x, y in self._points.get(identity, ())]
