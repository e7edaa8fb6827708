"""Recordings changed on purpose: frames left out, appearance simulated."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.affine import compose
from rtreid_ros.boxes import iou
from rtreid_ros.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from rtreid_ros.evaluation.mot_text import MotTable
    from rtreid_ros.recordings.recording import RecordedFrame, Recording
    from rtreid_ros.types import Bool, Float32, Float64

_PEOPLE = (1, 2, 7, 8, 12)
"""MOTChallenge classes a detector boxes as people, so that they have an appearance."""
_SAME = 0.5
"""IoU from which a detection shows the person it overlaps most."""


def drop_frames(recording: Recording, rate: float, seed: int = 0) -> Recording:
    """Each frame left out with probability `rate`; camera motion over those left out adds up.

    Which frames go depends on the seed and the sequence's name and length alone, so every tracker
    sees the same ones.

    Raises:
        ConfigError: `rate` is not in [0, 1).
    """
    if not 0 <= rate < 1:
        raise ConfigError(f"the rate of dropped frames must be in [0, 1), got {rate}")
    last = recording.frames[-1].number if recording.frames else 0
    kept = _random(recording, seed, 2).random(max(recording.length, last) + 1) >= rate
    frames: list[RecordedFrame] = []
    carried: Float64 | None = None
    for frame in recording.frames:
        motion = _chain(carried, frame.camera_motion)
        if kept[frame.number]:
            frames.append(replace(frame, camera_motion=motion))
            carried = None
        else:
            carried = motion
    return recording.with_frames(frames)


def _chain(first: Float64 | None, then: Float64 | None) -> Float64 | None:
    """One affine that does what `first` and `then` do in turn; None: not known, taken as none."""
    if first is None or then is None:
        return first if then is None else then
    return compose(then, first)


def with_simulated_embeddings(recording: Recording, sigma: float, seed: int = 0, dim: int = 128) -> Recording:
    """Appearance made up from the ground truth, where no images are at hand.

    Every identity is a fixed random unit vector. A detection that overlaps a person by an IoU of
    0.5 or more shows that vector plus Gaussian noise of standard deviation `sigma` per dimension,
    scaled back to unit length; any other detection shows a random unit vector.

    Raises:
        SourceError: the recording has no ground truth.
        ConfigError: a negative `sigma`, or `dim` below 1.
    """
    if recording.truth is None:
        raise SourceError(f"{recording.name}: no ground truth to simulate embeddings from")
    if not (sigma >= 0 and dim >= 1):
        raise ConfigError(f"sigma must be at least 0 and dim at least 1, got {sigma} and {dim}")
    truth = recording.truth[_people(recording.truth, recording.benchmark)]
    names = np.unique(truth.ids)
    looks = _unit(_random(recording, seed, 1).standard_normal((len(names), dim)))
    rows = dict(truth.by_frame())
    frames = []
    for frame in recording.frames:
        # a generator for each frame: a detection looks the same whatever part of the sequence is used
        noise = _random(recording, seed, 3, frame.number).standard_normal((len(frame.detections), dim))
        vectors = noise.copy()
        here = rows.get(frame.number)
        if here is not None and len(noise):
            overlap = iou(frame.detections.boxes.astype(np.float64), truth.xyxy(here))
            best = overlap.argmax(axis=1)
            shown = overlap.max(axis=1) >= _SAME
            who = np.searchsorted(names, truth.ids[here][best[shown]])
            vectors[shown] = looks[who] + sigma * noise[shown]
        frames.append(replace(frame, detections=frame.detections.with_embeddings(_unit(vectors))))
    return recording.with_frames(frames)


def _people(truth: MotTable, benchmark: str) -> Bool:
    if benchmark == "KITTI":
        return truth.ids >= 0
    return np.isin(truth.class_ids, _PEOPLE)


def _unit(vectors: Float64) -> Float32:
    unit: Float32 = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _random(recording: Recording, seed: int, *stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(recording.name.encode()), *stream])
