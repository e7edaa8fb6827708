"""Clusters of any shape: wherever points lie densely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.types import Float32, Float64, Int64

NOISE = -1
"""The cluster of what belongs to none."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Distances of pairs of N points; pairs that are not listed are farther than any threshold.

    Attributes:
        size: N.
        rows: ``(P,) int64`` i, less than the column.
        columns: ``(P,) int64`` j.
        distances: ``(P,) float32``.
    """

    size: int
    rows: Int64
    columns: Int64
    distances: Float32

    def within(self, eps: float) -> Pairs:
        """The pairs no farther than `eps`."""
        return self[self.distances <= eps]

    def __getitem__(self, chosen: np.ndarray) -> Pairs:
        """The pairs a mask chooses."""
        return Pairs(self.size, self.rows[chosen], self.columns[chosen], self.distances[chosen])


def dbscan(pairs: Pairs, eps: float, least: int) -> Int64:
    """``(N,) int64`` clusters 0..K-1, `NOISE` where a point belongs to none.

    Ester et al., A Density-Based Algorithm for Discovering Clusters in Large Spatial Databases with Noise,
    KDD 1996, definitions 1 to 6: a point with `least` points within `eps`, itself among them, is a core;
    cores within `eps` of each other are in one cluster. Another point within `eps` of a core joins the
    cluster of its nearest core (definition 5 leaves open which; of equally near ones the first), so that
    the order of points does not matter. Clusters are numbered by their first point.
    """
    from scipy.sparse import csr_array  # noqa: PLC0415 (slow to import)
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    near = pairs.within(eps)
    ends = np.concatenate([near.rows, near.columns])
    core = np.bincount(ends, minlength=pairs.size) + 1 >= least
    both = core[near.rows] & core[near.columns]
    ones = np.ones(np.count_nonzero(both), np.int8)
    graph = csr_array((ones, (near.rows[both], near.columns[both])), (pairs.size, pairs.size))
    part = connected_components(graph, directed=False)[1].astype(np.int64)
    labels: Int64 = np.where(core, part, NOISE)
    others = np.concatenate([near.columns, near.rows])
    joins = core[others] & ~core[ends]
    ends, others = ends[joins], others[joins]
    order = np.lexsort((others, np.concatenate([near.distances] * 2)[joins], ends))
    point, first = np.unique(ends[order], return_index=True)
    labels[point] = part[others[order][first]]
    return renumbered(labels)


def renumbered(labels: Int64) -> Int64:
    """The same clusters, numbered 0..K-1 by their first point."""
    known = np.flatnonzero(labels != NOISE)
    found: Int64 = np.full(len(labels), NOISE)
    _, first, inverse = np.unique(labels[known], return_index=True, return_inverse=True)
    found[known] = np.argsort(np.argsort(first))[inverse.reshape(-1)]
    return found


def neighbour_distances(pairs: Pairs, count: int) -> Float64:
    """``(N,)`` distance of each point to the `count`-th nearest point, itself the first; 1 beyond `pairs`."""
    if count <= 1:
        return np.zeros(pairs.size)
    ends = np.concatenate([pairs.rows, pairs.columns])
    distances = np.concatenate([pairs.distances] * 2)
    order = np.lexsort((distances, ends))
    starts = np.searchsorted(ends[order], np.arange(pairs.size + 1))
    place = starts[:-1] + count - 2
    known = place < starts[1:]
    found = np.ones(pairs.size)
    found[known] = distances[order][place[known]]
    return found
