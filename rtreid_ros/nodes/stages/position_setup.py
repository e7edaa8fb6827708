"""How positions are told, as parameters say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.geometry import GroundOptions, GroundPlane, PositionOptions, TransformTree
from rtreid_ros.types import Float64

_OPTICAL_UP = np.array([0.0, -1.0, 0.0])
"""What is up for a camera of which no more is known."""
_GROUND_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, slots=True)
class PositionSetup:
    """Replaced as a whole when parameters change, so that a worker never sees half a change.

    Attributes:
        how: from which method and how exactly.
        mount: of the camera above the ground.
        in_ground: whether positions are in the ground's frame.
        ground: the plane of a camera that does not move on the robot, where its height is known.
    """

    how: PositionOptions
    mount: GroundOptions
    in_ground: bool
    ground: GroundPlane | None

    @classmethod
    def of(cls, how: PositionOptions, mount: GroundOptions, frame: str) -> PositionSetup:
        """The setup for positions in `frame`, camera or ground.

        Raises:
            ConfigError: the ground is needed, but not known.
        """
        if mount.from_tf and not mount.frame:
            raise ConfigError("ground.from_tf needs ground.frame, such as base_footprint or map")
        ground = None if mount.from_tf else GroundPlane.from_options(mount)
        for name, value in (("position.method", how.method), ("frame", frame)):
            if value == "ground" and ground is None and not mount.from_tf:
                raise ConfigError(
                    f"{name}: ground needs ground.height, the camera's height in metres, or ground.from_tf"
                )
        return cls(how, mount, frame == "ground", ground)

    def ground_at(self, camera: str, stamp_ns: int, transforms: TransformTree) -> GroundPlane | None:
        """The ground below the frame `camera` at a time; None where it is not known at all.

        Raises:
            InputError: TF does not tell, or the camera is below the ground.
        """
        if not self.mount.from_tf:
            return self.ground
        pose = transforms.find(self.mount.frame, camera, stamp_ns)
        if pose.translation[2] <= 0:
            raise InputError(
                f"TF puts {camera!r} {-pose.translation[2]:.2f} m below the plane of {self.mount.frame!r}"
            )
        return GroundPlane(pose.rotation, pose.translation)

    def frame(self, camera: str) -> str:
        """Name of the frame of positions for images of the frame `camera`."""
        return (self.mount.frame or f"{camera}_ground") if self.in_ground else camera

    def place(self, points: Float64, ground: GroundPlane | None) -> Float64:
        """Points ``(N, 3)`` of the optical frame in that of positions; NaN where that is not known."""
        if not self.in_ground:
            return points
        return np.full_like(points, np.nan) if ground is None else ground.to_ground(points)

    def up(self, ground: GroundPlane | None) -> Float64:
        """The vertical in the frame of positions."""
        if self.in_ground:
            return _GROUND_UP
        return _OPTICAL_UP if ground is None else ground.up
