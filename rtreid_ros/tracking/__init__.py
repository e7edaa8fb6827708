"""Multi-object trackers: a module each, over shared parts.

* `base`: the steps of an update that all have in common;
* `clock`, `rows`, `kalman` with `state_spaces`, `observations`, `association`, `appearance`: time,
  memory, motion, matching, looks;
* `sort`, `deepsort`, `strongsort`, `bytetrack`, `botsort`, `ocsort`, `deepocsort`: what is
  particular to each. A further tracker is a module of its own and a line here.
"""

from __future__ import annotations

from typing import Any

from rtreid_ros.options import build
from rtreid_ros.registry import Registry
from rtreid_ros.tracking.base import Tracker, TrackerOptions
from rtreid_ros.tracking.botsort import BotSort
from rtreid_ros.tracking.bytetrack import ByteTrack
from rtreid_ros.tracking.deepocsort import DeepOcSort
from rtreid_ros.tracking.deepsort import DeepSort
from rtreid_ros.tracking.ocsort import OcSort
from rtreid_ros.tracking.sort import Sort
from rtreid_ros.tracking.strongsort import StrongSort

TRACKERS: Registry[type[Tracker]] = Registry("tracker")
TRACKERS.register("sort", Sort)
TRACKERS.register("deepsort", DeepSort)
TRACKERS.register("strongsort", StrongSort)
TRACKERS.register("bytetrack", ByteTrack)
TRACKERS.register("botsort", BotSort)
TRACKERS.register("ocsort", OcSort)
TRACKERS.register("deepocsort", DeepOcSort)

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
