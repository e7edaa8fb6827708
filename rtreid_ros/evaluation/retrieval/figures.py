"""What a search is judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rtreid_ros.types import Float32, Float64, Int64

RANKS = (1, 5, 10)
"""Ranks that tables show."""


@dataclass(frozen=True, slots=True, eq=False)
class RetrievalFigures:
    """How well Q queries found their own in a gallery. Ratios are from 0 to 1.

    Attributes:
        cmc: ``(K,)`` share of judged queries with a right match among the first 1..K ("cumulative
            matching characteristic").
        average_precision: ``(Q,)``; NaN where a query is skipped.
        inverse_penalty: ``(Q,)`` right matches over the rank of the last of them; NaN likewise (Ye et al.,
            "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2021, section 4.2).
        first_match: ``(Q,) int64`` rank of the first right match, from 1; 0 where a query is skipped.
        best: ``(Q, T) int64`` gallery rows in the order found, what is not to be judged left out; -1 where
            there are no more.
        best_distances: ``(Q, T) float32`` theirs; inf where there are no more.
        gallery: what was searched in: pictures, or tracks, that are no junk.
        tricks: what was done beyond the standard protocol on the model's vectors.
    """

    cmc: Float64
    average_precision: Float64
    inverse_penalty: Float64
    first_match: Int64
    best: Int64
    best_distances: Float32
    gallery: int
    tricks: tuple[str, ...] = ()

    @property
    def queries(self) -> int:
        """Queries judged."""
        return int(np.count_nonzero(self.first_match))

    @property
    def skipped(self) -> int:
        """Queries with no right match in the gallery, which count neither way."""
        return len(self.first_match) - self.queries

    @property
    def map(self) -> float:
        """Mean average precision over judged queries; 0 without any."""
        return _mean(self.average_precision)

    @property
    def minp(self) -> float:
        """Mean inverse negative penalty over judged queries; 0 without any."""
        return _mean(self.inverse_penalty)

    def rank(self, k: int) -> float:
        """Share of judged queries with a right match among the first `k`."""
        hits = (self.first_match > 0) & (self.first_match <= k)
        return float(hits.sum() / max(self.queries, 1))

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for a file."""
        return {
            **{f"rank{k}": self.rank(k) for k in RANKS},
            "map": self.map,
            "minp": self.minp,
            "queries": self.queries,
            "skipped": self.skipped,
            "gallery": self.gallery,
            "tricks": list(self.tricks),
            "cmc": [round(value, 6) for value in self.cmc.tolist()],
        }


def _mean(values: Float64) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else 0.0
