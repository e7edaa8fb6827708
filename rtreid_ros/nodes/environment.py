"""Where our configuration lies and which environment our processes run in; no ROS needed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import rtreid_ros
from rtreid_ros.installed import shared_folders

PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""The variables through which Fast DDS takes a profile; the second is its older name."""


def config_file(name: str) -> Path | None:
    """A file of our ``config/`` folder: in a source checkout or below ``share/rtreid_ros``."""
    folders = shared_folders("config")
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def fastdds_profile(environment: Mapping[str, str]) -> dict[str, str]:
    """What to add to `environment` so that a process can publish images through shared memory.

    The stock settings of Fast DDS lose most images. A subscriber uses its publisher's memory and
    needs none of its own, which would be reserved in full. Empty where the user has chosen a
    profile or transports already; other middlewares ignore the variable.
    """
    if any(environment.get(name) for name in (*PROFILE_VARIABLES, "FASTDDS_BUILTIN_TRANSPORTS")):
        return {}
    profile = config_file("fastdds_shm.xml")
    return {PROFILE_VARIABLES[0]: str(profile)} if profile else {}


def process_environment(
    base: Mapping[str, str] | None = None, *, domain_id: int | None = None, localhost: bool = True
) -> dict[str, str]:
    """The environment for a node process.

    Args:
        base: what to start from; None = our own environment.
        domain_id: ``ROS_DOMAIN_ID`` (0 to 101 are safe on Linux); None = as in `base`.
        localhost: keep discovery and traffic on this machine.
    """
    environment = dict(os.environ if base is None else base)
    if domain_id is not None:
        environment["ROS_DOMAIN_ID"] = str(domain_id)
    if localhost:
        environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        if environment.get("ROS_DISTRO") == "humble":  # where that is not known; later it is deprecated
            environment["ROS_LOCALHOST_ONLY"] = "1"
    # the nodes must come from the same tree as we do
    root = str(Path(rtreid_ros.__file__).parents[1])
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path and path != root]
    environment["PYTHONPATH"] = os.pathsep.join([root, *paths])
    environment["PYTHONUNBUFFERED"] = "1"
    return environment
