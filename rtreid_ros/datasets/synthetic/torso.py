"""A torso as a stack of elliptic sections: any patch of its surface as a polygon."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from rtreid_ros.datasets.synthetic.looks import Colour, Look
from rtreid_ros.types import Float64

LEVELS = np.array([0.0, 0.35, 0.78, 0.95, 1.04])
"""Heights of the sections, 0 = hips, 1 = neck."""
_CUTS: list[float] = LEVELS.tolist()
BREADTH = np.array([0.092, 0.086, 0.108, 0.106, 0.034])
"""Half breadth of the sections in body widths."""
DEPTH = np.array([0.066, 0.060, 0.070, 0.056, 0.030])
"""Half depth of the sections in body widths."""

Paint = tuple[Float64, Colour]
"""A convex polygon ``(K, 2)`` and its colour."""


class Torso:
    """One person's torso as a camera sees it.

    Args:
        hips: ``(2,)`` pixel of the pelvis.
        neck: ``(2,)`` pixel of the neck.
        width: one body width in pixels.
        facing: cosine between the body's front and the direction to the camera.
        aside: how far the body's front points to the image's right, -1..1.
    """

    def __init__(self, hips: Float64, neck: Float64, width: float, facing: float, aside: float) -> None:
        self.facing, self.aside = facing, aside
        along = neck - hips
        length = max(float(np.hypot(*along)), 1e-6)
        across = np.array([-along[1], along[0]]) / length
        half = width * np.sqrt((BREADTH * facing) ** 2 + (DEPTH * aside) ** 2)
        self.half = across * half[0]
        centres = hips + LEVELS[:, None] * along
        self._sections = np.concatenate([centres, across * half[:, None]], 1).tolist()

    def at(self, side: float, level: float) -> tuple[float, float]:
        """Pixel at `side` (-1 left outline .. 1 right outline) and `level`."""
        row = min(max(bisect_right(_CUTS, level) - 1, 0), len(_CUTS) - 2)
        share = (level - _CUTS[row]) / (_CUTS[row + 1] - _CUTS[row])
        x0, y0, w0, h0 = self._sections[row]
        x1, y1, w1, h1 = self._sections[row + 1]
        return (
            x0 + side * w0 + share * (x1 - x0 + side * (w1 - w0)),
            y0 + side * h0 + share * (y1 - y0 + side * (h1 - h0)),
        )

    def band(self, low: float, high: float, left: float = -1.0, right: float = 1.0) -> Float64:
        """Quadrilateral between two levels and two sides."""
        return np.array([self.at(left, low), self.at(right, low), self.at(right, high), self.at(left, high)])

    def bands(self, low: float, high: float) -> Iterator[Float64]:
        """All between two levels in convex pieces, cut where the outline bends."""
        for below, above in pairwise([low, *(level for level in _CUTS if low < level < high), high]):
            yield self.band(below, above)

    def side(self, angle: float) -> tuple[float, bool]:
        """Where a line up the body appears, and whether on the near side. 0 = front, positive = its left."""
        cos, sin = math.cos(angle), math.sin(angle)
        return cos * self.aside + sin * self.facing, cos * self.facing - sin * self.aside > 0

    def patch(self, start: float, end: float, low: float, high: float) -> Float64 | None:
        """Quadrilateral between two lines up the body, or None where turned away."""
        (left, seen_left), (right, seen_right) = self.side(start), self.side(end)
        if not (seen_left or seen_right):
            return None
        if not seen_left:
            left = math.copysign(1.0, left)
        if not seen_right:
            right = math.copysign(1.0, right)
        return self.band(low, high, left, right)


def pattern(torso: Torso, look: Look) -> Iterator[Paint]:
    """The cloth's pattern over the plain torso."""
    yield from _PATTERNS[look.pattern](torso, look)


def _plain(_torso: Torso, _look: Look) -> Iterator[Paint]:
    return iter(())


def _hoops(torso: Torso, look: Look) -> Iterator[Paint]:
    for step in range(5):
        low = 0.02 + 0.195 * step
        for piece in torso.bands(low, low + 0.095):
            yield piece, look.accent


def _lines(torso: Torso, look: Look, count: int, breadth: float) -> Iterator[Paint]:
    for number in range(count):
        angle = number * 2 * math.pi / count
        if torso.side(angle)[1]:
            for low, high in ((0.0, 0.78), (0.78, 0.97)):
                piece = torso.patch(angle, angle + breadth, low, high)
                if piece is not None:
                    yield piece, look.accent


def _pinstripes(torso: Torso, look: Look) -> Iterator[Paint]:
    return _lines(torso, look, 14, 0.16)


def _checks(torso: Torso, look: Look) -> Iterator[Paint]:
    yield from _lines(torso, look, 10, 0.2)
    for step in range(4):
        yield torso.band(0.08 + 0.22 * step, 0.13 + 0.22 * step), look.accent


def _dots(torso: Torso, look: Look) -> Iterator[Paint]:
    for row in range(5):
        for column in range(8):
            angle = (column + 0.5 * (row % 2)) * math.pi / 4
            if torso.side(angle)[1]:
                low = 0.04 + 0.18 * row
                left, right = torso.side(angle - 0.13)[0], torso.side(angle + 0.13)[0]
                middle = 0.5 * (left + right)
                corners = [(left, low + 0.045), (middle, low), (right, low + 0.045), (middle, low + 0.09)]
                yield np.array([torso.at(*corner) for corner in corners]), look.accent


def _halves(torso: Torso, look: Look) -> Iterator[Paint]:
    for piece in torso.bands(0.0, 0.48):
        yield piece, look.accent


def _yoke(torso: Torso, look: Look) -> Iterator[Paint]:
    for piece in torso.bands(0.66, 1.04):
        yield piece, look.accent


def _sash(torso: Torso, look: Look) -> Iterator[Paint]:
    # one band round the body from the left shoulder to the right hip, seen from the front or the back
    turn = 1.0 if torso.facing >= 0 else -1.0
    lift = 0.5 * torso.aside
    low, high = 0.08 + 0.1 * lift, 0.72 + 0.1 * lift
    corners = [(-turn, low), (-turn, low + 0.2), (turn, high + 0.2), (turn, high)]
    yield np.array([torso.at(*corner) for corner in corners]), look.accent


def _print(torso: Torso, look: Look) -> Iterator[Paint]:
    for angle in (0.0, math.pi):
        if torso.side(angle)[1]:
            piece = torso.patch(angle - 0.62, angle + 0.62, 0.42, 0.8)
            if piece is not None:
                yield piece, look.accent
            piece = torso.patch(angle - 0.3, angle + 0.3, 0.52, 0.7)
            if piece is not None:
                yield piece, look.legs


_PATTERNS = {
    "plain": _plain,
    "hoops": _hoops,
    "pinstripes": _pinstripes,
    "checks": _checks,
    "dots": _dots,
    "halves": _halves,
    "sash": _sash,
    "print": _print,
    "yoke": _yoke,
}
