"""Which frames a source announced and which results came; no ROS needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_KEPT = 20_000
"""Most frames without result that are remembered, so that days of dropped frames stay bounded."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """A result and the frame it belongs to."""

    index: int
    stamp_ns: int
    result: T


class FrameLedger(Generic[T]):
    """Gives results the frame numbers of the source.

    Announcements and results come on different topics, in any order between them but each in
    order of the frames. A source that begins again, as after a crash, is numbered on.

    Attributes:
        announced: frames announced.
        answered: frames with a result.
        earlier: of those announced, how many by sources before the one that now runs.
    """

    def __init__(self) -> None:
        self._open: dict[int, int] = {}
        self._early: dict[int, T] = {}
        self._first = 0
        self._next = 0
        self.announced = 0
        self.answered = 0
        self.earlier = 0

    @property
    def unanswered(self) -> int:
        """Announced frames without a result so far."""
        return self.announced - self.answered

    def announce(self, stamp: int, index: int) -> list[Entry[T]]:
        """The source has published frame `index`; the result that waited for it, if any."""
        if self._first + index < self._next:
            self._first, self.earlier = self._next, self.announced
        self.announced += 1
        index += self._first
        self._next = index + 1
        if stamp in self._early:
            self.answered += 1
            return [Entry(index, stamp, self._early.pop(stamp))]
        self._open[stamp] = index
        if len(self._open) > _KEPT:
            del self._open[next(iter(self._open))]
        return []

    def answer(self, stamp: int, result: T, *, expected: bool) -> list[Entry[T]]:
        """A result has come.

        Args:
            stamp: of its frame.
            result: what to give back once its frame is known.
            expected: whether a source announces frames; if not, results are numbered as they come.
        """
        if stamp in self._open:
            self.answered += 1
            return [Entry(self._open.pop(stamp), stamp, result)]
        if expected:
            self._early[stamp] = result
            if len(self._early) > _KEPT:
                del self._early[next(iter(self._early))]
            return []
        return [self._number(stamp, result)]

    def number_early(self) -> list[Entry[T]]:
        """Results that wait for announcements which nobody will make, numbered as they came."""
        early, self._early = self._early, {}
        return [self._number(stamp, result) for stamp, result in early.items()]

    def _number(self, stamp: int, result: T) -> Entry[T]:
        self.announced += 1
        self.answered += 1
        self._next += 1
        return Entry(self._next - 1, stamp, result)
