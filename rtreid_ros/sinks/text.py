"""Results as text: MOTChallenge and JSON lines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.boxes import xyxy_to_ltwh
from rtreid_ros.errors import SinkError
from rtreid_ros.evaluation.mot_text import MOT_CLASSES, PEDESTRIAN, tracks_text, truth_text
from rtreid_ros.sinks.base import OutputSink
from rtreid_ros.types import TrackState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.pipeline import FrameResult


class _TextOutput(OutputSink):
    """Lines of text, ended by line feeds on every system."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        try:
            self._stream = self.partial.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written ({error})") from None

    def close(self) -> None:
        self._stream.close()


class MotSink(_TextOutput):
    """``tracks.txt``: confirmed tracks, frames counted from 1 (see `tracks_text`)."""

    def write(self, result: FrameResult) -> None:
        """Append the lines of one frame."""
        self._stream.write(tracks_text(result.frame.index + 1, result.tracks))


class TruthSink(_TextOutput):
    """``gt.txt``: the ground truth that came with the frames, for judging later.

    Classes get MOTChallenge's numbers by their names; a person is its pedestrian.
    """

    def __init__(self, path: str | Path, class_names: Sequence[str] = ()) -> None:
        super().__init__(path)
        numbers = {**{name: number for number, name in enumerate(MOT_CLASSES)}, "person": PEDESTRIAN}
        self._numbers = np.array([numbers.get(name, 0) for name in class_names], np.int32)

    def write(self, result: FrameResult) -> None:
        """Append the lines of one frame, none where it has no ground truth."""
        truth = result.frame.truth
        if truth is None:
            return
        if len(self._numbers):
            truth = replace(truth, class_ids=self._numbers[truth.class_ids])
        self._stream.write(truth_text(result.frame.index + 1, truth))


class JsonLinesSink(_TextOutput):
    """One JSON object per frame, with every live track.

    ``{"frame": 1, "stamp": seconds, "tracks": [{"id", "state", "class", "score", "box": [x, y, w, h],
    "velocity": [vx, vy], "age", "time_since_update"}]}``; pixels and seconds.
    """

    def __init__(self, path: str | Path, class_names: Sequence[str] = ()) -> None:
        super().__init__(path)
        self._class_names = class_names

    def write(self, result: FrameResult) -> None:
        """Append the line of one frame."""
        frame = result.frame
        content = {
            "frame": frame.index + 1,
            "stamp": round(frame.stamp, 9),
            "tracks": [self._track(result.tracks, row) for row in range(len(result.tracks))],
        }
        self._stream.write(json.dumps(content, separators=(",", ":")) + "\n")

    def _track(self, tracks: Any, row: int) -> dict[str, Any]:
        class_id = int(tracks.class_ids[row])
        known = 0 <= class_id < len(self._class_names)
        box = xyxy_to_ltwh(tracks.boxes[row : row + 1].astype(np.float64))[0]
        return {
            "id": int(tracks.ids[row]),
            "state": TrackState(int(tracks.states[row])).name.lower(),
            "class": self._class_names[class_id] if known else class_id,
            "score": round(float(tracks.scores[row]), 4),
            "box": [round(value, 3) for value in box.tolist()],
            "velocity": [round(value, 3) for value in tracks.velocities[row].tolist()],
            "age": round(float(tracks.ages[row]), 4),
            "time_since_update": round(float(tracks.time_since_update[row]), 4),
        }
