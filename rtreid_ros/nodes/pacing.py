"""When a source may publish its next frame; no ROS needed."""

from __future__ import annotations

import threading
import time


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
