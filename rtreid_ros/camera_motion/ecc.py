"""Camera motion from the images' brightness itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from rtreid_ros.camera_motion.base import ImageMotion, ImageMotionOptions
from rtreid_ros.options import option
from rtreid_ros.types import Float64, UInt8

_LEAST_CONTRAST = 1.0
"""Standard deviation of brightness, in grey levels, below which an image shows nothing."""


@dataclass(frozen=True, slots=True)
class EccOptions(ImageMotionOptions):
    """Options of the enhanced correlation coefficient."""

    longest_side: int = option(240, "images are reduced until no side is longer, pixels", ge=32, le=8192)
    iterations: int = option(50, "most iterations", ge=1, le=1000)
    epsilon: float = option(1e-4, "stop when an iteration raises the correlation by less", ge=1e-10, le=1)


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    grey: UInt8
    background: UInt8


class Ecc(ImageMotion[_View]):
    """The rotation and shift that make two images correlate most (Evangelidis and Psarakis 2008).

    As StrongSORT does (Du et al. 2022, section 3.3). It models no zoom.
    """

    Options: ClassVar[type[ImageMotionOptions]] = EccOptions
    options: EccOptions

    def _look(self, grey: UInt8, background: UInt8) -> _View:
        return _View(grey, background)

    def _between(self, previous: _View, current: _View) -> Float64 | None:
        background = cv2.bitwise_and(previous.background, current.background)
        for image in (previous.grey, current.grey):
            _, contrast = cv2.meanStdDev(image, mask=background)
            if contrast[0, 0] < _LEAST_CONTRAST:
                return None
        criteria = (
            cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT,
            self.options.iterations,
            self.options.epsilon,
        )
        _, affine = cv2.findTransformECC(
            previous.grey,
            current.grey,
            np.eye(2, 3, dtype=np.float32),
            cv2.MOTION_EUCLIDEAN,
            criteria,
            background,
            5,
        )
        return np.asarray(affine, np.float64)
