"""Structures of arrays: what a tracker remembers about its tracks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeVar

import numpy as np

from rtreid_ros.types import Bool, Float32, Float64, Int32, Int64, UInt8

R = TypeVar("R", bound="Rows")


def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


_names: Callable[[Any], tuple[str, ...]] = cache(_field_names)  # asked several times an update


@dataclass(slots=True)
class Rows:
    """Arrays (or nested `Rows`) of one length, one row per track."""

    def __len__(self) -> int:
        return len(getattr(self, _names(type(self))[0]))

    def extend(self, other: Rows) -> None:
        """Append the rows of `other`, which has the same fields."""
        for name in _names(type(self)):
            mine, new = getattr(self, name), getattr(other, name)
            if isinstance(mine, Rows):
                mine.extend(new)
            else:
                setattr(self, name, np.concatenate((mine, new)))

    def take(self: R, rows: Int64) -> R:
        """A copy of some rows."""
        columns = (getattr(self, name) for name in _names(type(self)))
        return type(self)(*(c.take(rows) if isinstance(c, Rows) else c[rows] for c in columns))

    def put(self, rows: Int64, other: Rows) -> None:
        """Overwrite some rows by those of `other`, which has the same fields."""
        for name in _names(type(self)):
            mine, new = getattr(self, name), getattr(other, name)
            if isinstance(mine, Rows):
                mine.put(rows, new)
            else:
                mine[rows] = new

    def keep(self, mask: Bool) -> None:
        """Drop the rows where `mask` is False."""
        for name in _names(type(self)):
            value = getattr(self, name)
            if isinstance(value, Rows):
                value.keep(mask)
            else:
                setattr(self, name, value[mask])


@dataclass(slots=True)
class Gaussian(Rows):
    """Normally distributed boxes: four coordinates, each with its rate of change.

    A coordinate is coupled to its own rate only (see `kalman`), so the covariance of a track is
    four symmetric 2x2 blocks. Rates are per nominal frame.
    """

    position: Float64
    """``(N, 4)`` means of the coordinates."""
    velocity: Float64
    """``(N, 4)`` means of their rates."""
    position_variance: Float64
    covariance: Float64
    """``(N, 4)``, between a coordinate and its rate."""
    velocity_variance: Float64


@dataclass(slots=True)
class TrackRows(Rows):
    """What every tracker keeps per track; one that needs more derives from it.

    Rows are in the order of birth, which is the order of ids.
    """

    ids: Int64
    states: UInt8
    """`TrackState` after the last update."""
    motion: Gaussian
    boxes: Float32
    """``(N, 4)`` corners of the last matched detection."""
    scores: Float32
    class_ids: Int32
    born: Float64
    """Time of the first detection, in nominal frames of the tracker's clock."""
    seen: Float64
    """Time of the last matched detection, likewise."""
    hits: Int32
    """Number of matched detections; of a tentative track: since it was last missed."""
    detection_index: Int64
    """Row of the detection matched in the last update, or -1."""
    features: Float32
    """``(N, D)`` smoothed embeddings: rows of unit length, or of zeros for a track never seen with
    one. D is 0 where a tracker keeps none, or none came yet."""
