"""One running time for streams that come interleaved, a little out of order, and begin anew."""

from __future__ import annotations

from rtreid_ros.ordering import Order, StampOrder


class CommonClock:
    """Maps the stamps of several cameras to one time that never jumps back.

    Stamps of all cameras are on one clock. When a camera's stamps jump back (a bag that loops), its
    time goes on from where it was, and the others, when they follow, stay in step with it: whoever
    was seen at the same stamp is still seen at the same time.
    """

    def __init__(self) -> None:
        self._orders: dict[str, StampOrder] = {}
        self._offsets: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self.now = 0
        """The latest time of any camera, nanoseconds."""

    def advance(self, camera: str, stamp_ns: int) -> tuple[int, Order]:
        """The time of a stamp, nanoseconds, and its place among its camera's stamps."""
        order = self._orders.setdefault(camera, StampOrder()).judge(stamp_ns)
        if camera not in self._offsets:
            self._offsets[camera] = max(self._offsets.values(), default=0)
        if order is Order.RESTART:
            self._offsets[camera] = self._offset_after(camera, stamp_ns)
        time = stamp_ns + self._offsets[camera]
        if order is not Order.LATE:
            self._last[camera] = time
            self.now = max(self.now, time)
        return time, order

    def _offset_after(self, camera: str, stamp_ns: int) -> int:
        """Of the other cameras' offsets the smallest that does not turn time back, else a new one."""
        needed = self._last[camera] - stamp_ns
        return min((offset for offset in self._offsets.values() if offset >= needed), default=needed)
