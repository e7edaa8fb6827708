"""Start and end of a node's process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes.ending import (
    FLUSH_S,
    LEAVE_S,
    end_with_any_thread,
    end_with_whoever_started_it,
    explain_crashes,
    leave,
    must_end_within,
)
from rtreid_ros.nodes.environment import fastdds_profile
from rtreid_ros.nodes.interfaces import INTERFACES
from rtreid_ros.nodes.options import NODES
from rtreid_ros.nodes.shared_memory import free_leftovers
from rtreid_ros.tracking import DEFAULT_TRACKER, TRACKERS

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

_SWITCH_INTERVAL_S = 0.0005
"""A callback must not wait the usual 5 ms for a worker that runs Python code."""


def run(create: Callable[[], BaseNode], kind: str) -> int:
    """Run one node until it is interrupted or finishes, which ends the process.

    It returns, with an exit code, only where there is no node to run. Errors a user can mend
    (parameters, models, files) end it with one line and exit code 1; SIGINT and SIGTERM end it
    cleanly with 0, or at once with 128 + signal while it still starts.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(help_text(kind, _tracker_named_in(sys.argv)))
        return 0
    if NODES[kind].publishes_images:
        os.environ.update(fastdds_profile(os.environ))
        free_leftovers()
    explain_crashes()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    interrupts = _Interrupts()
    end_with_whoever_started_it()
    try:
        rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy's own errors for arguments have no common base
        return _say(kind, f"cannot start ROS: {str(error).splitlines()[0]}")
    try:
        code = _live(create, interrupts)
    except RtreidError as error:
        code = _say(kind, str(error))
    finally:
        rclpy.try_shutdown()
    return leave(code)


def _live(create: Callable[[], BaseNode], interrupts: _Interrupts) -> int:
    node = create()
    end_with_any_thread(node)
    try:
        if not node.start():
            return 1  # the reason is in its log
        interrupts.call = node.finish
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not node.ended:
            executor.spin_once()
        executor.shutdown()
    finally:
        interrupts.call = None  # files are being flushed: nothing may cut that short
        must_end_within(FLUSH_S)
        node.close()
        must_end_within(LEAVE_S)
        node.destroy_node()
    return node.exit_code


class _Interrupts:
    """SIGINT and SIGTERM, handled in a thread of their own.

    Python runs signal handlers in the main thread only, which waits in the middleware or loads a
    model; rclpy's own handlers end the context, after which nothing can be published or logged.
    """

    def __init__(self) -> None:
        self.call: Callable[[], None] | None = None
        """What an interrupt does; None = ignored."""
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self.call = self._exit
        self._number = 0
        threading.Thread(target=self._listen, args=(read_end,), name="interrupts", daemon=True).start()

    def _listen(self, read_end: int) -> None:
        while data := os.read(read_end, 1):
            self._number = data[0]
            if self.call is not None:
                self.call()

    def _exit(self) -> None:
        os._exit(128 + self._number)  # while starting: no file is written yet


def _say(kind: str, text: str) -> int:
    sys.stderr.write(f"{kind}: error: {' '.join(text.split())}\n")
    return 1


def _tracker_named_in(arguments: list[str]) -> str:
    """The last tracker that ``-p tracker.name:=...`` names, or the default one."""
    given = [text.partition(":=")[2].strip("'\"") for text in arguments if text.startswith("tracker.name:=")]
    return next((name for name in reversed(given) if name in TRACKERS), DEFAULT_TRACKER)


def help_text(kind: str, tracker: str = DEFAULT_TRACKER) -> str:
    """What ``--help`` prints: purpose, topics, services and parameters, with those of a tracker."""
    description, interface = NODES[kind], INTERFACES[kind]
    lines = [
        description.summary,
        "",
        f"usage: {kind} [--ros-args] [-p NAME:=VALUE ...] [--params-file YAML] [-r FROM:=TO ...]",
    ]
    each = ", of each camera in its namespace if `cameras` names some" if interface.cameras else ""
    for title, names in (
        (f"subscribes{each}:", interface.subscribes),
        (f"publishes{each}:", {**interface.publishes, "/diagnostics": "diagnostic_msgs/DiagnosticArray"}),
        ("services, beside those of every managed node:", interface.services),
    ):
        if names:
            lines += ["", title, *(f"  {name}  {text}" for name, text in names.items())]
    lines += ["", "parameters:"]
    if description.tracker is not None:
        others = ", ".join(name for name in sorted(TRACKERS) if name != tracker)
        lines += [
            f"  (tracker.* are those of {tracker}; of {others}:",
            f"   {kind} --ros-args -p tracker.name:=NAME --help, or config/trackers/NAME.yaml)",
        ]
    for name, item in description.options(tracker):
        default = list(item.default) if item.kind is tuple else item.default
        note = f" (one of: {', '.join(item.choices)})" if item.choices else ""
        live = " (live: can be changed at any time)" if item.live else ""
        lines += [f"  {name} [{default!r}]", f"      {item.help}{note}{live}"]
    return "\n".join(lines) + "\n"
