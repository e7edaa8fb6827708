"""Everybody remembered: a table with a row (slot) for each identity."""

from __future__ import annotations

import numpy as np

from rtreid_ros.gallery.exemplars import Exemplars
from rtreid_ros.gallery.looks import Looks
from rtreid_ros.types import Bool, Float32, Float64, Int64

NEVER = -(1 << 62)
"""A time before all others, nanoseconds."""


class Identities:
    """A table that grows up to `capacity` rows; a row with id 0 is free.

    Attributes:
        ids: ``(K,) int64`` global ids, from 1, never given twice.
        seen: ``(K, C) int64`` when each camera saw it last, nanoseconds; `NEVER` if not.
        places: ``(K, 2)`` where it stood when its position was known last, metres; NaN if never.
        placed: ``(K,) int64`` when that was.
        placed_by: ``(K,)`` camera that told.
        apart: ``(K, K) bool``: one camera has shown both at the same time.
        looks: exemplars, by slot.
    """

    def __init__(self, capacity: int, exemplars: int) -> None:
        self.capacity = capacity
        self.looks = Exemplars(exemplars)
        self._next = 1
        self._allocate(0, 0)

    def _allocate(self, rows: int, cameras: int) -> None:
        self.ids: Int64 = np.zeros(rows, np.int64)
        self.seen: Int64 = np.full((rows, cameras), NEVER)
        self.places: Float64 = np.full((rows, 2), np.nan)
        self.placed: Int64 = np.full(rows, NEVER)
        self.placed_by: Int64 = np.zeros(rows, np.int64)
        self.apart: Bool = np.zeros((rows, rows), bool)

    def __len__(self) -> int:
        """Identities known."""
        return int(np.count_nonzero(self.ids))

    def reset(self, dim: int) -> None:
        """Forget everybody; looks have length `dim` from now on. Ids go on."""
        self._allocate(0, self.seen.shape[1])
        self.looks = Exemplars(self.looks.size, dim)

    def widen(self, cameras: int) -> None:
        """Know of so many cameras."""
        missing = cameras - self.seen.shape[1]
        if missing > 0:
            self.seen = np.concatenate((self.seen, np.full((len(self.seen), missing), NEVER)), axis=1)

    def known(self) -> Int64:
        """Slots in use."""
        return np.flatnonzero(self.ids)

    def last_seen(self) -> Int64:
        """``(K,)`` when anybody saw it last."""
        latest: Int64 = self.seen.max(axis=1, initial=NEVER)
        return latest

    def open(self) -> int | None:
        """A slot for a new identity; None where `capacity` are known."""
        free = np.flatnonzero(self.ids == 0)
        if not len(free):
            rows = len(self.ids)
            if rows == self.capacity:
                return None
            self._grow(min(max(2 * rows, 16), self.capacity))
            free = np.array([rows])
        slot = int(free[0])
        self.ids[slot] = self._next
        self._next += 1
        return slot

    def close(self, slot: int) -> None:
        """Forget an identity."""
        self.ids[slot] = 0
        self.seen[slot] = NEVER
        self.places[slot] = np.nan
        self.placed[slot] = NEVER
        self.apart[slot] = self.apart[:, slot] = False
        self.looks.clear(slot)

    def note(self, slots: Int64, camera: int, now: int, places: Float64) -> None:
        """A camera sees some identities, at ``(n, 2)`` places (NaN: not known)."""
        self.seen[slots, camera] = now
        told = slots[np.isfinite(places).all(axis=1)]
        self.places[told] = places[np.isfinite(places).all(axis=1)]
        self.placed[told] = now
        self.placed_by[told] = camera

    def merge(self, slot: int, into: int) -> None:
        """Two identities are one person: `into` gets what is known of `slot`, which is forgotten."""
        for vector, camera in zip(*self.looks.of(slot), strict=True):
            self.looks.add(into, vector, int(camera))
        self.seen[into] = np.maximum(self.seen[into], self.seen[slot])
        if self.placed[slot] > self.placed[into]:
            self.places[into], self.placed[into] = self.places[slot], self.placed[slot]
            self.placed_by[into] = self.placed_by[slot]
        self.apart[into] |= self.apart[slot]
        self.apart[:, into] |= self.apart[:, slot]
        self.close(slot)

    def mean_looks(self, slots: Int64) -> Looks:
        """What the identities look like."""
        return Looks(*self.looks.sums(slots, self.seen.shape[1]))

    def add_look(self, slot: int, vector: Float32, camera: int) -> None:
        """One more exemplar."""
        self.looks.add(slot, vector, camera)

    def _grow(self, rows: int) -> None:
        ids, seen, apart = self.ids, self.seen, self.apart
        places, placed, placed_by = self.places, self.placed, self.placed_by
        before = len(ids)
        self._allocate(rows, seen.shape[1])
        self.ids[:before], self.seen[:before], self.apart[:before, :before] = ids, seen, apart
        self.places[:before], self.placed[:before], self.placed_by[:before] = places, placed, placed_by
        self.looks.reserve(rows)
