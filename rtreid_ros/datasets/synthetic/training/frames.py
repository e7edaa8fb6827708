"""Training data rendered on all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import cv2
from tqdm import tqdm

from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.random import stream

TRAINING_SEEDS = 100_000
"""Scenes of training count from here; those below are for demonstrations and tests."""
HELD_OUT_SEEDS = 200_000
"""Scenes of evaluation count from here."""

T = TypeVar("T")


def varied_options(seed: int, camera: int) -> SceneOptions:
    """A scene of that seed with crowd, light, noise and shake drawn at random."""
    rng = stream(seed, "training")
    return SceneOptions(
        seed=seed,
        people=int(rng.integers(8, 36)),
        frames=300,
        camera=camera,
        camera_motion=float(rng.choice([0.0, 6.0])),
        light=float(rng.uniform(0, 1)),
        noise=float(rng.uniform(0, 4)),
    )


def _prepare() -> None:
    cv2.setNumThreads(1)


def render_all(work: Callable[[int], T], seeds: list[int], title: str) -> Iterator[T]:
    """``work(seed)`` for all seeds in order, in parallel, with a progress bar."""
    # spawned, not forked: torch's threads do not survive a fork
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _prepare) as pool:
        yield from tqdm(pool.map(work, seeds), total=len(seeds), desc=title, unit="scene")
