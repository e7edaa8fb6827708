"""Histograms of milliseconds over bins that are the same everywhere, so that they add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from rtreid_ros.types import Float64, Int64

_PER_DECADE = 20
_SHORTEST, _LONGEST = -3, 6
"""Powers of ten, in milliseconds: from a microsecond to a quarter of an hour."""
_EDGES = np.logspace(_SHORTEST, _LONGEST, (_LONGEST - _SHORTEST) * _PER_DECADE + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How many times fell into each bin.

    Attributes:
        edges: ``(B + 1,)`` milliseconds.
        counts: ``(B,)``; the first and the last are not 0.
    """

    edges: Float64
    counts: Int64

    @classmethod
    def of(cls, milliseconds: ArrayLike) -> Histogram:
        """Of measured times; those beyond the bins count in the outermost."""
        values = np.clip(np.asarray(milliseconds, np.float64), _EDGES[0], _EDGES[-1])
        return cls._trimmed(np.histogram(values, _EDGES)[0])

    @classmethod
    def sum(cls, histograms: Iterable[Histogram]) -> Histogram:
        """All of them together."""
        counts = np.zeros(len(_EDGES) - 1, np.int64)
        for item in histograms:
            if item.total:
                start = int(np.abs(_EDGES - item.edges[0]).argmin())
                counts[start : start + len(item.counts)] += item.counts
        return cls._trimmed(counts)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Histogram:
        """The inverse of `as_dict`.

        Raises:
            ValueError: it cannot be one.
        """
        counts = np.asarray(content["counts"], np.int64)
        start = round((np.log10(float(content["from_ms"])) - _SHORTEST) * _PER_DECADE)
        if counts.ndim != 1 or start < 0 or start + len(counts) >= len(_EDGES) or (counts < 0).any():
            raise ValueError(f"not a histogram: {content!r}")
        return cls(_EDGES[start : start + len(counts) + 1], counts)

    @classmethod
    def _trimmed(cls, counts: Any) -> Histogram:
        filled = np.flatnonzero(counts)
        if not len(filled):
            return cls(_EDGES[:1], counts[:0])
        first, last = int(filled[0]), int(filled[-1]) + 1
        return cls(_EDGES[first : last + 1], counts[first:last])

    @property
    def total(self) -> int:
        """How many times there are."""
        return int(self.counts.sum())

    @property
    def low(self) -> float:
        """Lower edge of the first bin."""
        return float(self.edges[0])

    @property
    def high(self) -> float:
        """Upper edge of the last bin."""
        return float(self.edges[-1])

    def quantile(self, share: float) -> float:
        """The time that `share` of all do not exceed, to a bin's width (12 %)."""
        if not self.total:
            return float("nan")
        place = int(np.searchsorted(np.cumsum(self.counts), share * self.total))
        return float(np.sqrt(self.edges[place] * self.edges[place + 1]))

    def as_dict(self) -> dict[str, Any]:
        """For JSON: lower edge of the first bin, bins per decade, counts."""
        return {
            "from_ms": float(f"{self.low:.6g}"),
            "bins_per_decade": _PER_DECADE,
            "counts": self.counts.tolist(),
        }
