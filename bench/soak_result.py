"""What became of a graph that ran for long: what grew, and what that means for days."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from bench.processes import Usage

MEMORY_GOAL_MB = 5.0
FILES_GOAL = 2
"""The middleware opens one for a moment now and then."""
LATENCY_GOAL = 0.20
LATENCY_SLACK_MS = 5.0
BLOCKS = 12
"""Points of a line, at least; else one for each minute."""


@dataclass(frozen=True)
class Minute:
    """What came through in one minute.

    Attributes:
        images: announced by the source.
        tracks: results that came.
        latency_ms_p50, latency_ms_p99: image stamp to receipt; None without results.
    """

    images: int
    tracks: int
    latency_ms_p50: float | None
    latency_ms_p99: float | None


@dataclass(frozen=True)
class Trend:
    """Slope of a line through private memory.

    Attributes:
        per_hour: megabytes an hour.
        margin: so much more or less, with 95 % confidence if the line's points err independently.
    """

    per_hour: float
    margin: float

    @property
    def per_day(self) -> tuple[float, float]:
        """Least and most megabytes a day if it went on like that."""
        return 24 * (self.per_hour - self.margin), 24 * (self.per_hour + self.margin)

    def __str__(self) -> str:
        return f"{self.per_hour:+.1f} ± {self.margin:.1f}"


@dataclass
class Soak:
    """What became of a graph.

    Attributes:
        shape: ``composed`` or ``distributed``.
        warm_up: how many of the first minutes do not count.
        step: length of each of `minutes`; less than one where the whole run is short.
        minutes: one after the other.
        times: of the looks, seconds since the first image.
        looks: by process, one for each of `times`.
    """

    shape: str
    warm_up: float
    step: float = 1.0
    minutes: list[Minute] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    looks: dict[str, list[Usage]] = field(default_factory=dict)

    def counted(self, name: str) -> list[Usage]:
        """Looks at a process after the warm-up."""
        looks = self.looks[name]
        return [look for time, look in zip(self.times, looks, strict=True) if time >= 60 * self.warm_up]

    def growth_mb(self, name: str) -> float:
        """Private memory in the last fourth of the time after the warm-up towards the first fourth.

        Medians, because memory that is given back and taken again is no growth.
        """
        private = np.array([look.private_mb for look in self.counted(name)])
        part = max(len(private) // 4, 1)
        return float(np.median(private[-part:]) - np.median(private[:part]))

    def trend(self, name: str, *, later_half: bool = False) -> Trend | None:
        """A line through private memory after the warm-up, or through the later half of that time.

        Its points are medians of equal stretches of time. None where there are too few looks for it.
        """
        from scipy.stats import linregress, t  # noqa: PLC0415 (slow to load)

        seconds, begin = np.array(self.times), 60 * self.warm_up
        stretch = min(60.0, (seconds[-1] - begin) / BLOCKS)
        if later_half:
            begin += (seconds[-1] - begin) / 2
        private = np.array([look.private_mb for look in self.looks[name]])
        block = (seconds - begin) // stretch if stretch > 0 else np.array([])
        numbers = [number for number in np.unique(block[block >= 0]) if (block == number).sum() > 1]
        if len(numbers) < BLOCKS // 2:
            return None
        hours = [seconds[block == number].mean() / 3600 for number in numbers]
        line = linregress(hours, [np.median(private[block == number]) for number in numbers])
        margin = t.ppf(0.975, len(numbers) - 2) * line.stderr
        return Trend(float(line.slope), float(margin))

    def problems(self, *, latency: bool = True) -> list[str]:
        """Limits that are broken."""
        found = []
        for name in self.looks:
            looks, part = self.counted(name), max(len(self.counted(name)) // 4, 1)
            if self.growth_mb(name) > MEMORY_GOAL_MB:
                found.append(f"{name}: memory has grown by {self.growth_mb(name):.1f} MB")
            for what, goal in (("threads", 0), ("files", FILES_GOAL)):
                counts = [getattr(look, what) for look in looks]
                more = min(counts[-part:]) - max(counts[:part])
                if more > goal:
                    found.append(f"{name}: {more} {what} more")
        counted = self.minutes[math.ceil(self.warm_up / self.step) :]
        p99 = [minute.latency_ms_p99 for minute in counted if minute.latency_ms_p99 is not None]
        if not p99:
            found.append("no tracks came")
        elif latency and len(p99) >= 4:
            part = len(p99) // 4
            first, last = float(np.median(p99[:part])), float(np.median(p99[-part:]))
            if last > first * (1 + LATENCY_GOAL) + LATENCY_SLACK_MS:
                found.append(f"latency p99 went from {first:.1f} to {last:.1f} ms")
        return found
