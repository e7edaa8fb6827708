"""A process that hangs says where, and does not hang for ever; no ROS needed."""

from __future__ import annotations

import faulthandler
import signal

FLUSH_S = 90.0
"""Longer than any node may take to write its files."""
LEAVE_S = 15.0
"""For what comes after: the middleware's farewell."""


def explain_crashes() -> None:
    """Print the Python stack of every thread on a fatal signal, and whenever SIGUSR1 comes.

    Both work while the interpreter is stuck in a library.
    """
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)


def must_end_within(seconds: float) -> None:
    """Unless the process ends in time, print the stack of every thread and end it with exit code 1.

    Called again, the new limit counts. A thread of the interpreter's C code watches it: a library that
    never gives back the interpreter's lock cannot hold it up.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
