"""When a source may publish its next frame; no ROS needed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadAhead(Generic[T]):
    """Reads in a thread of its own, a few items ahead, so that decoding makes no frame late.

    Iterating gives the items and raises what reading raised.

    Args:
        items: what to read.
        depth: most items read ahead.
    """

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(depth)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while not self._closed.is_set():
            try:
                item = self._queue.get(timeout=0.1)
            except queue.Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
        self._thread.join(5)

    def _read(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
            self._put(None)
        except Exception as error:
            self._put(error)

    def _put(self, item: tuple[T] | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


class Backpressure:
    """Lets a source go on only when the results of earlier frames have come back.

    Results come in the order of the frames, so one that comes early means that those before it
    are lost.

    Args:
        window: most frames on their way at once.

    Attributes:
        lost: frames whose result will not come.
        last_return: when a result last came, monotonic seconds.
    """

    def __init__(self, window: int) -> None:
        self._window = window
        self._condition = threading.Condition()
        self._stamps: list[int] = []
        self._stopped = False
        self.lost = 0
        self.last_return = 0.0

    @property
    def waiting(self) -> int:
        """Frames on their way."""
        return len(self._stamps)

    def enter(self, stamp: int | None, timeout: float) -> bool:
        """Send a frame on its way, or (None) wait until none is; False after `timeout` seconds."""
        with self._condition:
            room = self._window if stamp is not None else 1
            free = self._condition.wait_for(lambda: self._stopped or len(self._stamps) < room, timeout)
            if self._stopped or not free:
                return False
            if stamp is not None:
                self._stamps.append(stamp)
            return True

    def returned(self, stamp: int) -> int:
        """The result of `stamp` has come; how many before it are lost."""
        with self._condition:
            if stamp not in self._stamps:
                return 0
            lost = self._stamps.index(stamp)
            del self._stamps[: lost + 1]
            self.lost += lost
            self.last_return = time.monotonic()
            self._condition.notify_all()
            return lost

    def give_up(self) -> None:
        """Count everything on its way as lost."""
        with self._condition:
            self.lost += len(self._stamps)
            self._stamps.clear()

    def stop(self) -> None:
        """Wake whoever waits."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()


class Pace:
    """When each frame is due by its stamp."""

    def __init__(self) -> None:
        self._start: float | None = None
        """Moment of stamp 0, monotonic seconds."""

    def seconds_until(self, stamp_ns: int) -> float:
        """How long to wait for a frame, >= 0.

        A source that cannot keep up becomes slower; it is not made to catch up in bursts.
        """
        now = time.monotonic()
        media = stamp_ns * 1e-9
        if self._start is None or self._start + media < now:
            self._start = now - media
        return self._start + media - now
