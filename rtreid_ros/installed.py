"""Where files that are no Python, such as ``config/`` and ``msg/``, lie once installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import rtreid_ros


def shared_folders(name: str) -> list[Path]:
    """Where our folder `name` can be: in a source checkout, or below a prefix's ``share/rtreid_ros``."""
    prefixes = [sys.prefix, *os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)]
    folders = [Path(rtreid_ros.__file__).resolve().parents[1] / name]
    return folders + [Path(prefix) / "share" / "rtreid_ros" / name for prefix in prefixes if prefix]
