"""One person as polygons in painter's order."""

from __future__ import annotations

import numpy as np

from rtreid_ros.datasets.synthetic.body import Joint
from rtreid_ros.datasets.synthetic.looks import Colour, Look
from rtreid_ros.datasets.synthetic.shapes import UPPER, cushion, ellipse
from rtreid_ros.datasets.synthetic.torso import Paint, Torso, pattern
from rtreid_ros.datasets.synthetic.view import View
from rtreid_ros.types import Float64

_THIGH, _SHIN, _FOOT, _UPPER_ARM, _FOREARM, _NECK = 0, 2, 4, 6, 8, 10
"""Rows of `LIMBS`, of the left side."""


def tone(base: Colour, factor: float) -> Colour:
    """`base` lighter or darker."""
    return (min(base[0] * factor, 255.0), min(base[1] * factor, 255.0), min(base[2] * factor, 255.0))


def _shift(point: Float64, right: float, down: float) -> Float64:
    shifted: Float64 = point + np.array([right, down])
    return shifted


def draw_person(view: View, row: int, look: Look, outer: Float64, inner: Float64) -> list[Paint]:
    """Polygons of one person from back to front."""
    pen = _Pen(view, row, look, outer[row], inner[row])
    depth = view.depth[row]
    left_first = depth[Joint.KNEE_L] + depth[Joint.ANKLE_L] > depth[Joint.KNEE_R] + depth[Joint.ANKLE_R]
    if look.hair_style == "long" and pen.facing > 0:
        pen.long_hair()
    for side in (0, 1) if left_first else (1, 0):
        pen.leg(side)
    if look.legwear in ("skirt", "dress"):
        pen.skirt(look.legs, 0.95)
    if look.coat is not None:
        pen.skirt(look.coat, 0.5)
    # the torso is thick: an arm or bag beside it counts as nearer
    layers = [(depth[Joint.PELVIS], 0)]
    layers += [(depth[Joint.ELBOW_L] - 0.05, 1), (depth[Joint.ELBOW_R] - 0.05, 2)]
    if look.backpack is not None:
        layers.append((depth[Joint.PACK], 3))
    if look.bag is not None:
        layers.append((depth[Joint.BAG] - 0.08, 4))
    for _, layer in sorted(layers, reverse=True):
        if layer == 0:
            pen.torso()
        elif layer < 3:
            pen.arm(layer - 1)
        elif layer == 3:
            pen.backpack()
        else:
            pen.shoulder_bag()
    pen.head()
    return pen.paints


