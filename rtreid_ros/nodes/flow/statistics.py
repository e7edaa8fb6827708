"""What a node counts, for ``/diagnostics`` and its last words; no ROS needed."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtreid_ros.stages import Span

COUNTS = ("received", "processed", "dropped", "lost", "unmatched", "rejected", "errors")
"""What is counted.

received: messages taken; processed: results published; dropped: replaced by a newer frame before
their turn; lost: reported missing by the middleware; unmatched: without a counterpart of the same
stamp; rejected: refused as bad input; errors: failures of the model or of our own code.
"""

LATENCY_WINDOW = 512
RATE_WINDOW_S = 5.0


class Statistics:
    """Counters, rate and latencies of one stage; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._times: deque[float] = deque(maxlen=LATENCY_WINDOW)
        self._latencies: dict[str, deque[float]] = {}

    def count(self, what: str, amount: int = 1) -> None:
        """Add to one of `COUNTS`."""
        if what not in COUNTS:
            raise ValueError(f"no counter {what!r}")
        with self._lock:
            self._counts[what] += amount

    def processed(self, **milliseconds: float) -> None:
        """One more result went out; with the latencies of it, by name."""
        with self._lock:
            self._counts["processed"] += 1
            self._times.append(time.monotonic())
            for name, value in milliseconds.items():
                self._append(name, value)

    def took(self, spans: Iterable[Span]) -> None:
        """How long the stages took for one image: latencies ``stage.<name>``, summed where one came twice."""
        sums: dict[str, float] = {}
        for span in spans:
            sums[span.stage] = sums.get(span.stage, 0.0) + span.milliseconds
        with self._lock:
            for stage, milliseconds in sums.items():
                self._append(f"stage.{stage}", milliseconds)

    def _append(self, name: str, milliseconds: float) -> None:
        window = self._latencies.get(name)
        if window is None:
            window = self._latencies[name] = deque(maxlen=LATENCY_WINDOW)
        window.append(milliseconds)

    def __getitem__(self, what: str) -> int:
        with self._lock:
            return self._counts[what]

    def snapshot(self) -> dict[str, str]:
        """Everything as text: counts, ``rate_hz`` over the last seconds, percentiles of latencies."""
        now = time.monotonic()
        with self._lock:
            values = {name: str(self._counts[name]) for name in COUNTS}
            recent = [moment for moment in self._times if now - moment <= RATE_WINDOW_S]
            latencies = {name: np.array(window) for name, window in self._latencies.items()}
        rate = (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0
        values["rate_hz"] = f"{rate:.2f}"
        for name, window in latencies.items():
            for percentile in (50, 99):
                values[f"{name}_p{percentile}_ms"] = f"{np.percentile(window, percentile):.2f}"
        return values


class Throttle:
    """Lets one message per key and period through and tells how many it held back."""

    def __init__(self, period: float = 2.0) -> None:
        self._period = period
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._held: Counter[str] = Counter()

    def __call__(self, key: str, text: str) -> str | None:
        """`text`, perhaps with a note on those held back, or None if it is not its time."""
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(key, -self._period) < self._period:
                self._held[key] += 1
                return None
            self._last[key] = now
            held = self._held.pop(key, 0)
        return f"{text} (and {held} more like it)" if held else text
