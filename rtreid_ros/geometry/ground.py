"""The ground as seen from a camera: a plane, and a frame on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.options import option
from rtreid_ros.types import Float64

_BODY_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
"""Axes of a camera's body (x ahead, y left, z up) by those of its optical frame (REP 103)."""


@dataclass(frozen=True, slots=True)
class GroundOptions:
    """How the camera is mounted above the ground."""

    height: float = option(
        0.0,
        "height of the camera above the ground, metres; 0 = not known: no ground plane",
        ge=0,
        le=1000,
        live=True,
    )
    pitch: float = option(0.0, "how far the camera looks down, radians", ge=-1.6, le=1.6, live=True)
    roll: float = option(
        0.0,
        "how far it leans to its right, radians: the horizon rises to the right",
        ge=-3.2,
        le=3.2,
        live=True,
    )
    yaw: float = option(
        0.0, "its heading in the ground's frame, radians, left positive", ge=-6.4, le=6.4, live=True
    )
    x: float = option(0.0, "where it stands in the ground's frame, metres", live=True)
    y: float = option(0.0, "where it stands in the ground's frame, metres", live=True)
    tilt_error: float = option(
        0.005,
        "how well pitch and roll are known, radians (standard deviation)",
        ge=0,
        le=0.5,
        live=True,
    )
    frame: str = option(
        "",
        "name of the ground's frame, whose x, y plane is the ground, such as base_footprint; empty = a frame "
        "of our own under the camera, named <frame of the camera>_ground",
    )
    from_tf: bool = option(
        False,
        "the camera moves on the robot: take from /tf where it is in ground.frame at the time of each image, "
        "and height, pitch, roll, yaw, x and y from nowhere else; needs tf2_msgs",
    )


@dataclass(frozen=True, slots=True, eq=False)
class GroundPlane:
    """The rigid motion from a camera's optical frame to a frame whose plane z = 0 is the ground.

    Attributes:
        rotation: ``(3, 3)``.
        translation: ``(3,)`` metres: where the camera stands; the third is its height.
    """

    rotation: Float64
    translation: Float64

    @classmethod
    def from_options(cls, options: GroundOptions) -> GroundPlane | None:
        """The plane below a camera so mounted, None where its height is not known.

        Angles are fixed-axis roll, pitch, yaw of the camera's body (REP 103).
        """
        if options.height <= 0:
            return None
        cr, sr = np.cos(options.roll), np.sin(options.roll)
        cp, sp = np.cos(options.pitch), np.sin(options.pitch)
        cy, sy = np.cos(options.yaw), np.sin(options.yaw)
        about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
        about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        rotation = about_z @ about_y @ about_x @ _BODY_FROM_OPTICAL
        return cls(rotation, np.array([options.x, options.y, options.height]))

    @property
    def up(self) -> Float64:
        """``(3,)`` the plane's normal in the optical frame."""
        return np.asarray(self.rotation[2])

    @property
    def height(self) -> float:
        """Of the camera above the plane, metres."""
        return float(self.translation[2])

    def hit(self, rays: Float64) -> Float64:
        """Where directions ``(N, 3)`` meet the ground, in the optical frame; NaN at and above the horizon."""
        descent = -(rays @ self.up)
        with np.errstate(invalid="ignore", divide="ignore"):
            reach = np.where(descent > 0, self.height / descent, np.nan)
        return np.asarray(rays * reach[:, None])

    def drop(self, points: Float64) -> Float64:
        """The points of the ground below or above `points` ``(N, 3)``, in the optical frame."""
        return np.asarray(points - np.outer(points @ self.up + self.height, self.up))

    def to_ground(self, points: Float64) -> Float64:
        """Points ``(N, 3)`` of the optical frame in the ground's frame."""
        return np.asarray(points @ self.rotation.T + self.translation)

    def to_optical(self, points: Float64) -> Float64:
        """The inverse of `to_ground`."""
        return np.asarray((points - self.translation) @ self.rotation)
