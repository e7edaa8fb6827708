"""A street without end, for trackers to be worn out on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtreid_ros.types import Detections, Float64

FPS = 30
DAY = 1000
"""Updates after which the street begins again, with time and ids going on."""
CROWD = slice(500, 540)
"""When three times as many people are in sight."""
NOBODY = slice(250, 253)
SHAKING = slice(0, 100)


@dataclass(frozen=True)
class Moment:
    """Input of one update; `step` is the time since the one before, in seconds."""

    detections: Detections
    step: float
    camera_motion: Float64 | None


def street(people: int, dim: int, seed: int = 0) -> list[Moment]:
    """A day on the street, with about `people` in sight, to be played again and again."""
    rng = np.random.default_rng(seed)
    extent = np.array([1920.0, 1080.0])
    everyone = 3 * people
    place = rng.uniform(0, 1, (everyone, 2)) * extent
    pace, height = rng.normal(0, 3, (everyone, 2)), rng.uniform(60, 200, everyone)
    looks = rng.standard_normal((everyone, dim)).astype(np.float32)
    offset, day = np.zeros(2), []
    shaking, crowded, empty = (set(range(DAY)[part]) for part in (SHAKING, CROWD, NOBODY))
    for number in range(DAY):
        pace = 0.98 * pace + rng.normal(0, 0.6, pace.shape)
        place = place + pace
        gone = ((place < 0) | (place > extent)).any(axis=1) | (rng.random(everyone) < 0.004)
        count = int(gone.sum())
        place[gone], pace[gone] = rng.uniform(0, 1, (count, 2)) * extent, rng.normal(0, 3, (count, 2))
        looks[gone] = rng.standard_normal((count, dim))
        seen = (rng.random(everyone) < 0.9) & (number not in empty)
        seen[people:] &= number in crowded
        camera_motion = None
        if number in shaking:
            before, offset = offset, 0.9 * offset + rng.normal(0, 6, 2)
            camera_motion = np.column_stack([np.eye(2), offset - before])
        size = height[seen, None] * [0.4, 1.0] * rng.normal(1, 0.03, (int(seen.sum()), 2))
        centre = place[seen] + offset + rng.normal(0, 1.5, size.shape)
        embeddings = None
        if dim:
            rows = looks[seen] + 0.5 * rng.standard_normal((len(size), dim), dtype=np.float32)
            embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        scores = np.clip(rng.normal(0.8, 0.15, len(size)), 0.05, 1)
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        step = (1 if rng.random() < 0.99 else int(rng.integers(2, 60))) / FPS
        day.append(Moment(Detections(boxes, scores, None, embeddings), step, camera_motion))
    return day


def days(moments: list[Moment], updates: int) -> Iterator[tuple[int, Moment, float]]:
    """Number, moment and stamp of each of `updates`."""
    stamp = 0.0
    for number in range(updates):
        moment = moments[number % len(moments)]
        stamp += moment.step
        yield number, moment, stamp