class _Pen:
    """Adds one person's parts to a list."""

    def __init__(self, view: View, row: int, look: Look, outer: Float64, inner: Float64) -> None:
        self.pixels, self.look, self.outer, self.inner = view.pixels[row], look, outer, inner
        self.width, self.height = float(view.width[row]), float(view.height[row])
        self.facing, self.aside = float(view.facing[row]), float(view.aside[row])
        self.fine = self.height > 60
        self.paints: list[Paint] = []
        hips, neck = self.pixels[Joint.PELVIS], self.pixels[Joint.NECK]
        self.body = Torso(hips, neck, self.width, self.facing, self.aside)

    def add(self, polygon: Float64, colour: Colour) -> None:
        self.paints.append((polygon, colour))

    def limbs(self, *parts: tuple[int, Colour]) -> None:
        """Limbs joined end to end: all rims first, so that no rim crosses a joint."""
        for number, colour in parts:
            self.add(self.outer[number], tone(colour, 0.78))
        for number, colour in parts:
            self.add(self.inner[number], tone(colour, 1.02))

    def leg(self, side: int) -> None:
        look = self.look
        shin = look.legs if look.legwear == "trousers" else look.skin
        thigh = look.skin if look.legwear in ("skirt", "dress") else look.legs
        self.limbs((_FOOT + side, look.shoes), (_SHIN + side, shin), (_THIGH + side, thigh))

    def arm(self, side: int) -> None:
        look = self.look
        sleeve = look.coat or (look.accent if look.pattern == "yoke" else look.top)
        hand = self.pixels[Joint.HAND_L + side]
        self.add(ellipse(hand, 0.03 * self.width, 0.034 * self.width), tone(look.skin, 0.95))
        forearm = sleeve if look.long_sleeves or look.coat else look.skin
        self.limbs((_FOREARM + side, forearm), (_UPPER_ARM + side, sleeve))
        if self.fine and look.pattern == "hoops" and look.long_sleeves and not look.coat:
            shoulder, elbow = self.pixels[Joint.SHOULDER_L + side], self.pixels[Joint.ELBOW_L + side]
            for share in (0.3, 0.75):
                self.add(
                    ellipse(shoulder + share * (elbow - shoulder), 0.03 * self.width, 0.018 * self.width),
                    look.accent,
                )

    def skirt(self, colour: Colour, share: float) -> None:
        """A flared hem from the hips, `share` of the way down to the knees."""
        hips, knees = self.pixels[Joint.HIP_L : Joint.HIP_R + 1], self.pixels[Joint.KNEE_L : Joint.KNEE_R + 1]
        hems = hips + share * (knees - hips)
        waist = self.body.band(0.0, 0.16)
        spread = 0.062 * self.width * (0.8 + 0.4 * share)
        left, right = float(hems[:, 0].min()) - spread, float(hems[:, 0].max()) + spread
        low = float(hems[:, 1].max()) + 0.01 * self.height
        middle = 0.5 * (left + right)
        hem = np.array(
            [
                [right, low - 0.012 * self.height],
                [middle, low + 0.006 * self.height],
                [left, low - 0.012 * self.height],
            ]
        )
        top = waist[np.argsort(waist[:, 0])]
        outline = np.concatenate([[top[:2].mean(0)], [top[2:].mean(0)], hem])
        self.add(outline, tone(colour, 0.9))
        if self.fine:
            shade = 0.5 * (right - left) * 0.18
            fold = np.stack(
                [
                    outline[:2].mean(0),
                    [middle + shade, low - 0.004 * self.height],
                    [middle - shade, low - 0.004 * self.height],
                ]
            )
            self.add(fold, tone(colour, 1.0))

    def torso(self) -> None:
        look, body = self.look, self.body
        self.add(
            ellipse(self.pixels[Joint.PELVIS], 0.95 * float(np.hypot(*body.half)), 0.05 * self.width),
            tone(look.legs, 0.85),
        )
        base = look.coat or look.top
        for piece in body.bands(-0.04, 1.04):
            self.add(piece, base)
        if look.coat is None:
            if self.fine or look.pattern in ("hoops", "halves", "yoke", "sash", "print"):
                self.paints.extend(pattern(body, look))
        else:
            opening = body.patch(-0.5, 0.5, 0.0, 0.98)
            if opening is not None and body.side(0.0)[1]:
                self.add(opening, look.top)
                if look.pattern in ("hoops", "checks", "halves", "print"):
                    strip = body.patch(-0.5, 0.5, 0.3, 0.55)
                    if strip is not None:
                        self.add(strip, look.accent)
        if look.backpack is not None and self.facing > -0.2:
            for angle in (-0.75, 0.55):
                strap = body.patch(angle, angle + 0.2, 0.4, 0.97)
                if strap is not None:
                    self.add(strap, tone(look.backpack, 0.8))
        if look.bag is not None:
            side = -look.bag_side if self.facing >= 0 else look.bag_side
            top, low = np.array(body.at(-0.5 * side, 0.97)), self.pixels[Joint.BAG]
            aside = np.array([0.010 * self.width, 0.0])
            self.add(
                np.stack([top - aside, top + aside, low + aside, low - aside]),
                tone(look.bag, 0.7),
            )

    def backpack(self) -> None:
        colour = self.look.backpack or self.look.accent
        centre = self.pixels[Joint.PACK]
        half = self.width * float(np.hypot(0.098 * self.facing, 0.062 * self.aside))
        tall = 0.125 * self.height
        self.add(cushion(centre, half, tall), tone(colour, 0.85))
        if self.facing < 0.2:
            self.add(cushion(centre, 0.8 * half, 0.82 * tall), colour)
            self.add(cushion(_shift(centre, 0, 0.4 * tall), 0.6 * half, 0.3 * tall), tone(colour, 0.72))

    def shoulder_bag(self) -> None:
        colour = self.look.bag or self.look.accent
        centre = self.pixels[Joint.BAG]
        half = self.width * (0.045 + 0.045 * abs(self.aside))
        self.add(cushion(centre, half, 0.06 * self.height), tone(colour, 0.8))
        self.add(cushion(centre, 0.78 * half, 0.046 * self.height), colour)

    def long_hair(self) -> None:
        head = self.pixels[Joint.HEAD]
        back = np.array([-0.03 * self.width * self.aside, 0.06 * self.height])
        self.add(ellipse(head + back, 0.066 * self.height, 0.105 * self.height), tone(self.look.hair, 0.85))

    def head(self) -> None:
        look, head = self.look, self.pixels[Joint.HEAD]
        tall, half = 0.07 * self.height, 0.053 * self.height
        self.add(self.outer[_NECK], tone(look.skin, 0.8))
        if look.hair_style == "bald":
            self.add(ellipse(head, half, tall), look.skin)
        elif self.facing > -0.35:
            self.add(
                ellipse(_shift(head, -0.1 * half * self.aside, -0.03 * tall), 1.08 * half, 1.05 * tall),
                look.hair,
            )
            breadth = half * (0.62 + 0.28 * self.facing)
            face = _shift(head, 0.42 * half * self.aside, 0.16 * tall)
            self.add(ellipse(face, breadth, 0.84 * tall), look.skin)
            fringe = _shift(face, 0, -0.38 * tall) + UPPER * (breadth * 1.05, 0.5 * tall)
            self.add(fringe, look.hair)
        else:
            self.add(ellipse(head, half, tall), tone(look.skin, 0.9))
            self.add(ellipse(_shift(head, 0, -0.12 * tall), 1.08 * half, 0.95 * tall), look.hair)
        if self.facing > 0.1 and self.height > 110:
            self.face(head, half, tall)
        if look.hair_style == "bun":
            knot = _shift(head, -0.95 * half * self.aside, -0.75 * tall)
            self.add(ellipse(knot, 0.45 * half, 0.36 * tall), tone(look.hair, 0.9))
        if look.hair_style == "long" and self.facing <= 0:
            self.long_hair()
        if look.hat is not None:
            self.hat(head, half, tall, look.hat)

    def face(self, head: Float64, half: float, tall: float) -> None:
        for side in (-0.36, 0.36):
            eye = _shift(head, half * (0.6 * self.aside + side * self.facing), 0.02 * tall)
            self.add(ellipse(eye, 0.09 * half, 0.1 * tall), (38.0, 32.0, 36.0))
        mouth = _shift(head, 0.62 * half * self.aside, 0.52 * tall)
        self.add(ellipse(mouth, 0.22 * half * max(self.facing, 0.3), 0.05 * tall), tone(self.look.skin, 0.62))

    def hat(self, head: Float64, half: float, tall: float, colour: Colour) -> None:
        if self.look.hat_style == "brim":
            self.add(ellipse(_shift(head, 0, -0.42 * tall), 1.75 * half, 0.2 * tall), tone(colour, 0.8))
        elif self.facing > -0.3:
            peak = _shift(head, 0.75 * half * self.aside, -0.36 * tall)
            self.add(ellipse(peak, half * (0.55 + 0.35 * abs(self.aside)), 0.13 * tall), tone(colour, 0.75))
        self.add(_shift(head, 0, -0.4 * tall) + UPPER * (1.14 * half, 0.72 * tall), colour)
