"""Bounded sets of looks."""

from __future__ import annotations

import numpy as np

from rtreid_ros.types import Float32, Int32, Int64

_EMPTY = -1


class Exemplars:
    """A pool of slots with up to `size` looks each; what is full keeps those that differ most.

    Attributes:
        vectors: ``(slots, size, D) float32`` of unit length, zeros where there is none.
        cameras: ``(slots, size) int32`` camera of each, -1 where there is none.
    """

    def __init__(self, size: int, dim: int = 0) -> None:
        self.size = size
        self.vectors: Float32 = np.zeros((0, size, dim), np.float32)
        self.cameras: Int32 = np.zeros((0, size), np.int32)
        self._written: Int64 = np.zeros((0, size), np.int64)
        self._count = 0

    def __len__(self) -> int:
        return len(self.vectors)

    def reserve(self, slots: int) -> None:
        """Make room for so many slots."""
        more = slots - len(self)
        if more > 0:
            size, dim = self.vectors.shape[1:]
            self.vectors = np.concatenate((self.vectors, np.zeros((more, size, dim), np.float32)))
            self.cameras = np.concatenate((self.cameras, np.full((more, size), _EMPTY, np.int32)))
            self._written = np.concatenate((self._written, np.zeros((more, size), np.int64)))

    def clear(self, slot: int) -> None:
        """Forget the looks of a slot."""
        self.vectors[slot] = 0
        self.cameras[slot] = _EMPTY

    def of(self, slot: int) -> tuple[Float32, Int32]:
        """Looks ``(n, D)`` of a slot and their cameras ``(n,)``, oldest first."""
        rows = np.flatnonzero(self.cameras[slot] != _EMPTY)
        rows = rows[np.argsort(self._written[slot, rows])]
        return self.vectors[slot, rows], self.cameras[slot, rows]

    def add(self, slot: int, vector: Float32, camera: int) -> None:
        """Remember one more look.

        A full slot gives up, of the camera it has most of, the older of the two looks most alike: so
        rare views and cameras stay.
        """
        cameras = self.cameras[slot]
        free = np.flatnonzero(cameras == _EMPTY)
        at = int(free[0]) if len(free) else self._most_redundant(slot, vector, camera)
        self._count += 1
        if at < self.size:
            self.vectors[slot, at], cameras[at], self._written[slot, at] = vector, camera, self._count

    def _most_redundant(self, slot: int, vector: Float32, camera: int) -> int:
        """Which look goes; `size` stands for the new one."""
        cameras = np.append(self.cameras[slot], camera)
        kinds, counts = np.unique(cameras, return_counts=True)
        rows = np.flatnonzero(cameras == kinds[counts.argmax()])
        age = np.append(self._written[slot], self._count + 1)[rows]
        if len(rows) == 1:  # more cameras than room
            return int(np.append(self._written[slot], self._count + 1).argmin())
        looks = np.concatenate((self.vectors[slot], vector[None]))[rows]
        alike = looks @ looks.T
        np.fill_diagonal(alike, -np.inf)
        pair = np.unravel_index(alike.argmax(), alike.shape)
        return int(rows[min(pair, key=lambda row: age[row])])

    def sums(self, slots: Int64, cameras: int) -> tuple[Float32, Float32]:
        """Mean look ``(n, D)`` of each slot, and how its looks spread over cameras ``(n, cameras)``."""
        filled = self.cameras[slots] != _EMPTY
        count = np.maximum(filled.sum(axis=1), 1).astype(np.float32)[:, None]
        shares = np.zeros((len(slots), cameras), np.float32)
        row, column = np.nonzero(filled)
        np.add.at(shares, (row, self.cameras[slots][row, column]), 1)
        means: Float32 = self.vectors[slots].sum(axis=1) / count
        return means, shares / count
