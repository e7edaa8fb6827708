"""How the camera moved: estimated from images, read from a file, or known from the robot's motion.

* `base`: the interface, and what estimators that look at images share;
* `sparse_flow`, `ecc`, `features`: those estimators, a method each;
* `options`: which of them a command or node uses;
* `stored`: motions computed before, from ``gmc.txt``;
* `ego`: from poses of the camera (odometry, TF) and its calibration.
"""

from __future__ import annotations

from typing import Any

from rtreid_ros.camera_motion.base import CameraMotion, ImageMotion
from rtreid_ros.camera_motion.ecc import Ecc
from rtreid_ros.camera_motion.features import Orb, Sift
from rtreid_ros.camera_motion.options import CameraMotionOptions
from rtreid_ros.camera_motion.sparse_flow import SparseFlow
from rtreid_ros.options import build
from rtreid_ros.registry import Registry

CAMERA_MOTIONS: Registry[type[ImageMotion[Any]]] = Registry("camera motion method")
CAMERA_MOTIONS.register("sparse_flow", SparseFlow)
CAMERA_MOTIONS.register("ecc", Ecc)
CAMERA_MOTIONS.register("orb", Orb)
CAMERA_MOTIONS.register("sift", Sift)

__all__ = [
    "CAMERA_MOTIONS",
    "CameraMotion",
    "CameraMotionOptions",
    "camera_motion_from",
    "create_camera_motion",
]


def create_camera_motion(name: str, **options: Any) -> CameraMotion:
    """A new estimator of camera motion.

    Args:
        name: one of ``CAMERA_MOTIONS``.
        options: fields of ``CAMERA_MOTIONS[name].Options``.

    Raises:
        ConfigError: an unknown method or option, or a value out of range.
    """
    method = CAMERA_MOTIONS[name]
    return method(build(method.Options, options))


def camera_motion_from(options: CameraMotionOptions, of_tracker: str) -> CameraMotion | None:
    """The estimator that `options` choose; ``auto`` means `of_tracker`. None for ``none``."""
    chosen = options.chosen(of_tracker)
    if chosen == "none":
        return None
    given = {"longest_side": options.longest_side} if options.longest_side else {}
    return create_camera_motion(chosen, **given)
