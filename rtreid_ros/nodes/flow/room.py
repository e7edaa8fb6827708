"""How much may wait, in items and in bytes; no ROS needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

BYTES = 128 * 2**20
"""What may wait in one place of a live node: 20 raw images of 1920x1080, which are 6 MB each."""


def size_of(item: Any) -> int:
    """Bytes that an item keeps alive, as far as they are worth counting: those of images."""
    if isinstance(item, tuple):
        return sum(map(size_of, item))
    return len(item) if isinstance(item, bytes) else int(getattr(item, "nbytes", 0))


@dataclass(frozen=True, slots=True)
class Room:
    """A bound on what waits.

    Attributes:
        items: most of them.
        bytes: most of what they keep alive together, unless it is one item alone; None = any amount.
    """

    items: int
    bytes: int | None = None

    def excess(self, waiting: Iterable[Any]) -> tuple[int, int]:
        """How many must go, the oldest of `waiting` first: for their number, and then for their bytes."""
        sizes = [size_of(item) for item in waiting]
        number = max(len(sizes) - self.items, 0)
        if self.bytes is None:
            return number, 0
        rest, last = sum(sizes[number:]), len(sizes) - 1
        gone = number
        while rest > self.bytes and gone < last:
            rest -= sizes[gone]
            gone += 1
        return number, gone - number
