"""Where the street is filmed from, and how a hand-held camera shakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.affine import transform
from rtreid_ros.datasets.synthetic.random import drift, stream
from rtreid_ros.types import Float64

STREET_DEPTH = 24.0
"""Metres between the two rows of houses."""
_SETBACK = 1.6
"""How far behind its row of houses, which it does not show, a camera stands, metres."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera. World axes in metres: x along the street, y up, z across it.

    Attributes:
        position: ``(3,)`` optical centre.
        rotation: ``(3, 3)`` rows are the image's right, down and the viewing direction.
        focal: focal length in pixels.
        centre: ``(2,)`` principal point in pixels.
        size: ``(height, width)`` in pixels.
    """

    position: Float64
    rotation: Float64
    focal: float
    centre: Float64
    size: tuple[int, int]

    def project(self, points: Float64) -> tuple[Float64, Float64]:
        """Pixels ``(..., 2)`` and depth in metres ``(...)`` of world points ``(..., 3)``."""
        local = (points - self.position) @ self.rotation.T
        depth = np.maximum(local[..., 2], 0.2)
        return local[..., :2] * (self.focal / depth)[..., None] + self.centre, depth

    def rays(self, pixels: Float64) -> Float64:
        """World directions ``(..., 3)`` seen at pixels ``(..., 2)``, one metre deep."""
        local = np.concatenate([(pixels - self.centre) / self.focal, np.ones((*pixels.shape[:-1], 1))], -1)
        return np.asarray(local @ self.rotation)

    def horizon(self, affine: Float64 | None = None) -> int:
        """First image row that can show ground, at rest or in the view moved by a 2x3 `affine`."""
        row = self.centre[1] - self.focal * self.rotation[2, 1] / self.rotation[1, 1]
        ends = np.array([[0.0, row], [self.size[1], row]])
        if affine is not None:
            ends = transform(affine, ends)
        return int(np.clip(np.floor(ends[:, 1].min()), 0, self.size[0]))


def street_camera(seed: int, number: int, size: tuple[int, int]) -> Camera:
    """Camera 0 stands above z = 0 and looks along +z; camera 1 looks back from the other side."""
    rng = stream(seed, "camera", number)
    side = 1.0 if number == 0 else -1.0
    yaw = rng.uniform(-0.12, 0.12) + (0.0 if number == 0 else np.pi)
    pitch = rng.uniform(0.21, 0.26)
    height = rng.uniform(3.9, 4.6)
    position = np.array([rng.uniform(-1.5, 1.5) + (0 if number == 0 else 1.5), height, -_SETBACK])
    if side < 0:
        position[2] = STREET_DEPTH + _SETBACK
    sy, cy, sp, cp = np.sin(yaw), np.cos(yaw), np.sin(pitch), np.cos(pitch)
    rotation = np.array([[cy, 0, -sy], [-sy * sp, -cp, -cy * sp], [sy * cp, -sp, cy * cp]])
    rows, columns = size
    focal = max(columns / 640, rows / 480) * rng.uniform(670, 760)
    return Camera(position, rotation, focal, np.array([columns / 2, rows / 2]), size)


def shake(seed: int, number: int, seconds: float, amplitude: float, size: tuple[int, int]) -> Float64:
    """``(2, 3)`` affine from the resting view to the shaken view at that time, in pixels.

    Translation wanders by about `amplitude` pixels; roll and zoom move the image's border by about
    a third of that.
    """
    rng = stream(seed, "shake", number)
    times = np.array([seconds])
    dx, dy, roll, zoom = (float(drift(rng, times, period)[0]) for period in (2.1, 1.6, 2.7, 3.3))
    reach = amplitude / max(size)
    angle, scale = 0.6 * reach * roll, 1 + 0.6 * reach * zoom
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    cy, cx = size[0] / 2, size[1] / 2
    shift_x = cx - cos * cx + sin * cy + amplitude * dx
    shift_y = cy - sin * cx - cos * cy + amplitude * dy
    return np.array([[cos, -sin, shift_x], [sin, cos, shift_y]])
