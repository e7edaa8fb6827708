"""Posts, trees and columns: what hides people, and what they walk around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.datasets.synthetic.camera import Camera
from rtreid_ros.datasets.synthetic.canvas import Patch, render, shade
from rtreid_ros.datasets.synthetic.crowd import CROSSING
from rtreid_ros.datasets.synthetic.looks import Colour, colour
from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.datasets.synthetic.shapes import capsules, ellipse
from rtreid_ros.datasets.synthetic.torso import Paint
from rtreid_ros.types import Float64

_RADIUS = {"lamp": 0.09, "tree": 0.15, "column": 0.45, "bollard": 0.1, "planter": 0.6, "signal": 0.08}
_REACH = {"lamp": 5.6, "tree": 5.8, "column": 3.0, "bollard": 0.95, "planter": 1.2, "signal": 3.3}


@dataclass(frozen=True)
class Fixture:
    """One thing that stands on the street.

    Attributes:
        kind: lamp, tree, column, bollard, planter or signal.
        x: metres along the street.
        z: metres across it.
    """

    kind: str
    x: float
    z: float

    @property
    def radius(self) -> float:
        """Metres it takes on the ground."""
        return _RADIUS[self.kind]

    @property
    def reach(self) -> float:
        """Height in metres."""
        return _REACH[self.kind]


def furnish(seed: int) -> list[Fixture]:
    """The street's furniture, the crossing kept clear."""
    rng = stream(seed, "furniture")
    fixtures = []
    for z, spacing in ((8.0, 3.4), (16.1, 3.8)):
        x = -14 + rng.uniform(0, 2)
        while x < 14:
            if not CROSSING[0] - 0.9 < x < CROSSING[1] + 0.9:
                kind = str(
                    rng.choice(["lamp", "tree", "bollard", "planter", "none"], p=[0.2, 0.26, 0.2, 0.12, 0.22])
                )
                if kind != "none":
                    fixtures.append(Fixture(kind, float(x), z))
            x += spacing * rng.uniform(0.7, 1.3)
        fixtures.append(Fixture("signal", CROSSING[0] - 0.5 if z < 12 else CROSSING[1] + 0.5, z))
    fixtures.append(Fixture("column", float(rng.choice([-1, 1]) * rng.uniform(2.4, 3.6)), 7.3))
    fixtures.append(Fixture("lamp", float(rng.uniform(-1.8, 1.8)), 5.2))
    fixtures.append(Fixture("column", float(rng.choice([-1, 1]) * rng.uniform(4.5, 8.0)), 16.3))
    return fixtures


def obstacles(fixtures: list[Fixture]) -> Float64:
    """``(M, 3)`` x, z and radius in metres."""
    return np.array([(item.x, item.z, item.radius) for item in fixtures]).reshape(-1, 3)


def draw_fixture(seed: int, number: int, fixture: Fixture, camera: Camera, light: float) -> Patch | None:
    """Its picture, or None where the camera does not see it."""
    foot = np.array([fixture.x, 0.0, fixture.z])
    ahead = float((foot - camera.position) @ camera.rotation[2])
    if ahead < 1.5:
        return None
    brush = _Brush(foot, camera, camera.focal / ahead)
    getattr(brush, fixture.kind)(stream(seed, "fixture", number))
    points = np.concatenate([polygon for polygon, _ in brush.paints])
    rows, columns = camera.size
    low, high = points.min(0), points.max(0)
    if high[0] < -80 or low[0] > columns + 80 or low[1] > rows + 80 or high[1] < -80:
        return None
    return shade(render(brush.paints), light, 0.3)


