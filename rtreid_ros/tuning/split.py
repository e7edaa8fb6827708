"""What is tuned on and what is held back to see whether the gain is real."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ConfigError

if TYPE_CHECKING:
    from rtreid_ros.recordings.recording import Recording


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One search and what it is checked on; `held_out` may be empty."""

    name: str
    tuned_on: tuple[Recording, ...]
    held_out: tuple[Recording, ...]


def splits(tuned_on: Sequence[Recording], held_out: Sequence[Recording] = (), folds: int = 0) -> list[Split]:
    """The searches to make: the one whose result counts first, then one for each fold.

    A fold holds back every `folds`-th sequence and tunes on the others: what the tuned options gain
    there is what tuning in this way gains on sequences it has not seen.

    Raises:
        ConfigError: the same frames on both sides, or `folds` does not fit the number of sequences.
    """
    held = {(item.name, frame.number) for item in held_out for frame in item.frames}
    for item in tuned_on:
        if any((item.name, frame.number) in held for frame in item.frames):
            raise ConfigError(
                f"frames of {item.name} would be both tuned on and held out: choose another part, "
                "or other sequences"
            )
    whole = Split("all", tuple(tuned_on), tuple(held_out))
    if not folds:
        return [whole]
    if not 2 <= folds <= len(tuned_on):
        raise ConfigError(f"folds must be from 2 to the number of sequences, {len(tuned_on)}, got {folds}")
    indices = np.arange(len(tuned_on))
    return [
        whole,
        *(
            Split(
                f"fold {fold + 1}",
                tuple(item for index, item in zip(indices, tuned_on, strict=True) if index % folds != fold),
                tuple(item for index, item in zip(indices, tuned_on, strict=True) if index % folds == fold),
            )
            for fold in range(folds)
        ),
    ]


def fingerprint(recording: Recording) -> dict[str, Any]:
    """Which frames these are, and a digest of everything a tracker and a judge would see in them."""
    digest = hashlib.sha256(f"{recording.frame_rate} {recording.benchmark}".encode())
    for frame in recording.frames:
        seen = frame.detections
        digest.update(f"{frame.number} {frame.stamp}".encode())
        for array in (seen.boxes, seen.scores, seen.class_ids, seen.embeddings, frame.camera_motion):
            if array is not None:
                digest.update(np.ascontiguousarray(array).tobytes())
    truth = recording.truth
    if truth is not None:
        for column in (truth.frames, truth.ids, truth.boxes, truth.scores, truth.class_ids):
            digest.update(np.ascontiguousarray(column).tobytes())
    return {
        "name": recording.name,
        "first_frame": recording.frames[0].number if recording.frames else 0,
        "last_frame": recording.frames[-1].number if recording.frames else 0,
        "frames": len(recording.frames),
        "sha256": digest.hexdigest(),
    }
