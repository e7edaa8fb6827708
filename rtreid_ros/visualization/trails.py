"""Where tracks came from: the last points of each, bounded in time and number."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rtreid_ros.types import Tracks

_MOST_POINTS = 256
_LEAST_STEP_PX = 3.0

Point = tuple[float, ...]


class Trails:
    """Remembers points of each track for `seconds`: in images, the middle of its lower edge.

    Tracks that were not seen for that long are forgotten, so memory is bounded by the tracks of
    that span.

    Args:
        seconds: how long.
        least_step: how far a point must have moved to be remembered, so that who stands and
            trembles leaves no scribble; pixels, or the unit of the points.
    """

    def __init__(self, seconds: float, least_step: float = _LEAST_STEP_PX) -> None:
        self._span = round(seconds * 1e9)
        self._least_step = least_step
        self._points: dict[int, deque[tuple[int, Point]]] = {}
        self._latest: dict[int, tuple[int, Point]] = {}
        self._now = 0

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, tracks: Tracks, stamp_ns: int) -> None:
        """Take in the tracks of one frame; a stamp that runs backwards begins anew."""
        feet = [((x1 + x2) / 2, y2) for x1, _, x2, y2 in tracks.boxes.tolist()]
        self.add_points(tracks.ids.tolist(), feet, stamp_ns)

    def add_points(self, ids: Iterable[int], points: Iterable[Sequence[float]], stamp_ns: int) -> None:
        """Take in one point, of any dimension, for each of `ids`."""
        if stamp_ns < self._now:
            self._points.clear()
            self._latest.clear()
        self._now = stamp_ns
        for identity, place in zip(ids, points, strict=True):
            point = tuple(place)
            self._latest[identity] = stamp_ns, point
            past = self._points.setdefault(identity, deque(maxlen=_MOST_POINTS))
            if not past or _step(past[-1][1], point) >= self._least_step:
                past.append((stamp_ns, point))
        oldest = stamp_ns - self._span
        for identity in [key for key, (stamp, _) in self._latest.items() if stamp < oldest]:
            del self._latest[identity], self._points[identity]
        for past in self._points.values():
            while past and past[0][0] < oldest:
                past.popleft()

    def of(self, identity: int) -> list[tuple[float, Point]]:
        """Points of a track, oldest first, each with the share of the time span passed since (0 = now)."""
        if identity not in self._latest:
            return []
        points = list(self._points[identity])
        if not points or points[-1] != self._latest[identity]:
            points.append(self._latest[identity])
        span = max(self._span, 1)
        return [((self._now - stamp) / span, point) for stamp, point in points]


def _step(one: Point, other: Point) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
