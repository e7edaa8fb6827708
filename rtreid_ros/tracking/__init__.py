"""Multi-object trackers: a module each, over shared parts.

* `base`: the steps of an update that all have in common;
* `clock`, `rows`, `kalman`, `association`, `appearance`: time, memory, motion, matching, looks;
* `bytetrack`, `strongsort`: what is particular to each. A further tracker is a module of its own
  and a line here.
"""

from __future__ import annotations

from typing import Any

from rtreid_ros.options import build
from rtreid_ros.registry import Registry
from rtreid_ros.tracking.base import Tracker, TrackerOptions
from rtreid_ros.tracking.bytetrack import ByteTrack
from rtreid_ros.tracking.strongsort import StrongSort

TRACKERS: Registry[type[Tracker]] = Registry("tracker")
TRACKERS.register("bytetrack", ByteTrack)
TRACKERS.register("strongsort", StrongSort)

DEFAULT_TRACKER = "strongsort"

__all__ = ["DEFAULT_TRACKER", "TRACKERS", "Tracker", "TrackerOptions", "create_tracker"]


def create_tracker(name: str, frame_rate: float = 30.0, **options: Any) -> Tracker:
    """A new tracker.

    Args:
        name: one of ``TRACKERS``.
        frame_rate: nominal frames per second: the step for which papers state noise, and the time
            between updates that carry no stamp.
        options: fields of ``TRACKERS[name].Options``; what is not given has its published default.

    Raises:
        ConfigError: an unknown tracker or option, or a value out of range.
    """
    tracker = TRACKERS[name]
    return tracker(frame_rate, build(tracker.Options, options))
