"""What is known of people nobody has named: who stays the same, and who cannot be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.types import Int64


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """Of N pictures.

    Attributes:
        tracklets: ``(N,) int64`` 0..T-1: pictures of one tracklet show one person.
        apart: ``(P, 2) int64`` tracklets that show different people, such as two that one camera saw at once.

    Raises:
        InputError: shapes that do not fit, unknown tracklets, or a tracklet apart from itself.
    """

    tracklets: Int64
    apart: Int64

    def __post_init__(self) -> None:
        if self.tracklets.ndim != 1 or self.apart.ndim != 2 or self.apart.shape[1:] != (2,):
            raise InputError(
                f"tracklets must be (N,) and apart (P, 2), got {self.tracklets.shape} and {self.apart.shape}"
            )
        last = self.tracklets.max(initial=-1)
        if self.apart.size and (self.apart.min() < 0 or self.apart.max() > last):
            raise InputError(f"apart names tracklets beyond 0..{last}")
        if (self.apart[:, 0] == self.apart[:, 1]).any():
            raise InputError("a tracklet cannot be apart from itself")

    @classmethod
    def none(cls, count: int) -> Links:
        """Of `count` pictures nothing is known: each is a tracklet of its own."""
        return cls(np.arange(count), np.zeros((0, 2), np.int64))

    def forbidden(self, rows: Int64, columns: Int64) -> np.ndarray:
        """``(P,) bool``: pairs of pictures that show different people."""
        count = int(self.tracklets.max(initial=0)) + 1
        first, second = np.sort(self.apart, axis=1).T
        known = np.unique(first * count + second)
        pair = np.sort(np.stack([self.tracklets[rows], self.tracklets[columns]]), axis=0)
        return np.isin(pair[0] * count + pair[1], known)
