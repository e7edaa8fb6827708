"""Light over time and what it does: shadows on the ground, exposure, sensor noise."""

from __future__ import annotations

import cv2
import numpy as np

from rtreid_ros.affine import transform
from rtreid_ros.datasets.synthetic.body import Joint
from rtreid_ros.datasets.synthetic.camera import Camera
from rtreid_ros.datasets.synthetic.options import SceneOptions
from rtreid_ros.datasets.synthetic.random import drift, stream
from rtreid_ros.datasets.synthetic.shapes import CIRCLE, capsules
from rtreid_ros.types import Float64, UInt8

_CASTING = (
    (Joint.PELVIS, Joint.NECK, 0.1),
    (Joint.NECK, Joint.HEAD, 0.06),
    (Joint.HIP_L, Joint.KNEE_L, 0.05),
    (Joint.HIP_R, Joint.KNEE_R, 0.05),
    (Joint.KNEE_L, Joint.ANKLE_L, 0.05),
    (Joint.KNEE_R, Joint.ANKLE_R, 0.05),
    (Joint.SHOULDER_L, Joint.HAND_L, 0.05),
    (Joint.SHOULDER_R, Joint.HAND_R, 0.05),
)
"""What casts a shadow: two joints and a radius in body widths."""
_AMBIENT, _SUN = 62, 118
"""How much light, of 255, a body takes from the ground around its feet and in its full shadow."""


def sun_direction(seed: int) -> Float64:
    """Unit vector from the street towards the sun."""
    rng = stream(seed, "sun")
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.65, 1.1)
    return np.array(
        [np.cos(elevation) * np.cos(azimuth), np.sin(elevation), np.cos(elevation) * np.sin(azimuth)]
    )


def light_side(seed: int, camera: Camera) -> float:
    """+1 where the sun stands to the camera's right, -1 to its left."""
    return float(np.sign(sun_direction(seed) @ camera.rotation[0]) or 1.0)


class Daylight:
    """Clouds, colour and noise of one scene as one camera takes them.

    Args:
        options: the scene's.
    """

    def __init__(self, options: SceneOptions) -> None:
        self._options = options
        seconds = np.arange(options.frames) / options.frame_rate
        rng = stream(options.seed, "light")
        self._sunshine = np.clip(0.75 + 0.6 * options.light * drift(rng, seconds, 11.0), 0.15, 1)
        self._brightness = 1 + 0.22 * options.light * (drift(rng, seconds, 14.0) + self._sunshine - 0.75)
        self._warmth = 0.06 * options.light * drift(rng, seconds, 23.0)
        self._sun = sun_direction(options.seed)
        self._grain = self._make_grain()

    def _make_grain(self) -> tuple[UInt8, UInt8] | None:
        """Sensor noise above and below zero, larger than the image so that frames cut different pieces."""
        options = self._options
        if not options.noise:
            return None
        rng = stream(options.seed, "grain", options.camera)
        grain = rng.standard_normal((options.height + 61, options.width + 67, 3), np.float32)
        rounded = np.clip(np.round(grain * np.float32(options.noise)), -127, 127)
        return np.maximum(rounded, 0).astype(np.uint8), np.maximum(-rounded, 0).astype(np.uint8)

    def cast_shadows(
        self, image: UInt8, index: int, camera: Camera, affine: Float64, joints: Float64, width: Float64
    ) -> None:
        """Darken the ground: the sun's shadows, as strong as it shines, and the sky's around the feet.

        Args:
            image: ``(H, W, 3)``, changed in place.
            index: of the frame.
            camera: at rest.
            affine: from its resting view to this frame's.
            joints: ``(N, JOINTS, 3)`` in the world.
            width: ``(N,)`` body widths in pixels.
        """
        rows, columns = image.shape[:2]
        horizon = camera.horizon(affine)
        if not len(joints) or horizon >= rows:
            return

        def halved(points: Float64) -> Float64:
            return (transform(affine, camera.project(points)[0]) - (0, horizon)) / 2

        # half the size: what follows is blurred anyway
        dark = np.zeros(((rows - horizon + 1) // 2, (columns + 1) // 2), np.uint8)
        pixels = halved(joints - joints[..., 1:2] * (self._sun / self._sun[1]))
        feet = joints[:, Joint.ANKLE_L : Joint.ANKLE_R + 1].mean(1) * (1, 0, 1)
        rings = halved(
            feet[:, None] + np.stack([0.3 * CIRCLE[:, 0], 0 * CIRCLE[:, 0], 0.3 * CIRCLE[:, 1]], -1)
        )
        limbs = [
            capsules(pixels[:, start], pixels[:, end], radius * width / 2, 0.4 * radius * width)
            for start, end, radius in _CASTING
        ]
        outlines = np.round(16 * np.clip(np.stack(limbs, 1), -4000, 8000)).astype(np.int32)
        strength = int(_SUN * self._sunshine[index])
        for ring, person in zip(np.round(16 * rings).astype(np.int32), outlines, strict=True):
            cv2.fillConvexPoly(dark, ring, _AMBIENT, cv2.LINE_8, 4)
            for outline in person:
                cv2.fillConvexPoly(dark, outline, strength, cv2.LINE_8, 4)
        soft = cv2.resize(cv2.blur(dark, (5, 5)), (columns, rows - horizon), interpolation=cv2.INTER_LINEAR)
        ground = image[horizon:]
        cv2.multiply(
            ground, cv2.cvtColor(cv2.bitwise_not(soft), cv2.COLOR_GRAY2BGR), dst=ground, scale=1 / 255
        )

    def expose(self, image: UInt8, index: int) -> None:
        """Light and sensor, in place: one gain per channel, then noise."""
        options = self._options
        warmth, bright = self._warmth[index], self._brightness[index]
        if options.light:
            gains = np.array([bright * (1 - warmth), bright, bright * (1 + warmth), 0.0])
            cv2.multiply(image, gains, dst=image)
        if self._grain is not None:
            rng = stream(options.seed, "grain-offset", options.camera, index)
            y, x = int(rng.integers(61)), int(rng.integers(67))
            above, below = (part[y : y + options.height, x : x + options.width] for part in self._grain)
            cv2.add(image, above, dst=image)
            cv2.subtract(image, below, dst=image)
