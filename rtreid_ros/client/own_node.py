"""A node in a context and a thread of its own, beside whatever the program does with ROS."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence
from contextlib import suppress

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from rtreid_ros.errors import ConfigError

_numbers = itertools.count(1)


class OwnNode:
    """Spins from its making to `close`.

    Args:
        args: command line with ``--ros-args``, such as `sys.argv`.
        domain_id: ``ROS_DOMAIN_ID``; None = that of the environment.

    Raises:
        ConfigError: ROS does not understand the command line.

    Attributes:
        node: named after the process, so that several programs do not share a name.
    """

    def __init__(self, args: Sequence[str] | None, domain_id: int | None) -> None:
        self._context = rclpy.Context()
        # without arguments of its own it takes none, whatever sys.argv may hold for others
        try:
            rclpy.init(args=list(args or ()), context=self._context, domain_id=domain_id)
        except Exception as error:  # rclpy's own errors for arguments have no common base
            raise ConfigError(f"cannot start ROS: {str(error).splitlines()[0]}") from None
        self.node = Node(f"track_client_{os.getpid()}_{next(_numbers)}", context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, name="track_client", daemon=True)
        self._thread.start()

    def runs_this_thread(self) -> bool:
        """Whether the caller is one of the node's callbacks."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """End the thread and the node; from a callback, without waiting for the thread."""
        self._context.try_shutdown()
        if not self.runs_this_thread():
            self._thread.join(5)
            self.node.destroy_node()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()
