"""The frame rate a source_node announces."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from std_msgs.msg import Float64

from rtreid_ros.nodes import qos

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

DEFAULT_RATE = 30.0
_WAIT_S = 1.0
_LOSSLESS_WAIT_S = 10.0


class SourceRate:
    """Listens to ``source_rate``; must be made before images are subscribed to."""

    def __init__(self, node: BaseNode) -> None:
        self._node = node
        self._topic = node.resolve_topic_name("source_rate")
        self._announced = threading.Event()
        self._rate = 0.0
        self._told: float | None = None
        node.subscribe_to(Float64, "source_rate", self._receive, qos.latched_qos(), counted=False)

    def settle(self) -> float:
        """Frames per second from now on: the announced ones, or 30 where there is no source_node.

        For worker threads, at the first frame: the announcement may still be on its way.
        """
        if self._node.lossless:
            self._announced.wait(_LOSSLESS_WAIT_S)
        elif self._node.count_publishers(self._topic):
            self._announced.wait(_WAIT_S)
        self._told = self._rate if self._rate > 0 else DEFAULT_RATE
        return self._told

    def _receive(self, message: Float64) -> None:
        if self._told is not None and message.data != self._told:
            rates = f"{message.data:g} frames per second, this node works with {self._told:g}"
            self._node.warn("rate", f"the source now has {rates}: restart it to follow")
        self._rate = message.data
        self._announced.set()
