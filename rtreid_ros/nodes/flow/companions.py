"""The nearest of a second stream for every item of a first; no ROS needed."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from rtreid_ros.nodes.flow.room import Room

A = TypeVar("A")
B = TypeVar("B")

_ALIVE_NS = 1_000_000_000
"""A second stream that is this far behind is not waited for."""


class Companions(Generic[A, B]):
    """Gives every item of a first stream the one of a second stream with the nearest stamp.

    Unlike pairs, items of the first stream go on without a companion too. One waits only until its
    companion, or a later item of the second stream, has come, and not at all while that stream is
    silent or runs far behind. Both streams come in order; stamps of the second that run backwards
    begin it anew. Not thread-safe: for the callbacks of one executor thread.

    Args:
        tolerance_ns: how far apart the stamps of companions may be, nanoseconds; 0 = equal.
        waiting: most items of the first stream that wait.
        kept: most items of the second stream that are kept.
        most_bytes: most that these keep alive, unless it is one; None = any amount.
    """

    def __init__(self, tolerance_ns: int, waiting: int, kept: int, *, most_bytes: int | None = None) -> None:
        self._tolerance = tolerance_ns
        self._waiting_most = waiting
        self._waiting: deque[tuple[int, A]] = deque()
        self._kept: deque[tuple[int, B]] = deque()
        self._room = Room(kept, most_bytes)

    def first(self, stamp: int, item: A) -> list[tuple[A, B | None]]:
        """A new item of the first stream; what is decided now, in order."""
        self._waiting.append((stamp, item))
        return self._decided()

    def second(self, stamp: int, item: B) -> list[tuple[A, B | None]]:
        """A new item of the second stream; what is decided now, in order."""
        if self._kept and stamp < self._kept[-1][0]:
            self._kept.clear()
        self._kept.append((stamp, item))
        for _ in range(sum(self._room.excess(item for _, item in self._kept))):
            self._kept.popleft()
        return self._decided()

    def _decided(self) -> list[tuple[A, B | None]]:
        done: list[tuple[A, B | None]] = []
        while self._waiting:
            stamp, item = self._waiting[0]
            if len(self._waiting) <= self._waiting_most and not self._is_decided(stamp):
                break
            self._waiting.popleft()
            done.append((item, self._nearest(stamp)))
        return done

    def _is_decided(self, stamp: int) -> bool:
        newest = self._kept[-1][0] if self._kept else stamp - 2 * _ALIVE_NS
        return newest >= stamp or stamp - newest > _ALIVE_NS

    def _nearest(self, stamp: int) -> B | None:
        distance, companion = min(
            ((abs(other - stamp), item) for other, item in self._kept),
            key=lambda pair: pair[0],
            default=(self._tolerance + 1, None),
        )
        return companion if distance <= self._tolerance else None
