"""Start and end of a node's process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes.environment import fastdds_profile
from rtreid_ros.nodes.options import NODES

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

_SWITCH_INTERVAL_S = 0.0005
"""A callback must not wait the usual 5 ms for a worker that runs Python code."""


def run(create: Callable[[], BaseNode], kind: str) -> int:
    """Run one node until it is interrupted or finishes; the process's exit code.

    Errors a user can mend (parameters, models, files) end it with one line and exit code 1,
    before or after spinning; SIGINT and SIGTERM end it cleanly with 0.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(help_text(kind))
        return 0
    os.environ.update(fastdds_profile(os.environ))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    try:
        rclpy.init(args=sys.argv)
    except Exception as error:  # rclpy's own errors for arguments have no common base
        return _say(kind, f"cannot start ROS: {str(error).splitlines()[0]}")
    try:
        return _live(create, kind)
    except RtreidError as error:
        return _say(kind, str(error))
    finally:
        rclpy.try_shutdown()


def _live(create: Callable[[], BaseNode], kind: str) -> int:
    node: BaseNode | None = None
    try:
        node = create()
        node.configure()
        node.activate()
        node.activated()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        # a callback under way when another thread ended the run finds its handles gone
        if rclpy.ok():
            raise
    finally:
        # files are being flushed: no further interrupt may cut that short
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if node is not None:
            node.close()
            exit_code = node.exit_code
            node.destroy_node()
    return exit_code if node is not None else 0


def _say(kind: str, text: str) -> int:
    sys.stderr.write(f"{kind}: error: {' '.join(text.split())}\n")
    return 1


def help_text(kind: str) -> str:
    """What ``--help`` prints: purpose and parameters."""
    description = NODES[kind]
    lines = [
        description.summary,
        "",
        f"usage: {kind} [--ros-args] [-p NAME:=VALUE ...] [--params-file YAML] [-r FROM:=TO ...]",
        "",
        "parameters:",
    ]
    for name, item in description.options():
        default = list(item.default) if item.kind is tuple else item.default
        note = f" (one of: {', '.join(item.choices)})" if item.choices else ""
        lines += [f"  {name} [{default!r}]", f"      {item.help}{note}"]
    return "\n".join(lines) + "\n"
