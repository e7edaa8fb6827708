"""Processes that must not stay: those that hang, have lost a thread, or have lost who started them."""

from __future__ import annotations

import ctypes
import faulthandler
import logging
import os
import signal
import sys
import threading
import traceback
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

FLUSH_S = 90.0
"""Longer than any node may take to write its files."""
LEAVE_S = 8.0
"""For what comes after: the middleware's farewell. Less than `Graph.stop` waits."""


STARTED_BY = "RTREID_STARTED_BY"
"""Environment variable: process id of whoever watches this node, and does not want it to outlive him."""
_PR_SET_PDEATHSIG = 1


def end_with_whoever_started_it() -> None:
    """Interrupt this process when the one named by ``RTREID_STARTED_BY`` dies, even if that was killed."""
    starter = os.environ.get(STARTED_BY, "")
    if not starter.isdecimal() or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != int(starter):  # it has died before we could say so
        os.kill(os.getpid(), signal.SIGINT)


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


def leave(code: int) -> NoReturn:
    """End the process, whose node has left the graph and written its files, with an exit code.

    The exit handlers of libraries (middleware, inference, codecs) have nothing left to do. One that hangs
    would keep the process, and nobody would see it: the interpreter's watch ends before they begin.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def end_with_any_thread(node: BaseNode) -> None:
    """End the process, with exit code 1, when one of its threads dies of an exception.

    Without that thread the node would be silent for ever; ended, it can be started anew.
    """

    def died(how: threading.ExceptHookArgs) -> None:
        text = "".join(traceback.format_exception(how.exc_type, how.exc_value, how.exc_traceback)).rstrip()
        name = how.thread.name if how.thread is not None else "?"
        node.get_logger().error(f"thread {name} died, so the node ends: {text}")
        node.exit_code = 1
        node.finish()

    threading.excepthook = died
