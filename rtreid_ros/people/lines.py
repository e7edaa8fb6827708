"""Lines that people cross: a door, a kerb, the edge of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rtreid_ros.errors import ConfigError
from rtreid_ros.people.zones import UNITS, checked_margin, points
from rtreid_ros.types import Float64


@dataclass(frozen=True, init=False)
class Line:
    """A line segment with two sides: seen from `begin`, with `end` straight ahead, left and right.

    Left and right are those of the picture when in pixels (y goes down there), and those of a map
    when in metres (y goes up). People are where `Zone` says they are.

    Args:
        begin: ``(x, y)``.
        end: ``(x, y)``.
        unit: ``pixels`` of the image, or ``metres`` in the frame of the positions.
        margin: a person counts as being on a side this far from the line, so that a jittering box
            does not cross it all the time; in the line's unit. None = 5 pixels or 0.1 metres.

    Raises:
        ConfigError: the ends are one point, or a margin is below 0.
    """

    begin: tuple[float, float]
    end: tuple[float, float]
    unit: str
    margin: float

    def __init__(
        self,
        begin: Sequence[float],
        end: Sequence[float],
        unit: str = "pixels",
        margin: float | None = None,
    ) -> None:
        if unit not in UNITS:
            raise ConfigError(f"unit of a line must be one of {', '.join(UNITS)}, got {unit!r}")
        ends = points([begin, end])
        if not np.isfinite(ends).all() or (ends[0] == ends[1]).all():
            raise ConfigError(f"a line needs two different ends (x, y), got {begin} and {end}")
        object.__setattr__(self, "begin", (float(ends[0, 0]), float(ends[0, 1])))
        object.__setattr__(self, "end", (float(ends[1, 0]), float(ends[1, 1])))
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "margin", checked_margin(margin, unit))

    def side(self, where: ArrayLike) -> Float64:
        """How far points ``(N, 2)`` lie from the endless line: ``(N,)``, positive on its right."""
        begin, end = np.array(self.begin), np.array(self.end)
        step = (end - begin) / np.hypot(*(end - begin))
        offset = points(where) - begin
        right: Float64 = step[0] * offset[:, 1] - step[1] * offset[:, 0]
        return right if self.unit == "pixels" else -right

    def crossed_between(self, before: Sequence[float], after: Sequence[float]) -> bool:
        """Whether the straight way from one side to the other goes through this segment."""
        near, far = self.side([before, after])
        if near * far >= 0:
            return False
        begin, end = np.array(self.begin), np.array(self.end)
        share = near / (near - far)
        crossing = np.array(before) * (1 - share) + np.array(after) * share
        along = np.dot(crossing - begin, end - begin) / np.dot(end - begin, end - begin)
        return bool(0 <= along <= 1)
