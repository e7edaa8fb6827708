"""What ``rtreid doctor`` looks at: one module per part of the system, each a list of checks."""

from __future__ import annotations

from rtreid_ros.cli.checks.base import Check
from rtreid_ros.cli.checks.core import core_checks, extra_checks
from rtreid_ros.cli.checks.inference import model_checks, provider_checks
from rtreid_ros.cli.checks.media import media_checks
from rtreid_ros.cli.checks.ros import ros_checks

__all__ = ["Check", "all_checks"]


def all_checks() -> dict[str, list[Check]]:
    """Every check by the title of its group."""
    return {
        "Core": core_checks(),
        "Inference": provider_checks(),
        "Models": model_checks(),
        "Video": media_checks(),
        "ROS 2": ros_checks(),
        "Extras": extra_checks(),
    }
