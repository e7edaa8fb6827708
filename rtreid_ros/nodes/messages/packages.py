"""Message packages that not every ROS has; no ROS needed here."""

from __future__ import annotations

import os

from rtreid_ros.errors import MissingDependencyError

_BUILT_BY = {"tf2_msgs": "make build", "vision_msgs": "make build EXTRAS=dev"}


def how_to_get(package: str) -> str:
    """What to do where `package` is missing."""
    distribution = os.environ.get("ROS_DISTRO", "$ROS_DISTRO")
    return (
        f"sudo apt install ros-{distribution}-{package.replace('_', '-')}, "
        f"or {_BUILT_BY[package]} where ROS comes from the package index"
    )


def missing(package: str, wanted_by: str) -> MissingDependencyError:
    """The error to raise where `package` cannot be imported and `wanted_by` needs it."""
    return MissingDependencyError(f"{wanted_by} needs the message package {package}: {how_to_get(package)}")
