# ruff: noqa: E402 (thread limits must be set before numpy is imported)
"""A million updates with people coming and going: does memory or time per update grow?

    python bench/soak.py [--updates 1000000] [--tracker bytetrack] [--output docs/trackers.md]

Each tracker is played a street without end: walkers who turn, hide, leave and are replaced, a crowd
that comes by now and then, empty frames, late frames, a camera that shakes at times, embeddings for
the trackers that use them. The run is cut into windows. Time of an update (CPU) is compared between
windows, and with that of a fresh tracker that is played the same moments in turns, which a busy machine
does not disturb; resident memory is read at the end of each window. Python's own count of allocated
bytes is taken in a further pass (--traced updates), because counting slows everything down. Exit code 1
if a tracker has grown by more than 5 MB or got slower by more than 10 %.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
import gc
import logging
import sys
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from bench.machine import machine
from bench.results import ResultsFile
from bench.sections import table, write_section
from bench.street import DAY, FPS, Moment, days, street
from rtreid_ros.tracking import TRACKERS, Tracker, create_tracker

WINDOWS = 20
MEMORY_GOAL_MB = 5.0
TIME_GOAL = 0.10


@dataclass(frozen=True)
class Endurance:
    """What became of one tracker.

    Attributes:
        tracker: its name.
        updates: in all.
        ids: given in all.
        milliseconds: CPU time of an update, median of each window.
        aged_to_fresh: time of an update towards that of a fresh tracker, at the end of each window.
        resident_mb: memory of the process at the end of each window.
        traced_mb: allocated by Python at the end of each window of the traced pass.
    """

    tracker: str
    updates: int
    ids: int
    milliseconds: tuple[float, ...]
    aged_to_fresh: tuple[float, ...]
    resident_mb: tuple[float, ...]
    traced_mb: tuple[float, ...]

    @property
    def time_spread(self) -> float:
        """How far the windows' medians lie apart, relative to their median; a busy machine is in it."""
        times = np.array(self.milliseconds)
        return float((times.max() - times.min()) / np.median(times))

    @property
    def ageing(self) -> float:
        """How much slower than a fresh tracker it is after the last fourth of the windows (0.1: 10 %)."""
        last = self.aged_to_fresh[-max(len(self.aged_to_fresh) // 4, 1) :]
        return float(np.median(last)) - 1

    @property
    def resident_growth_mb(self) -> float:
        """From the first window to the highest of the later ones."""
        return max(self.resident_mb) - self.resident_mb[0]

    @property
    def traced_growth_mb(self) -> float:
        """Likewise, in the traced pass."""
        return max(self.traced_mb) - self.traced_mb[0]

    @property
    def is_flat(self) -> bool:
        """Whether memory and time stayed as they were."""
        grown = max(self.resident_growth_mb, self.traced_growth_mb)
        return grown <= MEMORY_GOAL_MB and self.ageing <= TIME_GOAL


def endure(tracker: str, updates: int, traced: int, people: int, dim: int, seed: int) -> Endurance:
    """Play a tracker the street; one more window comes first, to warm up.

    Towards the end of each window a fresh tracker is played the same moments, in turns with the one
    that ages: both are slow when the machine is busy with something else.
    """
    moments = street(people, dim if TRACKERS[tracker].uses_embeddings else 0, seed)
    window = _window(updates)
    sample, lead_in = min(window // 2, 2 * DAY), min(window // 4, DAY // 2)
    aged, fresh = create_tracker(tracker, FPS), create_tracker(tracker, FPS)
    spent, spent_fresh = np.zeros(window), np.zeros(sample)
    times, ratios, resident, ids = [], [], [], 0
    for number, moment, stamp in days(moments, (WINDOWS + 1) * window):
        place = number % window
        in_sample = place - (window - sample)
        if in_sample == -lead_in:
            fresh = create_tracker(tracker, FPS)
        both = in_sample >= -lead_in
        if both and number % 2:  # whoever comes second finds the arrays in the cache
            spent_fresh[max(in_sample, 0)] = timed(fresh, moment, stamp)
        spent[place] = timed(aged, moment, stamp)
        if both and not number % 2:
            spent_fresh[max(in_sample, 0)] = timed(fresh, moment, stamp)
        ids = max(ids, int(aged.tracks.ids.max(initial=0)))
        if place == window - 1:
            times.append(float(np.median(spent)))
            ratios.append(float(np.median(spent[-sample:]) / np.median(spent_fresh)))
            resident.append(_resident_mb())
    held = trace(tracker, moments, traced)
    return Endurance(tracker, updates, ids, tuple(times[1:]), tuple(ratios[1:]), tuple(resident[1:]), held)


def timed(tracker: Tracker, moment: Moment, stamp: float) -> float:
    """CPU milliseconds of one update."""
    begin = time.thread_time_ns()
    tracker.update(moment.detections, stamp=stamp, camera_motion=moment.camera_motion)
    return (time.thread_time_ns() - begin) / 1e6


def trace(tracker: str, moments: list[Moment], updates: int) -> tuple[float, ...]:
    """Megabytes that Python holds at the end of each window, after one window to warm up."""
    window = _window(updates)
    held = []
    tracemalloc.start()
    try:
        subject = create_tracker(tracker, FPS)
        for number, moment, stamp in days(moments, (WINDOWS + 1) * window):
            timed(subject, moment, stamp)
            if (number + 1) % window == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0] / 2**20)
    finally:
        tracemalloc.stop()
    return tuple(held[1:])


def _window(updates: int) -> int:
    """Length of a window: whole days, so that each holds the same work."""
    return max(round(updates / WINDOWS / DAY), 1) * DAY


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


HEADER = (
    *("tracker", "updates", "ids", "ms, first window", "last", "spread", "slower than fresh"),
    *("resident MB", "growth MB", "traced growth MB", "flat"),
)


def row(found: Endurance) -> list[str]:
    """Cells under `HEADER`."""
    return [
        found.tracker,
        f"{found.updates:,}",
        f"{found.ids:,}",
        f"{found.milliseconds[0]:.3f}",
        f"{found.milliseconds[-1]:.3f}",
        f"{100 * found.time_spread:.1f} %",
        f"{100 * found.ageing:+.1f} %",
        f"{found.resident_mb[-1]:.1f}",
        f"{found.resident_growth_mb:.2f}",
        f"{found.traced_growth_mb:.2f}",
        "yes" if found.is_flat else "NO",
    ]


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--updates", type=int, default=1_000_000, help="timed updates of each tracker (1,000,000)")
    add("--traced", type=int, default=0, help="updates of the traced pass (a twentieth)")
    add("--tracker", action="append", choices=list(TRACKERS), help="repeatable (all)")
    add("--people", type=int, default=12, help="in sight on an ordinary day (12)")
    add("--dim", type=int, default=128, help="length of the embeddings (128)")
    add("--seed", type=int, default=0)
    add("--results", type=Path, default=ROOT / "out/bench/trackers.json", help="where figures are kept")
    add("--kept", action="store_true", help="run nothing; write the table of what is kept")
    add("--output", type=Path, help="document whose table is written, docs/trackers.md")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    results = ResultsFile(args.results)
    print("  ".join(HEADER))
    flat = True
    for name in [] if args.kept else args.tracker or list(TRACKERS):
        traced = args.traced or args.updates // 20
        with ProcessPoolExecutor(1) as pool:  # memory that another tracker left free would hide growth
            found = pool.submit(endure, name, args.updates, traced, args.people, args.dim, args.seed).result()
        flat &= found.is_flat
        print("  ".join(row(found)), flush=True)
        results.put("soak", name, asdict(found))
        results.put("made", "soaked_on", machine("numpy", "scipy"))
        results.save()
    kept = [Endurance(**item) for _, item in sorted(results.content["soak"].items())]
    if args.output:
        text = table(HEADER, [row(found) for found in kept], text_columns=1)
        write_section(args.output, "endurance", text)
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
