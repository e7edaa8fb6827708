"""Parts of a sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError
from rtreid_ros.registry import suggest

if TYPE_CHECKING:
    from rtreid_ros.recordings.recording import Recording

PARTS: tuple[str, ...] = ("all", "first-half", "second-half")
"""``second-half`` is the "val-half" of the MOT17 experiments since CenterTrack: the frames after
``length // 2 + 1``. ``first-half`` ends with ``length // 2``, so the frame between is in neither."""


def part_frames(part: str, length: int) -> range:
    """Frame numbers, from 1, of a part of a sequence of `length` frames.

    Raises:
        ConfigError: no such part.
    """
    if part not in PARTS:
        raise ConfigError(f"no part {part!r}{suggest(part, list(PARTS))}; there are {', '.join(PARTS)}")
    half = length // 2
    return {
        "all": range(1, length + 1),
        "first-half": range(1, half + 1),
        "second-half": range(half + 2, length + 1),
    }[part]


def select(recording: Recording, part: str = "all") -> Recording:
    """The frames of `part`; they keep their numbers, and stamps begin with 0.

    Raises:
        ConfigError: no such part.
    """
    last = recording.frames[-1].number if recording.frames else 0
    wanted = part_frames(part, recording.length or last)
    frames = [frame for frame in recording.frames if frame.number in wanted]
    start = frames[0].stamp if frames else 0.0
    if start:
        rate = recording.frame_rate
        frames = [replace(frame, stamp=(frame.number - frames[0].number) / rate) for frame in frames]
    return recording.with_frames(frames)
