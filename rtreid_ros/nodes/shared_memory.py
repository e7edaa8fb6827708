"""Shared memory that killed processes have left behind; no ROS needed.

Fast DDS keeps what a process publishes in a file in ``/dev/shm``, for nodes that publish images 25 MB, and a
process that is killed leaves it there. A node that crashes and is started again every hour would fill the
memory of a robot in days. Each such file has another beside it that its owner keeps locked while it lives.
"""

from __future__ import annotations

import fcntl
import re
import time
from contextlib import suppress
from pathlib import Path

_SEGMENT = re.compile(r"fastdds_[0-9a-f]{16}")
_LOCK = "_el"
_YOUNG_S = 60.0
"""An owner locks its file a moment after making it."""


def free_leftovers(folder: Path = Path("/dev/shm")) -> int:  # noqa: S108 (where POSIX shared memory is)
    """Remove segments whose owner has died; how many bytes that gave back.

    Those who still read from one keep what they have mapped. What belongs to other users stays.
    """
    freed = 0
    with suppress(OSError):
        for segment in folder.iterdir():
            if _SEGMENT.fullmatch(segment.name):
                with suppress(OSError):  # locked, ended meanwhile, or not ours
                    freed += _free(segment)
    return freed


def _free(segment: Path) -> int:
    path = segment.with_name(f"{segment.name}{_LOCK}")
    with path.open("r+b") as lock:
        if time.time() - path.stat().st_mtime < _YOUNG_S:
            return 0
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        size = segment.stat().st_size
        segment.unlink()
        path.unlink()
        return size
