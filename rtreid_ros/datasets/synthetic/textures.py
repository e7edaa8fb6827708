"""What the street is made of: painted pavements, road and house fronts."""

from __future__ import annotations

import cv2
import numpy as np

from rtreid_ros.datasets.synthetic.camera import STREET_DEPTH
from rtreid_ros.datasets.synthetic.crowd import CROSSING
from rtreid_ros.datasets.synthetic.looks import colour
from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.types import Float32, Float64, UInt8

SPAN = 30.0
"""The street is painted from -SPAN to SPAN metres."""
GROUND_SCALE = 48
FRONT_SCALE = 40
"""Texels per metre."""
FRONT_HEIGHT = 14.0
KERBS = (8.4, 15.6)
"""Where the road begins and ends across the street, metres."""


def cloud(rng: np.random.Generator, height: int, width: int, cell: float) -> Float32:
    """Smooth noise ``(height, width)`` in about [-1, 1] with features of `cell` pixels."""
    coarse = rng.standard_normal((max(2, round(height / cell)), max(2, round(width / cell)))).astype(
        np.float32
    )
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5)


def ground(seed: int) -> UInt8:
    """Texture ``(STREET_DEPTH, 2 SPAN)`` in metres times GROUND_SCALE; row 0 is z = 0."""
    rng = stream(seed, "ground")
    scale = GROUND_SCALE
    height, width = int(STREET_DEPTH * scale), int(2 * SPAN * scale)
    base = np.empty((height, width, 3), np.float32)
    kerbs = [int(kerb * scale) for kerb in KERBS]
    stone = np.array(colour(rng.uniform(0.06, 0.13), rng.uniform(0.05, 0.14), rng.uniform(0.6, 0.72)))
    base[:] = stone
    tile = int(rng.choice([0.5, 0.6, 0.75]) * scale)
    tints = 1 + 0.045 * rng.standard_normal((height // tile + 1, width // tile + 1)).astype(np.float32)
    base *= cv2.resize(tints, None, fx=tile, fy=tile, interpolation=cv2.INTER_NEAREST)[:height, :width, None]
    joint = max(1, scale // 30)
    for offset in range(joint):
        base[offset::tile] *= 0.84
        base[:, offset::tile] *= 0.84
    asphalt = np.array(colour(0.6, rng.uniform(0.02, 0.08), rng.uniform(0.3, 0.38)))
    road = base[kerbs[0] : kerbs[1]]
    road[:] = asphalt
    for _ in range(6):  # patches of newer asphalt
        x, z = int(rng.uniform(0, width - 200)), int(rng.uniform(0, road.shape[0] - 60))
        road[z : z + int(rng.uniform(20, 70)), x : x + int(rng.uniform(60, 260))] *= float(
            rng.uniform(0.86, 1.1)
        )
    paint = np.array([205.0, 212.0, 214.0])
    middle = road.shape[0] // 2
    dash, gap = int(2.0 * scale), int(2.4 * scale)
    half = int(0.06 * scale)
    for x in range(0, width, dash + gap):
        road[middle - half : middle + half, x : x + dash] = paint
    left, right = (int((edge + SPAN) * scale) for edge in CROSSING)
    road[middle - half : middle + half, left - scale : right + scale] = asphalt
    for bar in np.arange(0.25, KERBS[1] - KERBS[0] - 0.4, 0.95):
        road[int(bar * scale) : int((bar + 0.5) * scale), left:right] = paint
    for kerb, inward in ((kerbs[0], -1), (kerbs[1], 1)):
        edge = slice(kerb - int(0.18 * scale), kerb) if inward < 0 else slice(kerb, kerb + int(0.18 * scale))
        base[edge] = stone * 1.14
        gutter = slice(kerb, kerb + int(0.2 * scale)) if inward < 0 else slice(kerb - int(0.2 * scale), kerb)
        base[gutter] *= 0.85
    for _ in range(4):  # manhole covers
        along, across = rng.uniform(-10, 10), rng.uniform(KERBS[0] + 1, KERBS[1] - 1)
        at = (int((along + SPAN) * scale), int(across * scale))
        cv2.circle(base, at, int(0.34 * scale), (78.0, 80.0, 82.0), -1)
        cv2.circle(base, at, int(0.27 * scale), (98.0, 100.0, 102.0), 2)
    grain = 1 + 0.05 * cloud(rng, height, width, 60) + 0.05 * cloud(rng, height, width, 9)
    grain += 0.035 * rng.standard_normal((height, width)).astype(np.float32)
    base *= grain[..., None]
    for wall in (0, height - 1):  # less light at the foot of the walls
        away = np.abs(np.arange(height) - wall) / scale
        base *= (1 - 0.35 * np.exp(-away / 0.5))[:, None, None]
    return np.clip(base, 0, 255).astype(np.uint8)


def front(seed: int, row: int) -> tuple[UInt8, Float64]:
    """One row of houses: texture with row 0 at the ground, and the roof height in metres per column."""
    rng = stream(seed, "front", row)
    scale = FRONT_SCALE
    height, width = int(FRONT_HEIGHT * scale), int(2 * SPAN * scale)
    wall = np.zeros((height, width, 3), np.float32)
    roofs = np.zeros(width)
    x = 0
    while x < width:
        house = int(rng.uniform(5.0, 9.5) * scale)
        storeys = int(rng.integers(1, 4))
        _house(rng, wall[:, x : x + house], storeys)
        roofs[x : x + house] = 3.4 + 2.75 * storeys + 0.35
        x += house
    wall *= (1 + 0.05 * cloud(rng, height, width, 50) + 0.03 * cloud(rng, height, width, 8))[..., None]
    up = np.arange(height) / scale
    wall *= (1 - 0.22 * np.exp(-up / 0.5))[:, None, None]
    return np.clip(wall, 0, 255).astype(np.uint8), roofs


def _house(rng: np.random.Generator, wall: Float32, storeys: int) -> None:
    """Paint one house into its columns of the front."""
    scale = FRONT_SCALE
    width = wall.shape[1]
    tint = np.array(
        colour(
            float(rng.choice([0.04, 0.08, 0.12, 0.15, 0.55, 0.6, 0.99])),
            rng.uniform(0.08, 0.42),
            rng.uniform(0.55, 0.88),
        )
    )
    wall[:] = tint
    if rng.random() < 0.45:  # brick courses
        step = max(4, scale // 8)
        wall[::step] *= 0.9
        for course in range(0, wall.shape[0], 2 * step):
            wall[course : course + step, :: 2 * step] *= 0.93
            wall[course + step : course + 2 * step, step :: 2 * step] *= 0.93
    trim = np.clip(tint * rng.uniform(1.12, 1.3), 0, 250)
    roof = int((3.4 + 2.75 * storeys) * scale)
    wall[roof - scale // 6 : roof] = trim
    wall[roof : roof + int(0.35 * scale)] = np.array(colour(0.03, 0.35, rng.uniform(0.25, 0.4)))
    _shop(rng, wall, tint, trim)
    count = max(2, int(width / scale / rng.uniform(1.7, 2.4)))
    glass = np.array(colour(0.58, 0.25, rng.uniform(0.35, 0.55)))
    for storey in range(storeys):
        sill = int((3.4 + 2.75 * storey + 0.75) * scale)
        for number in range(count):
            middle = int((number + 0.5) * width / count)
            _window(rng, wall, middle, sill, glass, trim)
    wall[:, :2] *= 0.7


def _window(
    rng: np.random.Generator, wall: Float32, middle: int, sill: int, glass: Float64, trim: Float64
) -> None:
    half, tall, frame = int(0.5 * FRONT_SCALE), int(1.45 * FRONT_SCALE), max(2, FRONT_SCALE // 14)
    left, right = max(middle - half, 0), middle + half
    wall[sill - frame : sill + tall + frame, max(left - frame, 0) : right + frame] = trim
    pane = wall[sill : sill + tall, left:right]
    pane[:] = glass * np.linspace(0.8, 1.35, len(pane))[:, None, None]
    if rng.random() < 0.4:
        pane[int(rng.uniform(0.3, 0.8) * tall) :] = np.array([190.0, 205.0, 212.0]) * rng.uniform(0.7, 1.0)
    pane[:, half - 1 : half + 1] = trim
    pane[int(0.62 * tall) : int(0.62 * tall) + 2] = trim
    wall[max(sill - 2 * frame, 0) : sill - frame, max(left - 2 * frame, 0) : right + 2 * frame] = trim * 0.85


def _shop(rng: np.random.Generator, wall: Float32, tint: Float64, trim: Float64) -> None:
    """Ground floor: a door, a display window, a sign board and often an awning."""
    scale, width = FRONT_SCALE, wall.shape[1]
    wall[: int(0.35 * scale)] = tint * 0.6
    door = int(rng.uniform(0.06, 0.16) * width)
    span = int(1.05 * scale)
    wood = np.array(colour(rng.random(), 0.5, rng.uniform(0.25, 0.5)))
    wall[: int(2.35 * scale), door - 4 : door + span + 4] = trim
    wall[: int(2.3 * scale), door : door + span] = wood
    wall[int(1.1 * scale) : int(2.1 * scale), door + 8 : door + span - 8] = wood * 1.4 + 25
    left, right = door + span + int(0.5 * scale), width - int(0.5 * scale)
    board = np.array(colour(rng.random(), rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.75)))
    if right - left > scale:
        wall[int(0.5 * scale) : int(2.45 * scale), left - 4 : right + 4] = trim * 0.8
        pane = wall[int(0.58 * scale) : int(2.38 * scale), left:right]
        pane[:] = (
            np.array(colour(0.55, 0.2, rng.uniform(0.3, 0.6)))
            * np.linspace(0.9, 1.2, len(pane))[:, None, None]
        )
        for _ in range(int(rng.integers(3, 9))):  # goods on display
            x, w, h = int(rng.uniform(0, right - left)), int(rng.uniform(8, 34)), int(rng.uniform(8, 42))
            pane[2 : 2 + h, x : x + w] = (
                np.array(colour(rng.random(), rng.uniform(0.2, 0.7), rng.uniform(0.4, 0.9))) * 0.8
            )
        for x in range(0, right - left, max(int(1.3 * scale), 1)):
            pane[:, x : x + 3] = trim * 0.8
    wall[int(2.62 * scale) : int(3.2 * scale), int(0.04 * width) : int(0.96 * width)] = board
    x, end = int(0.2 * width), int(rng.uniform(0.5, 0.8) * width)
    while x < end:  # a word nobody can read
        w = int(rng.uniform(4, 11))
        wall[int(2.78 * scale) : int(rng.uniform(2.95, 3.08) * scale), x : x + w] = np.clip(
            board * 0.25 + 190, 0, 250
        )
        x += w + 4
    if rng.random() < 0.6 and right > left:
        stripe = int(0.3 * scale)
        cloth = np.array(colour(rng.random(), 0.6, 0.7))
        for number, at in enumerate(range(left - 8, right + 8, stripe)):
            band = wall[int(2.05 * scale) : int(2.6 * scale), max(at, 0) : min(at + stripe, right + 8)]
            band[:] = (cloth if number % 2 else np.array([225.0, 232.0, 235.0])) * np.linspace(
                0.75, 1.05, len(band)
            )[:, None, None]
