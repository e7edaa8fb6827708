"""Time in nominal frames."""

from __future__ import annotations

import math

from rtreid_ros.errors import InputError

# Stamps written as k / fps, or rounded to nanoseconds, miss whole frames by less than this.
_SNAP = 1e-3


class Clock:
    """Turns stamps in seconds into steps in nominal frames.

    One nominal frame (``1 / frame_rate`` seconds) is the step for which papers give their noise and
    age limits; a step within a thousandth of a whole number of frames is that number, so that a
    constant rate gives the paper's arithmetic exactly and rounding never adds up.
    """

    def __init__(self, frame_rate: float) -> None:
        self.frame_rate = frame_rate
        self.reset()

    def reset(self) -> None:
        """Forget all stamps."""
        self.now = 0.0
        """Nominal frames since the first stamp."""
        self.stamp: float | None = None
        """The last stamp, in seconds."""

    def is_backwards(self, stamp: float | None) -> bool:
        """Whether `stamp` lies before the last one."""
        return stamp is not None and self.stamp is not None and stamp < self.stamp

    def advance(self, stamp: float | None) -> float:
        """Move to `stamp` (None: one nominal frame on) and return the step in nominal frames, >= 0.

        Raises:
            InputError: the stamp is not finite.
        """
        if stamp is not None and not math.isfinite(stamp):
            raise InputError(f"stamp must be finite seconds, got {stamp!r}")
        if self.stamp is None:
            self.stamp = 0.0 if stamp is None else float(stamp)
            return 0.0
        if stamp is None:
            self.stamp += 1 / self.frame_rate
            step = 1.0
        else:
            step = max((stamp - self.stamp) * self.frame_rate, 0.0)
            if abs(step - round(step)) < _SNAP:
                step = float(round(step))
            self.stamp = float(stamp)
        self.now += step
        return step
