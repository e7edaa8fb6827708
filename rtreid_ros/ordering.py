"""In what order frames may come."""

from __future__ import annotations

from enum import Enum


class Order(Enum):
    """How a stamp relates to the one before."""

    NEXT = "next"
    LATE = "late"
    """Not after the last one, but close to it: a duplicate or overtaken frame. Refuse it."""
    RESTART = "restart"
    """Far before the last one: the source has started anew. Forget the past."""


class StampOrder:
    """Judges stamps one after the other, nanoseconds.

    Args:
        tolerance_ns: steps back up to this are late frames, larger ones a restart.
    """

    def __init__(self, tolerance_ns: int = 1_000_000_000) -> None:
        self._tolerance = tolerance_ns
        self._last: int | None = None

    def judge(self, stamp: int) -> Order:
        """The place of `stamp`; remembers it unless it is late."""
        last = self._last
        if last is not None and last - self._tolerance <= stamp <= last:
            return Order.LATE
        self._last = stamp
        return Order.RESTART if last is not None and stamp < last else Order.NEXT


class MissingStamps:
    """Notices the stamps of a stream whose sender fills in none, which are all 0.

    A single one may be the beginning of media time; the second in a row is none.
    """

    def __init__(self) -> None:
        self._was_zero = False

    def judge(self, stamp: int) -> bool:
        """Whether `stamp` is missing; remembers it."""
        before, self._was_zero = self._was_zero, stamp == 0
        return before and self._was_zero