class _Brush:
    """Draws upright things at one foot point."""

    def __init__(self, foot: Float64, camera: Camera, scale: float) -> None:
        self.foot, self.camera, self.scale = foot, camera, scale
        self.paints: list[Paint] = []

    def at(self, up: float, aside: float = 0.0) -> Float64:
        """Pixel `up` metres above the foot and `aside` metres to the image's right."""
        point = self.foot + np.array([0.0, up, 0.0]) + aside * self.camera.rotation[0]
        return self.camera.project(point)[0]

    def pole(self, low: float, high: float, radius: float, top_radius: float, tint: Colour) -> None:
        first, last = (np.array(r * self.scale) for r in (radius, top_radius))
        dark = (tint[0] * 0.7, tint[1] * 0.7, tint[2] * 0.7)
        self.paints.append((capsules(self.at(low), self.at(high), first, last), dark))
        inner = capsules(self.at(low), self.at(high), 0.6 * first, 0.6 * last)
        self.paints.append((inner, tint))

    def box(self, low: float, high: float, left: float, right: float, tint: Colour) -> None:
        corners = [self.at(low, left), self.at(low, right), self.at(high, right), self.at(high, left)]
        self.paints.append((np.stack(corners), tint))

    def blob(self, up: float, aside: float, width: float, height: float, tint: Colour) -> None:
        self.paints.append((ellipse(self.at(up, aside), width * self.scale, height * self.scale), tint))

    def lamp(self, rng: np.random.Generator) -> None:
        tint = colour(0.45, 0.25, rng.uniform(0.22, 0.38))
        self.pole(0.0, 5.0, 0.07, 0.045, tint)
        self.pole(0.0, 0.8, 0.11, 0.09, tint)
        self.blob(5.25, 0, 0.26, 0.2, (150.0, 205.0, 225.0))
        self.blob(5.42, 0, 0.3, 0.1, tint)

    def bollard(self, rng: np.random.Generator) -> None:
        tint = colour(0.6, 0.1, rng.uniform(0.2, 0.4))
        self.pole(0.0, 0.85, 0.09, 0.08, tint)
        self.box(0.62, 0.76, -0.085, 0.085, (205.0, 210.0, 215.0))

    def signal(self, rng: np.random.Generator) -> None:
        tint = (70.0, 72.0, 74.0)
        self.pole(0.0, 2.5, 0.06, 0.055, tint)
        self.box(2.3, 3.2, -0.16, 0.16, (42.0, 44.0, 46.0))
        green = rng.random() < 0.5
        self.blob(3.02, 0, 0.1, 0.1, (60.0, 60.0, 120.0) if green else (70.0, 70.0, 230.0))
        self.blob(2.75, 0, 0.1, 0.1, (50.0, 100.0, 120.0))
        self.blob(2.48, 0, 0.1, 0.1, (120.0, 220.0, 90.0) if green else (60.0, 100.0, 60.0))

    def column(self, rng: np.random.Generator) -> None:
        """An advertising column with three posters."""
        body = colour(0.1, 0.12, 0.7)
        self.box(0.0, 2.6, -0.44, 0.44, body)
        self.blob(0.02, 0, 0.44, 0.09, body)
        for left in (-0.42, -0.11, 0.2):
            low, high = rng.uniform(0.45, 0.7), rng.uniform(2.0, 2.4)
            paper = colour(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.5, 0.95))
            self.box(low, high, left, left + 0.24, paper)
            ink = colour(rng.random(), 0.5, rng.uniform(0.15, 0.9))
            self.blob(rng.uniform(1.2, 1.7), left + 0.12, 0.08, 0.16, ink)
            self.box(low + 0.1, low + 0.2, left + 0.04, left + 0.2, ink)
        self.box(2.55, 2.75, -0.52, 0.52, colour(0.42, 0.35, 0.3))
        self.blob(2.75, 0, 0.5, 0.18, colour(0.42, 0.35, 0.36))

    def planter(self, rng: np.random.Generator) -> None:
        pot = colour(0.05, 0.3, rng.uniform(0.4, 0.6))
        self._leaves(rng, 0.75, 0.5, 0.3, 40, 0.1)
        self.box(0.0, 0.55, -0.55, 0.55, pot)
        self.box(0.47, 0.58, -0.6, 0.6, (pot[0] * 1.15, pot[1] * 1.15, pot[2] * 1.15))

    def tree(self, rng: np.random.Generator) -> None:
        self.pole(0.0, 3.4, 0.14, 0.09, colour(0.07, 0.4, rng.uniform(0.28, 0.4)))
        self._leaves(rng, 4.3, 1.25, 1.25, 170, 0.26)

    def _leaves(
        self, rng: np.random.Generator, up: float, width: float, height: float, count: int, size: float
    ) -> None:
        """A bush of `count` tufts, the lighter ones above and last."""
        hue = rng.uniform(0.22, 0.33)
        angle, away = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count))
        x, y = width * away * np.cos(angle), height * away * np.sin(angle)
        order = np.argsort(y - 0.8 * height * rng.random(count))
        for rank, tuft in enumerate(order):
            value = 0.25 + 0.36 * rank / count + 0.05 * rng.standard_normal()
            tint = colour(hue + 0.02 * rng.standard_normal(), 0.55, value)
            self.blob(up + y[tuft], x[tuft], size * rng.uniform(0.7, 1.3), size * rng.uniform(0.5, 1.0), tint)
