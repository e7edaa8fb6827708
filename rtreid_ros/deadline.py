"""When results must be there: how much of the work on a frame fits, from what work has cost so far.

The order of giving up is fixed. First fewer detections are embedded, the least important not at all
(see `rtreid_ros.reid.economy`); a frame that would be late even with none embedded is skipped before
anything is spent on it, so that a fresher one has its chance; but never two in a row.
"""

from __future__ import annotations

import threading
from collections import deque
from enum import IntEnum

_WINDOW = 32
"""Measurements a cost is told from."""
_SHARE = 0.75
"""Share of them that took no longer than the estimate: a few slow ones, such as a model's first, do not
count, and most frames are in time."""
_HOPE = 0.9
"""What an estimate that forbids all embedding shrinks by, so that it is tried again some day."""
_RECENT = 30
"""Frames whose worst level is the current one."""


class Level(IntEnum):
    """How much was given up for a frame."""

    FULL = 0
    """Nothing."""
    FEWER = 1
    """Fewer detections were embedded than should have been."""
    SKIPPED = 2
    """The frame was skipped."""


class Cost:
    """What one kind of work takes: the upper quartile of the last measurements.

    Attributes:
        known: whether anything was measured.
        ms: the estimate, milliseconds; 0 before the first measurement.
    """

    def __init__(self) -> None:
        self.known = False
        self.ms = 0.0
        self._measured: deque[float] = deque(maxlen=_WINDOW)

    def add(self, milliseconds: float) -> None:
        """One more measurement."""
        self._measured.append(milliseconds)
        self.ms = sorted(self._measured)[int(_SHARE * (len(self._measured) - 1))]
        self.known = True


class Deadline:
    """Decides for each frame of a stream what still fits before it is due.

    Ages are milliseconds since the image was taken, on whatever clock the caller has; no clock is
    read here. For each frame: `admit`; after detection `allowed`; after the result went out `done`.
    In between, `detected`, `embedded` and `tracked` tell what the work cost. Frames may be admitted in
    one thread and finished in another.

    Args:
        milliseconds: greatest age of a result; 0: there is no deadline and nothing is ever given up.

    Attributes:
        milliseconds: as given; may be changed.
        embedded_fewer: frames so far of which fewer detections were embedded than should have been.
        skipped_frames: frames skipped so far.
        missed: results so far that came late all the same.
        detection: cost of a frame's detection, and of all that comes before embedding.
        embedding: cost of one crop.
        tracking: cost of all that comes after embedding.
    """

    def __init__(self, milliseconds: float = 0.0) -> None:
        self.milliseconds = milliseconds
        self.embedded_fewer = 0
        self.skipped_frames = 0
        self.missed = 0
        self.detection = Cost()
        self.embedding = Cost()
        self.tracking = Cost()
        self._skipped_last = False
        self._levels: deque[Level] = deque(maxlen=_RECENT)
        self._lock = threading.Lock()

    @property
    def active(self) -> bool:
        """Whether there is one."""
        return self.milliseconds > 0

    @property
    def level(self) -> Level:
        """The most that was given up for one of the last frames."""
        with self._lock:
            return max(self._levels, default=Level.FULL)

    def admit(self, age_ms: float) -> bool:
        """Whether to begin with a frame of this age. A frame that follows a skipped one always is."""
        if not self.active:
            return True
        late = age_ms + self.detection.ms + self.tracking.ms > self.milliseconds
        self._skipped_last = late and not self._skipped_last
        if self._skipped_last:
            self.skipped_frames += 1
            self._note(Level.SKIPPED)
        return not self._skipped_last

    def allowed(self, age_ms: float, sharing: int = 1) -> int | None:
        """How many detections of a frame, now of this age, may be embedded; None: any number.

        Until something was embedded, nobody knows what it costs, and all may be.

        Args:
            age_ms: of the frame.
            sharing: frames, this one included, that are embedded together.
        """
        if not self.active or not self.embedding.known:
            return None
        left = self.milliseconds - age_ms - self.tracking.ms
        count = max(int(left / max(self.embedding.ms, 1e-6) / sharing), 0)
        if count == 0 and left > 0:
            self.embedding.add(_HOPE * self.embedding.ms)
        return count

    def detected(self, milliseconds: float) -> None:
        """What the detection of a frame took."""
        self.detection.add(milliseconds)

    def embedded(self, milliseconds: float, count: int) -> None:
        """What embedding `count` detections together took."""
        if count > 0:
            self.embedding.add(milliseconds / count)

    def tracked(self, milliseconds: float) -> None:
        """What tracking a frame took."""
        self.tracking.add(milliseconds)

    def done(self, age_ms: float, *, fewer: bool) -> None:
        """A frame's result went out at this age.

        Args:
            age_ms: of the frame.
            fewer: whether fewer detections were embedded than should have been.
        """
        if not self.active:
            return
        self.embedded_fewer += fewer
        self.missed += age_ms > self.milliseconds
        self._note(Level.FEWER if fewer else Level.FULL)

    def diagnostics(self) -> dict[str, str]:
        """What a node shows of it; empty without a deadline."""
        if not self.active:
            return {}
        return {
            "deadline.embedded_fewer": str(self.embedded_fewer),
            "deadline.skipped_frames": str(self.skipped_frames),
            "deadline.missed": str(self.missed),
            "deadline.level": self.level.name.lower(),
        }

    def _note(self, level: Level) -> None:
        with self._lock:
            self._levels.append(level)
