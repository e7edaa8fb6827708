"""What tracks look like: a smoothed embedding each, and snapshots of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.tracking.rows import TrackRows
from rtreid_ros.types import Float32, Int32, Int64


@dataclass(slots=True)
class AppearanceRows(TrackRows):
    """Tracks with a memory of their looks."""

    features: Float32
    """``(N, D)`` rows of unit length, or of zeros for a track never seen with an embedding."""
    slots: Int64
    """Where the `Gallery` keeps the track's past looks."""

    def widen(self, dim: int) -> None:
        """Give features their length, once the first embeddings tell it."""
        if self.features.shape[1] != dim:
            self.features = np.zeros((len(self), dim), np.float32)

    def blend(self, rows: Int64, embeddings: Float32, momentum: float) -> None:
        """Exponential moving average: keep the share `momentum` of what `rows` looked like.

        ``e <- a e + (1 - a) f``, back to unit length (Wang et al., Towards Real-Time MOT, ECCV 2020;
        StrongSORT, equation 1). A row of zeros becomes the embedding itself.
        """
        mixed = self.features[rows]
        mixed *= momentum
        mixed += (1 - momentum) * embeddings
        length = np.sqrt(np.einsum("nd,nd->n", mixed, mixed))[:, None]
        self.features[rows] = np.divide(mixed, length, out=mixed, where=length > 0)


def cosine_distance(features: Float32, embeddings: Float32) -> Float32:
    """``1 - cos`` of unit rows ``(N, D)`` and ``(M, D)``: ``(N, M)`` in [0, 2], 1 where a row is zero."""
    distance: Float32 = features @ embeddings.T
    np.subtract(1, distance, out=distance)
    return distance


class Gallery:
    """Past looks of every track: the last few snapshots of its smoothed embedding.

    A pool of slots, so that tracks come and go without moving anybody's snapshots; it is as large
    as the most tracks that ever lived at once.
    """

    def __init__(self, size: int, interval: int) -> None:
        self.size = size
        """Snapshots kept of a track."""
        self.interval = interval
        """Matches between snapshots."""
        self._pool = np.zeros((0, size, 0), np.float32)

    def widen(self, dim: int) -> None:
        """Give snapshots their length, once the first embeddings tell it."""
        if self._pool.shape[2] != dim:
            self._pool = np.zeros((len(self._pool), self.size, dim), np.float32)

    def open(self, used: Int64, count: int) -> Int64:
        """Empty slots for `count` new tracks, given the slots in use."""
        free = np.ones(len(self._pool), bool)
        free[used] = False
        missing = count - int(free.sum())
        if missing > 0:
            more = max(missing, len(self._pool), 16)
            fresh = np.zeros((more, *self._pool.shape[1:]), np.float32)
            self._pool = np.concatenate((self._pool, fresh))
            free = np.concatenate((free, np.ones(more, bool)))
        slots = np.flatnonzero(free)[:count]
        self._pool[slots] = 0
        return slots

    def remember(self, slots: Int64, hits: Int32, features: Float32) -> None:
        """Take a snapshot of those tracks whose number of matches has come round."""
        due = hits % self.interval == 0
        ring = hits[due] // self.interval % self.size
        self._pool[slots[due], ring] = features[due]

    def distance(self, slots: Int64, embeddings: Float32) -> Float32:
        """``(P,)`` cosine distance of each slot's nearest snapshot to the embedding beside it.

        1 where a slot is empty.
        """
        likeness = np.matmul(self._pool[slots], embeddings[:, :, None])
        nearest: Float32 = 1 - likeness[:, :, 0].max(axis=1)
        return nearest
