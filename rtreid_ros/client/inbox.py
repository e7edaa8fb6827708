"""Frames from the thread of the callbacks to those that wait for them; no ROS needed."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """Hands each item to every reader that is open at the time.

    A reader that is slow loses its oldest items, never those of others.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._queues: list[deque[T]] = []
        self.closed = False

    def put(self, item: T) -> None:
        """A new item."""
        with self._condition:
            for queue in self._queues:
                queue.append(item)
            self._condition.notify_all()

    def close(self) -> None:
        """Nothing comes any more; readers end."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()

    @contextmanager
    def reader(self, depth: int) -> Iterator[deque[T]]:
        """A queue of at most `depth` items that come from now on, to be read with `take`."""
        queue: deque[T] = deque(maxlen=depth)
        with self._condition:
            self._queues.append(queue)
        try:
            yield queue
        finally:
            with self._condition:
                # by identity: queues of equal content are equal
                self._queues = [other for other in self._queues if other is not queue]

    def take(self, queue: deque[T], deadline: float) -> T | None:
        """The oldest item of a reader's queue.

        None once it is `deadline` (monotonic seconds) or the inbox is closed.
        """
        with self._condition:
            while not queue and not self.closed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return None
                self._condition.wait(min(left, threading.TIMEOUT_MAX))
            return queue.popleft() if queue else None
