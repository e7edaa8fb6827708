"""Ground truth as trajectories, from which training cuts its tracklets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.mot_folder import read_seqinfo
from rtreid_ros.evaluation.mot_text import PEDESTRIAN, read_mot
from rtreid_ros.postprocess.aflink.features import HEIGHT, SECONDS, X, Y
from rtreid_ros.postprocess.table import by_track, track_starts

if TYPE_CHECKING:
    from rtreid_ros.types import Float64, Int64

FRAMES = ("all", "first-half", "second-half")
_SHORTEST = 10
_HIDDEN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """One person: ``(T, 4)`` rows (seconds, centre x, centre y, height), in order of time.

    `hidden` lists the rows in which more than half of the person is hidden, where the truth says so.
    """

    sequence: str
    id: int
    rows: Float64
    hidden: Int64


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The people of one sequence, and its frames per second."""

    name: str
    frame_rate: float
    people: tuple[Trajectory, ...]


def read_scenes(places: Sequence[Path], frames: str) -> list[Scene]:
    """The pedestrians of sequences who are seen in at least 10 frames.

    Args:
        places: sequence folders (seqinfo.ini, gt/gt.txt), or folders of such.
        frames: one of `FRAMES`; the first half is frame ``seqLength // 2`` and those before it.

    Raises:
        SourceError: a place holds no ground truth, or no pedestrian is in the chosen frames.
    """
    scenes = [_read(folder, frames) for place in places for folder in _sequences(place)]
    if not any(scene.people for scene in scenes):
        raise SourceError(f"no pedestrian is seen in {_SHORTEST} of the chosen frames ({frames})")
    return [scene for scene in scenes if scene.people]


def _sequences(place: Path) -> list[Path]:
    if (place / "gt" / "gt.txt").is_file():
        return [place]
    found = sorted(path.parent.parent for path in place.glob("*/gt/gt.txt"))
    if not found:
        raise SourceError(f"{place}: no ground truth; looked for gt/gt.txt there and in its folders")
    return found


def _read(folder: Path, frames: str) -> Scene:
    info = read_seqinfo(folder)
    table = read_mot(folder / "gt" / "gt.txt")
    half = info.length // 2
    chosen = table.considered & (table.class_ids == PEDESTRIAN) & (table.boxes[:, 2:] > 0).all(axis=1)
    if frames == "first-half":
        chosen &= table.frames <= half
    elif frames == "second-half":
        chosen &= table.frames > half
    ordered = by_track(table[chosen])
    x, y, w, h = ordered.boxes.T
    rows = np.empty((len(ordered), 4))
    rows[:, SECONDS] = ordered.frames / info.frame_rate
    rows[:, X], rows[:, Y], rows[:, HEIGHT] = x + w / 2, y + h / 2, h
    starts = track_starts(ordered)
    people = tuple(
        Trajectory(
            folder.name,
            int(ordered.ids[start]),
            rows[start:end],
            np.flatnonzero(ordered.visibility[start:end] < _HIDDEN),
        )
        for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True)
        if end - start >= _SHORTEST
    )
    return Scene(folder.name, info.frame_rate, people)
