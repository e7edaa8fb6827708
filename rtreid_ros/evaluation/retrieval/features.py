"""Appearance vectors of a set of pictures, and what the protocol asks of each picture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN
from rtreid_ros.errors import InputError
from rtreid_ros.types import Float32, Int64


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Vectors of N pictures.

    Attributes:
        vectors: ``(N, D) float32``, of any length but zero; only their directions are compared.
        identities: ``(N,) int64``; -1 is junk.
        cameras: ``(N,) int64``; `UNKNOWN` where nobody has noted it.
        sequences: ``(N,) int64`` tracks of a camera; all `UNKNOWN` when not given.
        rows: ``(N,) int64`` rows of the pictures in their `IdentitySet`; 0..N-1 when not given.
        unreadable: names of pictures of that set that could not be read, and are not among the N.
        tricks: what was done to the vectors beyond taking them from the model.

    Raises:
        InputError: shapes disagree, or a vector is not finite or zero.
    """

    vectors: Float32
    identities: Int64
    cameras: Int64
    sequences: Int64 = None  # type: ignore[assignment]  # unknown when not given
    rows: Int64 = None  # type: ignore[assignment]  # all of the set when not given
    unreadable: tuple[str, ...] = ()
    tricks: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        vectors = np.ascontiguousarray(self.vectors, np.float32)
        if vectors.ndim != 2:
            raise InputError(f"vectors must have shape (N, D), got {vectors.shape}")
        defaults = {"sequences": np.full(len(vectors), UNKNOWN), "rows": np.arange(len(vectors))}
        set_ = object.__setattr__
        set_(self, "vectors", vectors)
        for name in ("identities", "cameras", "sequences", "rows"):
            given: Any = getattr(self, name)
            column = np.asarray(defaults[name] if given is None else given, np.int64)
            if column.shape != (len(vectors),):
                raise InputError(f"{name} must have shape ({len(vectors)},), got {column.shape}")
            set_(self, name, column)
        _refuse(np.isfinite(vectors).all(axis=1), "not finite")
        _refuse(vectors.any(axis=1), "zero, which is no direction")

    def __len__(self) -> int:
        return len(self.vectors)

    def __getitem__(self, rows: Any) -> Features:
        """The pictures that a mask, an index array or a slice selects."""
        chosen = {name: getattr(self, name)[rows] for name in ("vectors", "identities", "cameras")}
        return replace(self, **chosen, sequences=self.sequences[rows], rows=self.rows[rows])

    def unit(self) -> Float32:
        """``(N, D) float32``: the vectors at length 1."""
        norms: Float32 = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        unit: Float32 = self.vectors / norms
        return unit


def _refuse(sound: Any, what: str) -> None:
    """Complain of the rows that are not sound."""
    bad = np.flatnonzero(~np.asarray(sound))
    if len(bad):
        raise InputError(f"{len(bad)} of {np.size(sound)} vectors are {what}; the first is in row {bad[0]}")
