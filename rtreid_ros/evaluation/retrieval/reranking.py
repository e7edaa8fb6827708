"""Ranking anew by shared neighbours.

Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017: pictures that
are among each other's nearest k1 are neighbours for good; pictures with the same such neighbours show
the same person. Equation numbers are the paper's. As in its experiments all queries and the gallery are
one crowd, so that a query's ranking depends on the other queries: no figure of a single search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtreid_ros.evaluation.retrieval.features import Features
from rtreid_ros.options import option
from rtreid_ros.types import Float32, Float64, Int64

_BLOCK = 512
_PAIRS = 1 << 14


@dataclass(frozen=True, slots=True)
class RerankOptions:
    """How neighbours are weighed."""

    k1: int = option(20, "nearest pictures among which neighbours must be each other's", ge=1)
    k2: int = option(6, "nearest pictures, itself among them, whose neighbours are averaged; 1 = none", ge=1)
    share: float = option(0.3, "share of the plain distance in the result (the paper's lambda)", ge=0, le=1)
    weighting: str = option(
        "exp",
        "weight of a neighbour: exp(-distance), or softmax: the same, divided by their sum",
        choices=("exp", "softmax"),
    )

    @property
    def name(self) -> str:
        """For tables."""
        weighting = "" if self.weighting == "exp" else f", {self.weighting}"
        return f"re-ranked (k1 {self.k1}, k2 {self.k2}, lambda {self.share:g}{weighting})"


PUBLISHED = RerankOptions()


def rerank(query: Features, gallery: Features, options: RerankOptions = PUBLISHED) -> Float32:
    """``(Q, G)`` distances: (1 - lambda) of the Jaccard distance and lambda of the plain one (eq. 12).

    The plain distance is the squared Euclidean one of unit vectors, divided by the largest of its row as
    in the authors' experiments, so that both lie in 0..1. Labels are not looked at.
    """
    vectors = np.concatenate([query.unit(), gallery.unit()])
    count = len(query)
    nearest, largest = _neighbours(vectors, min(max(options.k1 + 1, options.k2), len(vectors)))
    codes = _encode(vectors, nearest, largest, options)
    distances = np.empty((count, len(gallery)), np.float32)
    plain = 0.5 * largest[:count, None].astype(np.float32)
    for start in range(0, count, _BLOCK):
        rows = slice(start, min(start + _BLOCK, count))
        block = distances[rows]
        np.matmul(vectors[rows], vectors[count:].T, out=block)
        block -= 1
        block *= -options.share / plain[rows]
    _add_jaccard(distances, codes, count, 1 - options.share)
    return distances


def jaccard_pairs(vectors: Float32, options: RerankOptions = PUBLISHED) -> tuple[Int64, Int64, Float32]:
    """Jaccard distances (eq. 10) of all pairs that have a neighbour in common; all others are at 1.

    Args:
        vectors: ``(N, D) float32`` of unit length.
        options: k1, k2 and weighting; there is no plain distance in it.

    Returns:
        rows i and j, ``(P,) int64`` with i < j, by i and then j, and ``(P,) float32`` distances below 1.
    """
    nearest, largest = _neighbours(vectors, min(max(options.k1 + 1, options.k2), len(vectors)))
    codes = _encode(vectors, nearest, largest, options).tocsr()
    sums = codes.sum(axis=1)
    found: list[tuple[Int64, Float32]] = []
    for row, shared in enumerate(_shared_weights(codes, codes.tocsc())):
        others = row + 1 + np.flatnonzero(shared[row + 1 :])
        share = shared[others] / (sums[row] + sums[others] - shared[others])
        found.append((others, np.maximum(1 - share, 0).astype(np.float32)))
    counts = [len(others) for others, _ in found]
    first = np.repeat(np.arange(len(vectors)), counts)
    return first, np.concatenate([item[0] for item in found]), np.concatenate([item[1] for item in found])


def _neighbours(vectors: Float32, count: int) -> tuple[Int64, Float64]:
    """The `count` nearest of each vector, itself first, equals by their rows; and its largest distance."""
    size = len(vectors)
    nearest, largest = np.empty((size, count), np.int64), np.empty(size)
    for start in range(0, size, _BLOCK):
        block = -(vectors[start : start + _BLOCK] @ vectors.T)
        rows = np.arange(len(block))
        largest[start + rows] = 2 + 2 * block.max(axis=1)
        block[rows, start + rows] = -np.inf
        bound = np.partition(block, count - 1, axis=1)[:, count - 1]
        row, column = np.nonzero(block <= bound[:, None])
        order = np.lexsort((column, block[row, column], row))
        row, column = row[order], column[order]
        place = np.arange(len(row)) - np.searchsorted(row, rows)[row]
        nearest[start + rows] = column[place < count].reshape(-1, count)
    np.maximum(largest, np.finfo(np.float32).tiny, out=largest)  # all pictures alike
    return nearest, largest


def _encode(vectors: Float32, nearest: Int64, largest: Float64, options: RerankOptions) -> Any:
    """``(N, N)`` sparse: each picture by its neighbours (eq. 3 to 5, 7 and 11), up to a common factor."""
    from scipy.sparse import csr_array  # noqa: PLC0415 (slow to import)

    size = len(vectors)

    def choose(count: int) -> Any:
        columns = nearest[:, :count]
        starts = np.arange(size + 1) * columns.shape[1]
        return csr_array((np.ones(columns.size, np.int32), columns.ravel(), starts), (size, size))

    def reciprocal(count: int) -> Any:
        chosen = choose(count + 1)
        return chosen.multiply(chosen.T).tocsr()

    near, half = reciprocal(options.k1), reciprocal(round(options.k1 / 2))
    shared = (near @ half.T).multiply(near).tocoo()
    enough = 3 * shared.data >= 2 * np.diff(half.indptr)[shared.col]
    joined = csr_array(
        (np.ones(enough.sum(), np.int32), (shared.row[enough], shared.col[enough])), (size, size)
    )
    expanded = (near + joined @ half).tocoo()
    weights = np.empty(len(expanded.row))
    for start in range(0, len(weights), _PAIRS):
        row, column = (part[start : start + _PAIRS] for part in (expanded.row, expanded.col))
        cosines = np.einsum("nd,nd->n", vectors[row], vectors[column])
        weights[start : start + _PAIRS] = np.exp((2 * cosines - 2) / largest[row])
    codes = csr_array((weights, (expanded.row, expanded.col)), (size, size))
    if options.weighting == "softmax":
        codes.data /= np.repeat(codes.sum(axis=1), np.diff(codes.indptr))
    # sums do for means: a factor common to all does not change the Jaccard distance
    return choose(options.k2) @ codes if options.k2 > 1 else codes


def _add_jaccard(distances: Float32, codes: Any, queries: int, share: float) -> None:
    """Add the Jaccard distance (eq. 10) of queries and gallery, times `share`."""
    sums = codes.sum(axis=1)
    for row, shared in enumerate(_shared_weights(codes[:queries], codes[queries:].tocsc())):
        distances[row] += share * (1 - shared / (sums[row] + sums[queries:] - shared))


def _shared_weights(rows: Any, columns: Any) -> Iterator[Float64]:
    """For each code of `rows`, by rows, the sums of minima with each of `columns`, by columns."""
    count = columns.shape[0]
    for row in range(rows.shape[0]):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        places, weights = rows.indices[part], rows.data[part]
        starts = columns.indptr[places]
        counts = columns.indptr[places + 1] - starts
        ends = np.cumsum(counts)
        entries = np.arange(ends[-1]) + np.repeat(starts - ends + counts, counts)
        smaller = np.minimum(np.repeat(weights, counts), columns.data[entries])
        yield np.bincount(columns.indices[entries], smaller, count).astype(np.float64, copy=False)
