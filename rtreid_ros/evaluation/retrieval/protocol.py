"""The single-query protocol: who is searched for, what counts, and at which rank it was found.

Zheng et al., "Scalable Person Re-identification: A Benchmark" (Market-1501), ICCV 2015, section 3:
pictures of the query's identity from the query's camera are taken out of the gallery, as is junk
(identity -1). Average precision is the mean of the precision at each right match. `trapezoid` is the
rule of that paper's MATLAB code, for comparison with figures made by it.

Image-to-track is the rule of VeRi-776 (Liu et al., "A Deep Learning-Based Approach to Progressive
Vehicle Re-identification for Urban Surveillance", ECCV 2016, section 4.1): what is found are tracks
of one camera, and a track is as near as the nearest of its pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN
from rtreid_ros.errors import InputError
from rtreid_ros.evaluation.retrieval.features import Features
from rtreid_ros.evaluation.retrieval.figures import RetrievalFigures
from rtreid_ros.options import option
from rtreid_ros.types import Float32, Float64, Int64

JUNK = -1
_BLOCK = 256
"""Queries at once: some 16 MB of distances at Market-1501's size."""

Distances = Callable[[slice], Float32]
"""Distances of a slice of the queries to all of the gallery."""


@dataclass(frozen=True, slots=True)
class RetrievalOptions:
    """How a search is judged."""

    protocol: str = option(
        "image-to-image",
        "what is found: pictures, or tracks, each as near as its nearest picture (VeRi-776)",
        choices=("image-to-image", "image-to-track"),
    )
    precision: str = option(
        "standard",
        "average precision: the mean over right matches, or the trapezoid rule of Market-1501's first code",
        choices=("standard", "trapezoid"),
    )
    ranks: int = option(50, "length of the curve of matches by rank", ge=1)
    best: int = option(10, "nearest entries to keep of each query, for pictures", ge=0)

    @property
    def tricks(self) -> tuple[str, ...]:
        """What is not as usual."""
        chosen = (self.protocol, f"{self.precision} precision")
        return tuple(text for text in chosen if text not in ("image-to-image", "standard precision"))


STANDARD = RetrievalOptions()


def judge_retrieval(
    query: Features, gallery: Features, options: RetrievalOptions = STANDARD
) -> RetrievalFigures:
    """Search for every query by the cosine of the vectors.

    Queries without a right match in the gallery are skipped and counted. Of equally near entries the one
    that comes first in the gallery is found first. A camera that is `UNKNOWN` is no one's own camera.

    Raises:
        InputError: vectors of different lengths, or no query, or no gallery.
    """
    if query.vectors.shape[1] != gallery.vectors.shape[1]:
        raise InputError(
            f"query vectors have {query.vectors.shape[1]} numbers, gallery vectors {gallery.vectors.shape[1]}"
        )
    left, right = query.unit(), gallery.unit().T

    def distances(rows: slice) -> Float32:
        cosines: Float32 = left[rows] @ right
        return np.negative(cosines, out=cosines)  # 1 - cosine would round differences away

    figures = _judge(distances, query, gallery, options)
    figures.best_distances[:] += 1
    return figures


def judge_distances(
    distances: Float32,
    query: Features,
    gallery: Features,
    options: RetrievalOptions = STANDARD,
    tricks: tuple[str, ...] = (),
) -> RetrievalFigures:
    """The same by given distances, such as re-ranked ones.

    Args:
        distances: ``(Q, G)``; the smaller, the nearer.
        query: whose vectors are not looked at.
        gallery: likewise.
        options: see there.
        tricks: how the distances came about.

    Raises:
        InputError: the shape is another, a distance is not finite, or no query, or no gallery.
    """
    if distances.shape != (len(query), len(gallery)):
        raise InputError(f"distances must have shape ({len(query)}, {len(gallery)}), got {distances.shape}")
    return _judge(distances.__getitem__, query, gallery, options, tricks)


