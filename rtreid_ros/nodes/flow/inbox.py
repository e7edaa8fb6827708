"""Where frames wait for a worker thread, those of each camera on their own; no ROS needed."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from rtreid_ros.nodes.flow.room import Room

T = TypeVar("T")

_RECENT_S = 1.0
"""A camera from which nothing came for so long is not waited for."""
_LOOK_AGAIN_S = 0.02
"""How often `ready` is asked while something waits, beside each `look_again`."""


class Inbox(Generic[T]):
    """A queue for each of several cameras, and one thread that takes from them.

    A full queue lets the oldest items go.

    Args:
        cameras: their names.
        depth: most items waiting of each; with 1 the newest frame wins.
        most_bytes: most that the items of each keep alive, unless it is one; None = any amount.
        blocking: nothing goes, whatever its bytes; who brings one more waits until there is room.
        dropped: called with a camera and the number of its items that went, by whoever brings a new one.
        ready: whether an item of this camera may be taken now. Must not block.
        taken: called after items were taken, by whoever takes them.
    """

    def __init__(
        self,
        cameras: Sequence[str],
        *,
        depth: int = 1,
        most_bytes: int | None = None,
        blocking: bool = False,
        dropped: Callable[[str, int], None] = lambda *_: None,
        ready: Callable[[str], bool] = lambda _: True,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self._depth = depth
        self._room = Room(depth, None if blocking else most_bytes)
        self._blocking = blocking
        self._dropped = dropped
        self._ready = ready
        self._taken = taken
        self._queues: dict[str, deque[T]] = {name: deque() for name in cameras}
        self._turns = list(cameras)
        self._last = dict.fromkeys(cameras, -np.inf)
        self._condition = threading.Condition()
        self._closed = False
        self._working = False

    def put(self, camera: str, item: T) -> None:
        """Bring an item; returns at once unless blocking and full."""
        queue = self._queues[camera]
        with self._condition:
            if self._blocking:
                self._condition.wait_for(lambda: len(queue) < self._depth or self._closed)
            if self._closed:
                return
            queue.append(item)
            self._last[camera] = time.monotonic()
            gone = sum(self._room.excess(queue))
            for _ in range(gone):
                queue.popleft()
            self._condition.notify_all()
        if gone:
            self._dropped(camera, gone)

    def take(self, most: int = 1, window: float = 0.0) -> list[tuple[str, T]]:
        """Wait for items: at most one of each camera, and no camera's turn comes again before the others'.

        To ask for more says that those taken before are done with.

        Args:
            most: items at once.
            window: seconds to wait, once there is one, for those of cameras that sent something lately.

        Returns:
            cameras and their items; none: closed.
        """
        with self._condition:
            self._working = False
            self._condition.notify_all()
            while not self._available():
                if self._closed and not any(self._queues.values()):
                    return []
                self._condition.wait(_LOOK_AGAIN_S if any(self._queues.values()) else None)
            if window and most > 1:
                self._condition.wait_for(lambda: self._complete(most), window)
            items = []
            for name in self._available()[:most]:
                items.append((name, self._queues[name].popleft()))
                self._turns.remove(name)  # its next turn comes after all others
                self._turns.append(name)
            self._working = bool(items)
            self._condition.notify_all()
        self._taken()
        return items

    def has_room(self, camera: str) -> bool:
        """Whether one more item of this camera would neither wait nor drive another out."""
        return len(self._queues[camera]) < self._depth

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until everything brought has been worked on; False after `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(
                lambda: not self._working and not any(self._queues.values()), timeout
            )

    def look_again(self) -> None:
        """What `ready` says may have changed."""
        with self._condition:
            self._condition.notify_all()

    def close(self, *, drain: bool = False) -> None:
        """Take in nothing more, and (unless `drain`) forget what waits. `take` gives the rest, then none."""
        with self._condition:
            self._closed = True
            if not drain:
                for queue in self._queues.values():
                    queue.clear()
            self._condition.notify_all()

    def _available(self) -> list[str]:
        return [name for name in self._turns if self._queues[name] and (self._closed or self._ready(name))]

    def _complete(self, most: int) -> bool:
        """Whether there is no camera left to wait for."""
        available = self._available()
        since = time.monotonic() - _RECENT_S
        missing = [name for name, last in self._last.items() if last > since and name not in available]
        return self._closed or len(available) >= most or not missing
