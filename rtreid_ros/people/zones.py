"""Zones: polygons in the image or on the ground, and which points lie in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rtreid_ros.errors import ConfigError
from rtreid_ros.people.person import TrackedPerson
from rtreid_ros.types import Bool, Float64

UNITS = ("pixels", "metres")


@dataclass(frozen=True, init=False)
class Zone:
    """A polygon, with corners in order; it may be concave, and its last corner joins the first.

    In pixels a person is where the feet are (`TrackedPerson.feet`); in metres, where the position
    says, by its x and y. Who has no position is in no zone of metres.

    Args:
        corners: at least three ``(x, y)``.
        unit: ``pixels`` of the image, or ``metres`` in the frame of the positions.
        margin: a person counts as come in this far inside the border, and as gone this far outside,
            so that a jittering box does not come and go all the time; in the zone's unit. None =
            5 pixels or 0.1 metres.

    Raises:
        ConfigError: fewer than three corners, corners that enclose no area, or a margin below 0.
    """

    corners: tuple[tuple[float, float], ...]
    unit: str
    margin: float

    def __init__(
        self, corners: Sequence[Sequence[float]], unit: str = "pixels", margin: float | None = None
    ) -> None:
        if unit not in UNITS:
            raise ConfigError(f"unit of a zone must be one of {', '.join(UNITS)}, got {unit!r}")
        array = points(corners)
        if len(array) < 3 or not np.isfinite(array).all() or _area(array) == 0:
            raise ConfigError(
                f"a zone needs three corners (x, y) or more around an area, got {list(corners)}"
            )
        object.__setattr__(self, "corners", tuple((float(x), float(y)) for x, y in array))
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "margin", checked_margin(margin, unit))

    def contains(self, where: ArrayLike) -> Bool:
        """Which points ``(N, 2)`` lie inside: ``(N,) bool``; NaN lies nowhere.

        Crossings of a ray to the right with the edges are counted, an odd number meaning inside
        (Shimrat, Algorithm 112: Position of point relative to polygon, CACM 1962). An edge takes
        its lower end and not its upper one, so zones side by side share no point.
        """
        x, y = points(where).T[:, :, None]
        x1, y1, x2, y2 = self._edges()
        with np.errstate(divide="ignore", invalid="ignore"):  # horizontal edges are crossed by no ray
            crossing = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
            inside: Bool = (((y1 <= y) != (y2 <= y)) & (x < crossing)).sum(axis=1) % 2 == 1
        return inside

    def depth(self, where: ArrayLike) -> Float64:
        """How far points ``(N, 2)`` lie from the border: ``(N,)``, positive inside, negative outside."""
        away = np.sqrt(squared_distances(points(where), np.stack(self._edges(), axis=1)).min(axis=1))
        depths: Float64 = np.where(self.contains(where), away, -away)
        return depths

    def among(self, people: Sequence[TrackedPerson]) -> tuple[TrackedPerson, ...]:
        """Those of `people` who are in the zone, in their order."""
        inside = self.contains(places(people, self.unit)).tolist()
        return tuple(person for person, is_in in zip(people, inside, strict=True) if is_in)

    def _edges(self) -> tuple[Float64, Float64, Float64, Float64]:
        begin = np.array(self.corners)
        end = np.roll(begin, -1, axis=0)
        return begin[:, 0], begin[:, 1], end[:, 0], end[:, 1]


def places(people: Sequence[TrackedPerson], unit: str) -> Float64:
    """Where people are, ``(N, 2)``: their feet in pixels, or their positions in metres (NaN without)."""
    if unit == "pixels":
        return points([person.feet for person in people])
    nowhere = (np.nan, np.nan)
    return points([nowhere if person.position is None else person.position[:2] for person in people])


def points(where: ArrayLike) -> Float64:
    """Points as ``(N, 2)``.

    Raises:
        ConfigError: another shape.
    """
    try:
        array = np.asarray(where, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(1)
    if array.size == 0:
        return np.zeros((0, 2))
    if array.ndim != 2 or array.shape[1] != 2:
        raise ConfigError(f"expected points (x, y), got {where!r}")
    return array


def checked_margin(margin: float | None, unit: str) -> float:
    """The margin, or the one usual for the unit.

    Raises:
        ConfigError: it is below 0 or no number.
    """
    if margin is None:
        return {"pixels": 5.0, "metres": 0.1}[unit]
    if not margin >= 0:
        raise ConfigError(f"margin must be a number >= 0, got {margin!r}")
    return float(margin)


def squared_distances(where: Float64, edges: Float64) -> Float64:
    """From points ``(N, 2)`` to line segments ``(M, 4)`` of two ends each: ``(N, M)``."""
    begin, step = edges[:, :2], edges[:, 2:] - edges[:, :2]
    length = np.maximum((step * step).sum(axis=1), np.finfo(np.float64).tiny)
    offset = where[:, None] - begin
    along = np.clip((offset * step).sum(axis=2) / length, 0, 1)
    offset -= along[:, :, None] * step
    squared: Float64 = (offset * offset).sum(axis=2)
    return squared


def _area(corners: Float64) -> float:
    following = np.roll(corners, -1, axis=0)
    return float(np.sum(corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]))
