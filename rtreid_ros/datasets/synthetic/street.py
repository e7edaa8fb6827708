"""The street without people: a picture made once per camera, and the furniture that can hide people."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rtreid_ros.datasets.synthetic import textures
from rtreid_ros.datasets.synthetic.camera import STREET_DEPTH, Camera
from rtreid_ros.datasets.synthetic.canvas import Patch, paste
from rtreid_ros.datasets.synthetic.furniture import Fixture, draw_fixture
from rtreid_ros.datasets.synthetic.light import light_side, sun_direction
from rtreid_ros.datasets.synthetic.looks import colour
from rtreid_ros.datasets.synthetic.random import stream
from rtreid_ros.datasets.synthetic.shapes import capsules
from rtreid_ros.types import Float32, Float64, UInt8


@dataclass(frozen=True, eq=False)
class Street:
    """What stands still.

    Attributes:
        background: ``(h + 2 margin, w + 2 margin, 3) uint8``, all furniture included.
        margin: pixels around the image kept for camera shake.
        furniture: depth in metres and picture of each fixture in view, the farthest first.
    """

    background: UInt8
    margin: int
    furniture: list[tuple[float, Patch]]


def build_street(seed: int, camera: Camera, fixtures: list[Fixture], margin: int) -> Street:
    """Paint the street as `camera` sees it at rest."""
    rows, columns = camera.size
    size = (rows + 2 * margin, columns + 2 * margin)
    # twice the size, averaged down: far tiles and windows would shimmer otherwise
    step = 0.5
    x = (np.arange(2 * size[1]) + 0.5) * step - margin
    y = (np.arange(2 * size[0]) + 0.5) * step - margin
    rays = camera.rays(np.stack(np.meshgrid(x, y), -1)).astype(np.float32)
    picture = _sky(seed, rays)
    _raise_fronts(seed, camera, rays, picture)
    _lay_ground(seed, camera, rays, picture)
    background = cv2.resize(picture, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    sun = sun_direction(seed)
    _cast_shadows(camera, fixtures, sun, background, margin)
    light = light_side(seed, camera)
    furniture = []
    for number, fixture in enumerate(fixtures):
        patch = draw_fixture(seed, number, fixture, camera, light)
        if patch is not None:
            foot = np.array([fixture.x, 0.0, fixture.z])
            furniture.append((float((foot - camera.position) @ camera.rotation[2]), patch))
    furniture.sort(key=lambda item: -item[0])
    unused = np.zeros(background.shape[:2], np.uint8)
    for _, patch in furniture:
        paste(
            background, unused, Patch(patch.colour, patch.alpha, patch.left + margin, patch.top + margin), 0
        )
    return Street(background, margin, furniture)


def _sky(seed: int, rays: Float32) -> UInt8:
    rng = stream(seed, "sky")
    height, width = rays.shape[:2]
    lift = rays[..., 1] / np.linalg.norm(rays, axis=-1)
    blue = np.array(colour(rng.uniform(0.56, 0.61), rng.uniform(0.25, 0.5), 0.9), np.float32)
    haze = np.array([236.0, 230.0, 224.0], np.float32)
    mix = np.clip(lift * 3.2, 0, 1)[..., None]
    sky = haze * (1 - mix) + blue * mix
    cover = textures.cloud(rng, height, width, 260) + 0.5 * textures.cloud(rng, height, width, 90)
    share = np.clip(cover * 1.3 - 0.1, 0, 0.85)[..., None].astype(np.float32)
    return np.asarray(sky * (1 - share) + 246.0 * share).astype(np.uint8)


def _sample(texture: UInt8, column: Float32, row: Float32) -> UInt8:
    return np.asarray(
        cv2.remap(
            texture,
            column.astype(np.float32),
            row.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
    )


def _raise_fronts(seed: int, camera: Camera, rays: Float32, picture: UInt8) -> None:
    ahead = 1 if camera.rotation[2, 2] > 0 else 0
    texture, roofs = textures.front(seed, ahead)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (STREET_DEPTH * ahead - camera.position[2]) / rays[..., 2]
    along = camera.position[0] + reach * rays[..., 0]
    up = camera.position[1] + reach * rays[..., 1]
    column = (along + textures.SPAN) * textures.FRONT_SCALE
    roof = roofs[np.clip(np.nan_to_num(column), 0, len(roofs) - 1).astype(int)]
    hit = (reach > 0) & (up >= 0) & (up < roof)
    seen = _sample(texture, column, up * textures.FRONT_SCALE)
    picture[hit] = seen[hit]


def _lay_ground(seed: int, camera: Camera, rays: Float32, picture: UInt8) -> None:
    texture = textures.ground(seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -camera.position[1] / rays[..., 1]
    along = camera.position[0] + reach * rays[..., 0]
    across = camera.position[2] + reach * rays[..., 2]
    hit = (reach > 0) & (across >= 0) & (across <= STREET_DEPTH)
    seen = _sample(texture, (along + textures.SPAN) * textures.GROUND_SCALE, across * textures.GROUND_SCALE)
    picture[hit] = seen[hit]


def _cast_shadows(
    camera: Camera, fixtures: list[Fixture], sun: Float64, background: UInt8, margin: int
) -> None:
    """Shadows of the furniture on the ground, and a dark rim where it stands."""
    shadow = np.zeros(background.shape[:2], np.uint8)
    for fixture in fixtures:
        foot = np.array([fixture.x, 0.0, fixture.z])
        tip = foot - np.array([sun[0], 0.0, sun[2]]) / sun[1] * fixture.reach * 0.9
        pixels, depth = camera.project(np.stack([foot, tip]))
        if depth.min() < 1.0 or np.abs(pixels).max() > 4000:
            continue
        radius = camera.focal / depth * min(fixture.radius, 0.3) * 0.8
        wide = radius[1] * (6.0 if fixture.kind == "tree" else 1.0)
        outline = capsules(pixels[0] + margin, pixels[1] + margin, np.array(radius[0]), np.array(wide))
        cv2.fillConvexPoly(shadow, np.round(outline).astype(np.int32), 80)
    soft = cv2.blur(shadow, (7, 7))
    soft[: camera.horizon() + margin] = 0
    gain = cv2.cvtColor(cv2.bitwise_not(soft), cv2.COLOR_GRAY2BGR)
    cv2.multiply(background, gain, dst=background, scale=1 / 255)
