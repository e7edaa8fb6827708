"""Who enters and leaves a zone, and who crosses a line, image by image.

Only people seen in the very image count (`TrackFrame.people`): a prediction neither enters nor
crosses. Who is not seen for a while is forgotten, so memory follows the number of people present.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rtreid_ros.people.lines import Line
from rtreid_ros.people.person import Point, TrackedPerson, TrackFrame
from rtreid_ros.people.zones import Zone, places

NANOSECONDS = 1_000_000_000

OnPerson = Callable[[TrackedPerson], None]


@dataclass(slots=True)
class _Guest:
    """Someone in a zone."""

    person: TrackedPerson
    entered_ns: int


class ZoneWatch:
    """Follows who is in a zone.

    Args:
        zone: where.
        forget: who is not seen for longer than this counts as gone, seconds.

    Attributes:
        entered: how often somebody has come in.
        left: how often somebody has gone, or has not been seen for `forget` seconds.
    """

    def __init__(self, zone: Zone, *, forget: float = 1.0) -> None:
        self.zone = zone
        self.entered = 0
        self.left = 0
        self._forget_ns = round(forget * NANOSECONDS)
        self._inside: dict[int, _Guest] = {}
        self._on_enter: list[OnPerson] = []
        self._on_exit: list[OnPerson] = []

    @property
    def inside(self) -> tuple[TrackedPerson, ...]:
        """Who is in, as last seen, ordered by id."""
        return tuple(guest.person for _, guest in sorted(self._inside.copy().items()))

    @property
    def count(self) -> int:
        """How many are in."""
        return len(self._inside)

    def dwell(self, id: int) -> float:  # noqa: A002 (the messages' word)
        """For how long the person of that id has been in, as last seen, seconds; 0 if it is not."""
        guest = self._inside.get(id)
        return 0.0 if guest is None else (guest.person.stamp_ns - guest.entered_ns) / NANOSECONDS

    def on_enter(self, callback: OnPerson) -> None:
        """Have `callback` called with each person that comes in."""
        self._on_enter.append(callback)

    def on_exit(self, callback: OnPerson) -> None:
        """Have `callback` called with each person that goes, as last seen inside or just outside."""
        self._on_exit.append(callback)

    def update(self, frame: TrackFrame) -> None:
        """Take the next image; those before have smaller stamps."""
        for inside in self.inside:
            if frame.stamp_ns - inside.stamp_ns > self._forget_ns:
                self._leave(inside)
        depths = self.zone.depth(places(frame.people, self.zone.unit))
        for person, depth in zip(frame.people, depths.tolist(), strict=True):
            guest = self._inside.get(person.id)
            if guest is None:
                if depth >= self.zone.margin:
                    self._inside[person.id] = _Guest(person, frame.stamp_ns)
                    self.entered += 1
                    _call(self._on_enter, person)
            elif depth < -self.zone.margin:
                self._leave(person)
            elif depth >= -self.zone.margin:  # neither, where the position is not known
                guest.person = person

    def reset(self) -> None:
        """The past is over (the source has started anew): whoever is in has gone."""
        for person in self.inside:
            self._leave(person)

    def _leave(self, person: TrackedPerson) -> None:
        del self._inside[person.id]
        self.left += 1
        _call(self._on_exit, person)


@dataclass(slots=True)
class _Passer:
    """Where someone last was clearly on one side of a line."""

    place: Point
    side: float
    seen_ns: int


class LineWatch:
    """Counts who crosses a line, by direction.

    Args:
        line: where.
        forget: who is not seen for longer than this begins anew, seconds.

    Attributes:
        to_right: how often somebody has come from its left to its right.
        to_left: how often somebody has come from its right to its left.
    """

    def __init__(self, line: Line, *, forget: float = 1.0) -> None:
        self.line = line
        self.to_right = 0
        self.to_left = 0
        self._forget_ns = round(forget * NANOSECONDS)
        self._known: dict[int, _Passer] = {}
        self._on_cross: list[Callable[[TrackedPerson, bool], None]] = []

    def on_cross(self, callback: Callable[[TrackedPerson, bool], None]) -> None:
        """Have `callback` called with each person that crosses, and whether it is to the right."""
        self._on_cross.append(callback)

    def update(self, frame: TrackFrame) -> None:
        """Take the next image; those before have smaller stamps."""
        gone = [id_ for id_, known in self._known.items() if frame.stamp_ns - known.seen_ns > self._forget_ns]
        for id_ in gone:
            del self._known[id_]
        where = places(frame.people, self.line.unit)
        sides = self.line.side(where)
        rows = zip(frame.people, where.tolist(), sides.tolist(), strict=True)
        for person, (x, y), side in rows:
            known = self._known.get(person.id)
            if known is not None:
                known.seen_ns = frame.stamp_ns
            if not abs(side) > self.line.margin:
                continue
            if known is None:
                self._known[person.id] = _Passer((x, y), side, frame.stamp_ns)
                continue
            crossed = known.side * side < 0 and self.line.crossed_between(known.place, (x, y))
            known.place, known.side = (x, y), side
            if crossed:
                self._count(person, to_right=side > 0)

    def reset(self) -> None:
        """The past is over (the source has started anew): nobody is on any side."""
        self._known.clear()

    def _count(self, person: TrackedPerson, *, to_right: bool) -> None:
        if to_right:
            self.to_right += 1
        else:
            self.to_left += 1
        for callback in self._on_cross:
            callback(person, to_right)


def _call(callbacks: list[OnPerson], person: TrackedPerson) -> None:
    for callback in callbacks:
        callback(person)
