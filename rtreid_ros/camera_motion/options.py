"""What can be chosen about camera motion by commands and nodes."""

from __future__ import annotations

from dataclasses import dataclass

from rtreid_ros.options import option

METHODS = ("none", "sparse_flow", "ecc", "orb", "sift")
"""No camera motion, or an estimator of ``CAMERA_MOTIONS``."""


@dataclass(frozen=True, slots=True)
class CameraMotionOptions:
    """Options of the camera motion stage, whatever the method."""

    method: str = option(
        "auto",
        "how to tell the camera's motion from its images, so that tracks move along; auto: as the "
        "tracker's paper does; none: the camera stands still",
        choices=("auto", *METHODS),
    )
    longest_side: int = option(
        0,
        "images are reduced until no side is longer, pixels; 0 = the method's own default",
        ge=0,
        le=8192,
    )

    def chosen(self, of_tracker: str) -> str:
        """The method meant, one of `METHODS`; `of_tracker` is what the tracker's paper uses."""
        return of_tracker if self.method == "auto" else self.method
