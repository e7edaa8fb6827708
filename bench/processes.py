"""What processes take of the machine, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


def quiet_domain() -> int:
    """A ROS domain that robots, tests and demos do not use, so that nobody's messages come in between."""
    return 215 + os.getpid() % 17  # 215 to 231: their ports are free for us on Linux


@dataclass(frozen=True)
class Usage:
    """One look at a process.

    Attributes:
        private_mb: resident memory of its own, in megabytes: without files and shared memory, of which
            a middleware maps as much as others have sent.
        resident_mb: all resident memory.
        threads: how many it has.
        files: how many it holds open, sockets and pipes included.
        cpu_s: time it has spent on all cores since its start, seconds.
    """

    private_mb: float
    resident_mb: float
    threads: int
    files: int
    cpu_s: float


def usage(pid: int) -> Usage:
    """Look at a process.

    Raises:
        OSError: it has ended.
    """
    folder = Path(f"/proc/{pid}")
    lines = (folder / "status").read_text(encoding="ascii", errors="replace").splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}

    def megabytes(name: str) -> float:
        return int(status[name][0]) / 1024

    files = sum(1 for _ in (folder / "fd").iterdir())
    # the name, second, may hold spaces: what counts is after its bracket
    times = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    cpu = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    return Usage(megabytes("RssAnon"), megabytes("VmRSS"), int(status["Threads"][0]), files, cpu)
