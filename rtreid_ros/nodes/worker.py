"""One thread that does the slow work, so that ROS callbacks never wait for a model; no ROS needed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Worker(Generic[T]):
    """Calls `process` on items in their order, in a thread of its own.

    Args:
        process: what to do with an item; must not raise.
        depth: most items waiting. When one more comes, the oldest goes: with 1 the newest frame
            wins.
        lossless: nothing goes; who brings one more waits until there is room.
        dropped: called with the number of items that went, from the thread that brings a new one.
    """

    def __init__(
        self,
        process: Callable[[T], None],
        *,
        depth: int = 1,
        lossless: bool = False,
        dropped: Callable[[int], None],
    ) -> None:
        self._process = process
        self._depth = depth
        self._lossless = lossless
        self._dropped = dropped
        self._items: deque[T] = deque()
        self._condition = threading.Condition()
        self._closed = False
        self._busy = False
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        """Hand over an item; returns at once unless lossless and full."""
        gone = 0
        with self._condition:
            if self._lossless:
                self._condition.wait_for(lambda: len(self._items) < self._depth or self._closed)
            if self._closed:
                return
            self._items.append(item)
            while len(self._items) > self._depth:
                self._items.popleft()
                gone += 1
            self._condition.notify_all()
        if gone:
            self._dropped(gone)

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until everything handed over has been worked on; False after `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._items and not self._busy, timeout)

    def close(self, timeout: float = 5.0, *, drain: bool = False) -> bool:
        """End the thread: after the current item, or (`drain`) after all that wait.

        False if it did not end within `timeout` seconds.
        """
        with self._condition:
            self._closed = True
            if not drain:
                self._items.clear()
            self._condition.notify_all()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._items or self._closed)
                if not self._items:
                    return
                item = self._items.popleft()
                self._busy = True
                self._condition.notify_all()
            self._process(item)
            del item  # an image must not be kept alive while we wait for the next
            with self._condition:
                self._busy = False
                self._condition.notify_all()