def _judge(
    distances: Distances,
    query: Features,
    gallery: Features,
    options: RetrievalOptions,
    tricks: tuple[str, ...] = (),
) -> RetrievalFigures:
    if not len(query) or not len(gallery):
        raise InputError(f"nothing to judge: {len(query)} queries, {len(gallery)} pictures in the gallery")
    entries = _Entries(gallery, tracks=options.protocol == "image-to-track")
    count, kept = len(query), min(options.best, len(entries))
    precision, penalty = np.full(count, np.nan), np.full(count, np.nan)
    first = np.zeros(count, np.int64)
    best, best_distances = np.full((count, kept), -1, np.int64), np.full((count, kept), np.inf, np.float32)
    for start in range(0, count, _BLOCK):
        block = distances(slice(start, start + _BLOCK))
        if not np.isfinite(block).all():
            raise InputError(f"distances of queries {start} to {start + len(block) - 1} are not all finite")
        near, pictures = entries.nearest(block)
        for row, values in enumerate(near, start):
            right, own = entries.of(query.identities[row], query.cameras[row])
            values[own] = np.inf
            ordered = np.sort(values)
            ranks = _ranks(values, ordered, right)
            if len(ranks):
                first[row] = ranks[0]
                penalty[row] = len(ranks) / ranks[-1]
                precision[row] = _precision(ranks, options.precision)
            found = _first(values, ordered, min(kept, len(values) - len(own)))
            best[row, : len(found)] = pictures(row - start, found)
            best_distances[row, : len(found)] = values[found]
    hits = np.bincount(first[(first > 0) & (first <= options.ranks)], minlength=options.ranks + 1)[1:]
    return RetrievalFigures(
        np.cumsum(hits) / max(int(np.count_nonzero(first)), 1),
        precision,
        penalty,
        first,
        best,
        best_distances,
        len(entries),
        tuple(dict.fromkeys((*query.tricks, *gallery.tricks, *tricks, *options.tricks))),
    )


class _Entries:
    """What can be found: the pictures of a gallery that are no junk, or its tracks."""

    def __init__(self, gallery: Features, tracks: bool) -> None:
        self._rows = np.flatnonzero(gallery.identities != JUNK)
        self._whole = len(self._rows) == len(gallery) and not tracks
        self._starts: Int64 | None = None
        if tracks:
            keys = np.stack([gallery.identities, gallery.cameras, gallery.sequences])[:, self._rows]
            _, first, group = np.unique(keys, axis=1, return_index=True, return_inverse=True)
            place = np.argsort(np.argsort(first))[
                group.reshape(-1)
            ]  # tracks in the order of their first pictures
            order = np.argsort(place, kind="stable")
            self._rows = self._rows[order]
            self._starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        heads = self._rows if self._starts is None else self._rows[self._starts]
        identities, self._cameras = gallery.identities[heads], gallery.cameras[heads]
        self._order = np.argsort(identities, kind="stable")
        self._ordered = identities[self._order]

    def __len__(self) -> int:
        return len(self._cameras)

    def of(self, identity: int, camera: int) -> tuple[Int64, Int64]:
        """Entries that show the query's identity: right ones, and those of its own camera."""
        low, high = np.searchsorted(self._ordered, (identity, identity + 1))
        entries = self._order[low:high]
        own = (self._cameras[entries] == camera) & (camera != UNKNOWN)
        return entries[~own], entries[own]

    def nearest(self, block: Float32) -> tuple[Float32, Callable[[int, Int64], Int64]]:
        """Distances to the entries (a copy or the block itself), and which pictures stand for some."""
        rows, starts = self._rows, self._starts
        values = block.copy() if self._whole else block[:, rows]
        if starts is None:
            return values, lambda _, found: rows[found]
        ends = np.append(starts[1:], len(rows))

        def pictures(row: int, found: Int64) -> Int64:
            spans = ((starts[entry], ends[entry]) for entry in found)
            return np.array([rows[low + values[row, low:high].argmin()] for low, high in spans], np.int64)

        return np.minimum.reduceat(values, starts, axis=1), pictures


def _ranks(values: Float32, ordered: Float32, right: Int64) -> Int64:
    """Ranks from 1 of the entries `right`, ascending; equals in the order of entries."""
    mine = values[right]
    ranks: Int64 = np.searchsorted(ordered, mine, "left") + 1
    equals = np.searchsorted(ordered, mine, "right") - ranks
    for place in np.flatnonzero(equals):
        ranks[place] += np.count_nonzero(values[: right[place]] == mine[place])
    ranks.sort()
    return ranks


def _precision(ranks: Int64, rule: str) -> float:
    """Average precision of right matches at `ranks`."""
    hits = np.arange(1, len(ranks) + 1)
    precision: Float64 = hits / ranks
    if rule == "trapezoid":
        before = np.where(ranks == 1, 1.0, (hits - 1) / np.maximum(ranks - 1, 1))
        precision = (precision + before) / 2
    return float(precision.mean())


def _first(values: Float32, ordered: Float32, count: int) -> Int64:
    """The `count` nearest entries, equals in the order of entries."""
    if not count:
        return np.zeros(0, np.int64)
    near = np.flatnonzero(values <= ordered[count - 1])
    found: Int64 = near[np.argsort(values[near], kind="stable")][:count]
    return found
