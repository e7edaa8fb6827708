"""People as one camera sees them: joints in pixels, sizes, and which way they face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.affine import transform
from rtreid_ros.datasets.synthetic.body import Figures, Joint
from rtreid_ros.datasets.synthetic.camera import Camera
from rtreid_ros.datasets.synthetic.shapes import capsules
from rtreid_ros.types import Float64, Int64

LIMBS = (
    (Joint.HIP_L, Joint.KNEE_L, 0.060, 0.043),
    (Joint.HIP_R, Joint.KNEE_R, 0.060, 0.043),
    (Joint.KNEE_L, Joint.ANKLE_L, 0.042, 0.028),
    (Joint.KNEE_R, Joint.ANKLE_R, 0.042, 0.028),
    (Joint.ANKLE_L, Joint.TOE_L, 0.030, 0.022),
    (Joint.ANKLE_R, Joint.TOE_R, 0.030, 0.022),
    (Joint.SHOULDER_L, Joint.ELBOW_L, 0.038, 0.031),
    (Joint.SHOULDER_R, Joint.ELBOW_R, 0.038, 0.031),
    (Joint.ELBOW_L, Joint.HAND_L, 0.030, 0.023),
    (Joint.ELBOW_R, Joint.HAND_R, 0.030, 0.023),
    (Joint.NECK, Joint.HEAD, 0.032, 0.030),
)
"""Start joint, end joint and the radii there in body widths; left before right."""
_START = np.array([limb[0] for limb in LIMBS])
_END = np.array([limb[1] for limb in LIMBS])
_START_RADIUS = np.array([limb[2] for limb in LIMBS])
_END_RADIUS = np.array([limb[3] for limb in LIMBS])


@dataclass(frozen=True)
class View:
    """N people as one camera sees them.

    Attributes:
        pixels: ``(N, JOINTS, 2)``.
        depth: ``(N, JOINTS)`` metres from the camera.
        scale: ``(N,)`` pixels per metre at the pelvis.
        width: ``(N,)`` one body width in pixels.
        height: ``(N,)`` stature in pixels.
        facing: ``(N,)`` cosine between body front and the direction to the camera.
        aside: ``(N,)`` how far the body's front points to the image's right.
    """

    pixels: Float64
    depth: Float64
    scale: Float64
    width: Float64
    height: Float64
    facing: Float64
    aside: Float64

    def limbs(self, light: float) -> tuple[Float64, Float64]:
        """Outlines ``(N, L, 12, 2)`` of all limbs, and of their lit inner part."""
        start, end = self.pixels[:, _START], self.pixels[:, _END]
        first, last = self.width[:, None] * _START_RADIUS, self.width[:, None] * _END_RADIUS
        shift = np.stack([light * 0.25 * first, np.zeros_like(first)], -1)
        outer = capsules(start, end, first, last)
        return outer, capsules(start + shift, end + shift, 0.68 * first, 0.68 * last)

    def from_back_to_front(self, size: tuple[int, int]) -> Int64:
        """Rows of the people who may touch an image of ``(height, width)``, the farthest first."""
        reach = 0.3 * self.height[:, None]
        low, high = self.pixels.min(1) - reach, self.pixels.max(1) + reach
        inside = (self.depth.min(1) > 1.2) & (high > 0).all(1) & (low < size[::-1]).all(1)
        chosen = np.flatnonzero(inside)
        return chosen[np.argsort(-self.depth[chosen, Joint.PELVIS], kind="stable")]


def look_at(
    camera: Camera, affine: Float64, joints: Float64, heading: Float64, figures: Figures, people: Int64
) -> View:
    """The view of N people.

    Args:
        camera: at rest.
        affine: from its resting view to this frame's.
        joints: ``(N, JOINTS, 3)`` in the world.
        heading: ``(N,)`` radians from +z towards +x.
        figures: the build of everybody.
        people: ``(N,)`` which of them.
    """
    pixels, depth = camera.project(joints)
    zoom = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    scale = zoom * camera.focal / depth[:, Joint.PELVIS]
    level = np.zeros(len(people))
    front = np.stack([np.sin(heading), level, np.cos(heading)], 1)
    back = camera.position - joints[:, Joint.PELVIS]
    back[:, 1] = 0
    back /= np.maximum(np.linalg.norm(back, axis=1), 1e-6)[:, None]
    right = np.stack([-back[:, 2], level, back[:, 0]], 1)
    right *= np.sign(right @ camera.rotation[0])[:, None]
    return View(
        pixels=transform(affine, pixels),
        depth=depth,
        scale=scale,
        width=figures.width[people] * scale,
        height=figures.height[people] * scale,
        facing=(front * back).sum(1),
        aside=(front * right).sum(1),
    )
