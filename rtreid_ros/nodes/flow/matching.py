"""Which messages belong together; no ROS needed."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Generic, TypeVar

from rtreid_ros.nodes.flow.room import Room

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")


class StampMatcher(Generic[A, B]):
    """Pairs two streams by exact stamp, whichever comes first.

    Both streams come in order, so a pair makes everything older useless; and what has found no
    partner when `depth` newer ones of its stream have come is given up.
    Not thread-safe: for the callbacks of one executor thread.

    Args:
        depth: most items of each stream that wait for their partner.
        unmatched: called with the number of items given up, first and second stream.
        most_bytes: most that the items of a stream that wait keep alive, unless it is one; None = any amount.
        dropped: called with the number of items that went because of their bytes.
    """

    def __init__(
        self,
        depth: int,
        unmatched: Callable[[int, int], None],
        *,
        most_bytes: int | None = None,
        dropped: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._room = Room(depth, most_bytes)
        self._unmatched = unmatched
        self._dropped = dropped
        self._first: dict[int, A] = {}
        self._second: dict[int, B] = {}

    def first(self, stamp: int, item: A) -> tuple[A, B] | None:
        """A new item of the first stream; its pair if complete."""
        if stamp in self._second:
            return item, self._take(self._second, stamp)
        self._unmatched(self._keep(self._first, stamp, item), 0)
        return None

    def second(self, stamp: int, item: B) -> tuple[A, B] | None:
        """A new item of the second stream; its pair if complete."""
        if stamp in self._first:
            return self._take(self._first, stamp), item
        self._unmatched(0, self._keep(self._second, stamp, item))
        return None

    def _take(self, waiting: dict[int, T], stamp: int) -> T:
        item = waiting.pop(stamp)
        first = [key for key in self._first if key < stamp]
        second = [key for key in self._second if key < stamp]
        for key in first:
            del self._first[key]
        for key in second:
            del self._second[key]
        self._unmatched(len(first), len(second))
        return item

    def _keep(self, waiting: dict[int, T], stamp: int, item: T) -> int:
        waiting.pop(stamp, None)  # one that comes twice counts as new
        waiting[stamp] = item
        many, heavy = self._room.excess(waiting.values())
        for key in list(islice(waiting, many + heavy)):
            del waiting[key]
        if heavy:
            self._dropped(heavy)
        return many
