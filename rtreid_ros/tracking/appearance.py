"""What tracks look like: smoothed embeddings, and memories of past ones."""

from __future__ import annotations

import logging
from abc import abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.tracking.base import Tracker
from rtreid_ros.tracking.rows import TrackRows
from rtreid_ros.types import Detections, Float32, Int64

logger = logging.getLogger(__name__)


class AppearanceTracker(Tracker):
    """A tracker that keeps an embedding per track, in ``tracks.features``.

    Frames may come without embeddings; how to do without is the subclass's affair.
    """

    uses_embeddings = True
    needs_embeddings: ClassVar[bool] = True
    """Whether doing without them is worth a warning."""

    def reset(self) -> None:
        """Start anew: no tracks, ids from 1, no last stamp, embeddings of any length."""
        self._dim = 0
        self._warned = False
        super().reset()

    def _check(self, detections: Detections) -> None:
        if len(detections) == 0:
            return
        if detections.embeddings is None:
            if self.needs_embeddings and not self._warned:
                logger.warning("detections without embeddings: tracking by position alone")
                self._warned = True
        elif self._dim not in (0, detections.embeddings.shape[1]):
            raise InputError(
                f"embeddings have {detections.embeddings.shape[1]} dimensions, those before had {self._dim}: "
                "reset the tracker when the ReID model changes"
            )

    def _prepare(self, detections: Detections) -> None:
        """Learn the length of embeddings from the first."""
        if self._dim == 0 and detections.embeddings is not None and len(detections):
            self._dim = detections.embeddings.shape[1]
            self.tracks.features = np.zeros((len(self.tracks), self._dim), np.float32)

    def _new_tracks(self, detections: Detections, **more: Any) -> TrackRows:
        features = detections.embeddings
        if features is None:
            features = np.zeros((len(detections), self._dim), np.float32)
        return super()._new_tracks(detections, features=features.copy(), **more)


def blend(tracks: TrackRows, rows: Int64, embeddings: Float32, momentum: float | Float32) -> None:
    """Exponential moving average: keep the share `momentum` of what `rows` looked like.

    ``e <- a e + (1 - a) f``, back to unit length (Wang et al., Towards Real-Time MOT, ECCV 2020;
    StrongSORT, equation 1). A row of zeros becomes the embedding itself. `momentum` is one number
    or ``(K, 1)``.
    """
    mixed = tracks.features[rows]
    mixed *= momentum
    mixed += (1 - momentum) * embeddings
    length = np.sqrt(np.einsum("nd,nd->n", mixed, mixed))[:, None]
    tracks.features[rows] = np.divide(mixed, length, out=mixed, where=length > 0)


def cosine_distance(features: Float32, embeddings: Float32) -> Float32:
    """``1 - cos`` of unit rows ``(N, D)`` and ``(M, D)``: ``(N, M)`` in [0, 2], 1 where a row is zero."""
    distance: Float32 = features @ embeddings.T
    np.subtract(1, distance, out=distance)
    return distance


class Gallery:
    """Past looks of every track, the last few of each.

    A pool of slots, so that tracks come and go without moving anybody's looks; it is as large as
    the most tracks that ever lived at once.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        """Looks kept of a track."""
        self._pool = np.zeros((0, size, 0), np.float32)
        self._written = np.zeros(0, np.int64)

    def widen(self, dim: int) -> None:
        """Give looks their length, once the first embeddings tell it; what was kept is forgotten."""
        if self._pool.shape[2] != dim:
            self._pool = np.zeros((len(self._pool), self.size, dim), np.float32)
            self._written[:] = 0

    def open(self, used: Int64, count: int) -> Int64:
        """Empty slots for `count` new tracks, given the slots in use."""
        free = np.ones(len(self._pool), bool)
        free[used] = False
        missing = count - int(free.sum())
        if missing > 0:
            before = len(self._pool)
            size = before + max(missing, before, 16)
            grown = np.zeros((size, *self._pool.shape[1:]), np.float32)  # untouched pages cost nothing
            grown[:before] = self._pool
            self._pool = grown
            self._written = np.concatenate((self._written, np.zeros(size - before, np.int64)))
            free = np.concatenate((free, np.ones(size - before, bool)))
        slots = np.flatnonzero(free)[:count]
        self._written[slots] = 0
        return slots

    def remember(self, slots: Int64, looks: Float32) -> None:
        """Keep one more look of each slot, in place of its oldest where it is full."""
        self._pool[slots, self._written[slots] % self.size] = looks
        self._written[slots] += 1

    def distance(self, slots: Int64, embeddings: Float32) -> Float32:
        """``(P,)`` cosine distance of each slot's nearest look to the embedding beside it.

        1 where a slot is empty. Pairs should come grouped by slot.
        """
        nearest = np.ones(len(slots), np.float32)
        bounds = np.flatnonzero(np.diff(slots, prepend=-1, append=-1)).tolist()
        kept = np.minimum(self._written, self.size)
        for begin, end in pairwise(bounds):
            slot = slots[begin]
            if kept[slot]:
                likeness = self._pool[slot, : kept[slot]] @ embeddings[begin:end].T
                nearest[begin:end] = 1 - likeness.max(axis=0)
        return nearest


@dataclass(slots=True)
class GalleryRows(TrackRows):
    """Tracks that remember how they used to look."""

    slots: Int64
    """Where the `Gallery` keeps the track's past looks."""


class GalleryTracker(AppearanceTracker):
    """An appearance tracker with a `Gallery`; what goes into it, and when, the subclass says."""

    Rows = GalleryRows
    tracks: GalleryRows

    @abstractmethod
    def _looks_kept(self) -> int:
        """Size of the gallery."""

    def reset(self) -> None:
        """Start anew: no tracks, ids from 1, no last stamp, embeddings of any length."""
        self._gallery = Gallery(self._looks_kept())
        super().reset()

    def _prepare(self, detections: Detections) -> None:
        super()._prepare(detections)
        self._gallery.widen(self._dim)

    def _new_tracks(self, detections: Detections, **more: Any) -> TrackRows:
        used = self.tracks.slots if len(detections) else np.zeros(0, np.int64)
        slots = self._gallery.open(used, len(detections))
        return super()._new_tracks(detections, slots=slots, **more)
