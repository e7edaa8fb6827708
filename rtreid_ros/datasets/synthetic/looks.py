"""What people look like: build, skin, hair, clothes and what they carry."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from rtreid_ros.datasets.synthetic.random import stream

Colour = tuple[float, float, float]
"""Blue, green, red in 0..255."""

_SKIN = (
    (0.071, 0.28, 0.95),
    (0.065, 0.36, 0.88),
    (0.062, 0.45, 0.76),
    (0.058, 0.52, 0.6),
    (0.05, 0.55, 0.42),
    (0.05, 0.5, 0.3),
)
_HAIR = (
    (0.08, 0.55, 0.16),
    (0.07, 0.6, 0.28),
    (0.09, 0.55, 0.48),
    (0.12, 0.5, 0.78),
    (0.04, 0.75, 0.5),
    (0.6, 0.05, 0.62),
    (0.6, 0.2, 0.1),
)
_TROUSERS = (
    (0.61, 0.5, 0.38),
    (0.6, 0.45, 0.55),
    (0.62, 0.3, 0.2),
    (0.1, 0.32, 0.62),
    (0.09, 0.45, 0.38),
    (0.0, 0.0, 0.16),
    (0.0, 0.02, 0.42),
    (0.3, 0.3, 0.33),
)
PATTERNS = ("plain", "hoops", "pinstripes", "checks", "dots", "halves", "sash", "print", "yoke")


@dataclass(frozen=True)
class Look:
    """One person's appearance. Lengths in metres; colours blue, green, red."""

    height: float
    width: float
    """Factor on all breadths."""
    skin: Colour
    hair: Colour
    hair_style: str
    """short, long, bun or bald."""
    top: Colour
    accent: Colour
    pattern: str
    long_sleeves: bool
    legs: Colour
    legwear: str
    """trousers, shorts, skirt or dress."""
    shoes: Colour
    coat: Colour | None
    """An open coat over the top, down to the thighs."""
    backpack: Colour | None
    bag: Colour | None
    """Carried on one shoulder."""
    bag_side: float
    hat: Colour | None
    hat_style: str
    """cap or brim."""
    arm_swing: float
    shuffle: float
    """Offset of the gait phase in radians."""


def colour(hue: float, saturation: float, value: float) -> Colour:
    """Blue, green, red in 0..255 of a hue, saturation and value in 0..1."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0), 1), min(max(value, 0), 1))
    return (255 * blue, 255 * green, 255 * red)


def _near(rng: np.random.Generator, table: tuple[tuple[float, float, float], ...]) -> Colour:
    hue, saturation, value = table[int(rng.integers(len(table)))]
    return colour(
        hue + rng.normal(0, 0.008), saturation * rng.uniform(0.8, 1.2), value * rng.uniform(0.85, 1.15)
    )


def _cloth(rng: np.random.Generator) -> Colour:
    """Clothes: mostly colours of all hues, also white, grey and black."""
    kind = rng.random()
    if kind < 0.10:
        return colour(0.1, 0.04, rng.uniform(0.86, 0.96))
    if kind < 0.22:
        return colour(0.6, rng.uniform(0, 0.1), rng.uniform(0.1, 0.55))
    return colour(rng.random(), rng.uniform(0.3, 0.82), rng.uniform(0.4, 0.92))


def _contrast(rng: np.random.Generator, base: Colour) -> Colour:
    """A second colour that can be told from `base`."""
    for _ in range(12):
        other = _cloth(rng)
        if sum(abs(a - b) for a, b in zip(base, other, strict=True)) > 190:
            return other
    bright = sum(base) > 380
    return (40.0, 36.0, 34.0) if bright else (225.0, 232.0, 236.0)


def draw_look(seed: int, person: int) -> Look:
    """The look of one person of one world, the same from every camera and at every time."""
    rng = stream(seed, "look", person)
    feminine = rng.random() < 0.5
    top = _cloth(rng)
    legwear = str(
        rng.choice(
            ["trousers", "shorts", "skirt", "dress"],
            p=[0.5, 0.1, 0.24, 0.16] if feminine else [0.8, 0.2, 0, 0],
        )
    )
    legs = _near(rng, _TROUSERS) if rng.random() < 0.75 else _contrast(rng, top)
    coat = _contrast(rng, top) if rng.random() < 0.2 else None
    hat = _cloth(rng) if rng.random() < 0.22 else None
    styles, odds = (
        ("short", "long", "bun", "bald"),
        ([0.25, 0.5, 0.25, 0] if feminine else [0.78, 0.08, 0.02, 0.12]),
    )
    return Look(
        height=float(np.clip(rng.normal(1.66 if feminine else 1.78, 0.07), 1.48, 1.98)),
        width=float(np.clip(rng.normal(0.95 if feminine else 1.06, 0.09), 0.82, 1.32)),
        skin=_near(rng, _SKIN),
        hair=_near(rng, _HAIR),
        hair_style=str(rng.choice(styles, p=odds)),
        top=top,
        accent=_contrast(rng, top),
        pattern=str(rng.choice(PATTERNS, p=[0.24, 0.16, 0.08, 0.09, 0.08, 0.1, 0.07, 0.11, 0.07])),
        long_sleeves=bool(rng.random() < 0.55),
        legs=top if legwear == "dress" else legs,
        legwear=legwear,
        shoes=_cloth(rng) if rng.random() < 0.4 else colour(0.07, rng.uniform(0, 0.6), rng.uniform(0.1, 0.3)),
        coat=coat,
        backpack=_contrast(rng, top) if rng.random() < 0.24 else None,
        bag=_contrast(rng, top) if rng.random() < 0.26 else None,
        bag_side=float(rng.choice([-1.0, 1.0])),
        hat=hat,
        hat_style=str(rng.choice(["cap", "brim"])),
        arm_swing=float(rng.uniform(0.6, 1.1)),
        shuffle=float(rng.uniform(0, 2 * np.pi)),
    )
