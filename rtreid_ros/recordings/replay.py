"""Running trackers over recordings."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rtreid_ros.recordings.recording import RecordedFrame, Recording
    from rtreid_ros.tracking import Tracker
    from rtreid_ros.types import Float64, Tracks


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What a tracker made of a recording.

    Attributes:
        recording: what was played.
        tracks: one for each of its frames, all live tracks.
        milliseconds: ``(F,)`` wall clock of each update.
    """

    recording: Recording
    tracks: tuple[Tracks, ...]
    milliseconds: Float64


def replay(
    recording: Recording,
    tracker: Tracker,
    *,
    real_time: bool = True,
    camera_motion: bool = True,
    watch: Callable[[], object] | None = None,
) -> Replay:
    """Every frame of `recording` through `tracker`, which should be fresh.

    Args:
        recording: the input.
        tracker: made with the recording's frame rate.
        real_time: tell the tracker each frame's stamp; otherwise frames count as evenly spaced,
            also where some were left out.
        camera_motion: give the tracker the camera motion, where it is known.
        watch: called after each frame, outside of what is timed.
    """
    tracks, milliseconds = [], []
    for frame, stamp in _timed(recording, real_time):
        motion = frame.camera_motion if camera_motion else None
        start = time.perf_counter()
        result = tracker.update(frame.detections, stamp=stamp, camera_motion=motion)
        milliseconds.append((time.perf_counter() - start) * 1e3)
        tracks.append(result)
        if watch is not None:
            watch()
    return Replay(recording, tuple(tracks), np.array(milliseconds))


def _timed(recording: Recording, real_time: bool) -> Iterator[tuple[RecordedFrame, float]]:
    for count, frame in enumerate(recording.frames):
        yield frame, frame.stamp if real_time else count / recording.frame_rate
