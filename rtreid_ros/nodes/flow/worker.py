"""Threads that do the slow work, so that ROS callbacks never wait for a model; no ROS needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from rtreid_ros.nodes.flow.inbox import Inbox

T = TypeVar("T")

_ONE = ""
"""The camera of those who have no cameras."""


class BatchWorker(Generic[T]):
    """Calls `process` on what comes into an inbox, in a thread of its own.

    Args:
        process: what to do with cameras and an item of each; must not raise.
        inbox: where items wait; closed with the worker.
        most: items at once.
        window: seconds to wait for items of further cameras, once there is one.
    """

    def __init__(
        self,
        process: Callable[[list[tuple[str, T]]], None],
        inbox: Inbox[T],
        *,
        most: int = 1,
        window: float = 0.0,
    ) -> None:
        self._process = process
        self._inbox = inbox
        self._most = most
        self._window = window
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until everything handed over has been worked on; False after `timeout` seconds."""
        return self._inbox.wait_until_idle(timeout)

    def close(self, timeout: float = 5.0, *, drain: bool = False) -> bool:
        """End the thread: after the current items, or (`drain`) after all that wait.

        False if it did not end within `timeout` seconds.
        """
        self._inbox.close(drain=drain)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while items := self._inbox.take(self._most, self._window):
            self._process(items)
            items.clear()  # images must not be kept alive while we wait for the next


class Worker(BatchWorker[T]):
    """Calls `process` on items in their order, in a thread of its own.

    Args:
        process: what to do with an item; must not raise.
        depth: most items waiting. When one more comes, the oldest goes: with 1 the newest frame
            wins.
        most_bytes: most that they keep alive, unless it is one; None = any amount.
        lossless: nothing goes; who brings one more waits until there is room.
        dropped: called with the number of items that went, from the thread that brings a new one.
    """

    def __init__(
        self,
        process: Callable[[T], None],
        *,
        depth: int = 1,
        most_bytes: int | None = None,
        lossless: bool = False,
        dropped: Callable[[int], None],
    ) -> None:
        inbox: Inbox[T] = Inbox(
            [_ONE],
            depth=depth,
            most_bytes=most_bytes,
            blocking=lossless,
            dropped=lambda _, count: dropped(count),
        )
        super().__init__(lambda items: process(items[0][1]), inbox)

    def put(self, item: T) -> None:
        """Hand over an item; returns at once unless lossless and full."""
        self._inbox.put(_ONE, item)
