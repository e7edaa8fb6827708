"""Comparing mean looks, freed from what their cameras put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtreid_ros.types import Float32, Float64

_HALF = 10.0
"""After this many tracks half of a mean is believed."""
_NOTHING_LEFT = 1e-5
"""Length below which a centred vector is rounding noise."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Mean looks of N tracks or identities.

    Attributes:
        means: ``(N, D)`` means of unit vectors.
        shares: ``(N, C)`` how they spread over cameras; rows sum to 1.
    """

    means: Float32
    shares: Float32

    def __len__(self) -> int:
        return len(self.means)

    def __getitem__(self, rows: Any) -> Looks:
        """The rows that a mask, an index array or a slice selects."""
        return Looks(self.means[rows], self.shares[rows])


class CameraMeans:
    """What each camera shows on average, which is taken out of every look before looks are compared.

    Each camera's light and point of view shift all its vectors alike; without that shift, people of
    different cameras compare like people of one. (`evaluation.retrieval.camera_bias` does so with a
    whole test set.) Means grow with what has been seen: a camera of few tracks leans on the mean of
    all cameras, and that, while few tracks were seen at all, on zero.
    """

    def __init__(self) -> None:
        self._sums: Float64 = np.zeros((0, 0))
        self._counts: Float64 = np.zeros(0)

    def reset(self, dim: int) -> None:
        """Forget everything; looks have length `dim` from now on."""
        self._sums = np.zeros((0, dim))
        self._counts = np.zeros(0)

    def widen(self, cameras: int) -> None:
        """Know of so many cameras."""
        missing = cameras - len(self._counts)
        if missing > 0:
            self._sums = np.concatenate((self._sums, np.zeros((missing, self._sums.shape[1]))))
            self._counts = np.concatenate((self._counts, np.zeros(missing)))

    def add(self, camera: int, mean: Float32) -> None:
        """Take in one track."""
        self._sums[camera] += mean
        self._counts[camera] += 1

    def means(self) -> Float32:
        """``(C, D)``."""
        everywhere = self._sums.sum(axis=0) / (self._counts.sum() + _HALF)
        own = (self._sums + _HALF * everywhere) / (self._counts + _HALF)[:, None]
        result: Float32 = own.astype(np.float32)
        return result

    def clean(self, looks: Looks) -> Float32:
        """``(N, D)`` of unit length; a row of zeros where nothing is left."""
        means = self.means()
        cleaned = looks.means - looks.shares @ means[: looks.shares.shape[1]]
        length = np.linalg.norm(cleaned, axis=1, keepdims=True)
        unit: Float32 = np.divide(cleaned, length, out=np.zeros_like(cleaned), where=length > _NOTHING_LEFT)
        return unit
