"""Random numbers of the scene: one independent stream per purpose, none of them global."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


def stream(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """The generator for one purpose: adding a purpose never shifts what another one draws."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode()), *keys])


def drift(rng: np.random.Generator, seconds: NDArray[np.float64], period: float) -> NDArray[np.float64]:
    """A smooth wander in about [-1, 1] at the given times: three sinusoids of random phase.

    Args:
        rng: where frequencies and phases come from.
        seconds: ``(T,)`` times.
        period: length of the slowest wave in seconds.
    """
    frequency = np.array([1.0, 1.73, 3.1]) * rng.uniform(0.85, 1.15, 3) / period
    phase = rng.uniform(0, 2 * np.pi, 3)
    waves = np.sin(2 * np.pi * np.outer(seconds, frequency) + phase)
    return np.asarray(waves @ np.array([0.55, 0.3, 0.15]), np.float64)
