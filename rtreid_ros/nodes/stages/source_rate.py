"""The frame rate a source_node announces."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from std_msgs.msg import Float64

from rtreid_ros.nodes import qos

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

DEFAULT_RATE = 30.0
_WAIT_S = 1.0
_LOSSLESS_WAIT_S = 10.0
_LOOK_S = 0.01


class SourceRate:
    """Listens to ``source_rate``; must be made before images are subscribed to.

    Args:
        node: listens.
        topic: relative.
        settled: the frame rate that is settled already, so that another one is only worth a warning.
    """

    def __init__(self, node: BaseNode, topic: str = "source_rate", settled: float | None = None) -> None:
        self._node = node
        self._topic = node.resolve_topic_name(topic)
        self._announced = threading.Event()
        self._rate = 0.0
        self._asked: float | None = None
        self._told = settled
        node.subscribe_to(Float64, topic, self._receive, qos.latched_qos(), counted=False)

    def is_settled(self) -> bool:
        """Whether `settle` will not wait: the rate is there, or has been waited for since the first call.

        For worker threads, from the first frame on: the announcement may still be on its way.
        """
        if self._announced.is_set():
            return True
        now = time.monotonic()
        if self._asked is None:
            self._asked = now
        if not self._node.lossless and not self._node.count_publishers(self._topic):
            return True
        return now - self._asked > (_LOSSLESS_WAIT_S if self._node.lossless else _WAIT_S)

    def settle(self) -> float:
        """Frames per second from now on: the announced ones, or 30 where there is no source_node."""
        while not self.is_settled():
            self._announced.wait(_LOOK_S)
        self._told = self._rate if self._rate > 0 else DEFAULT_RATE
        return self._told

    def _receive(self, message: Float64) -> None:
        if self._told is not None and message.data != self._told:
            rates = f"{message.data:g} frames per second, this node works with {self._told:g}"
            self._node.warn("rate", f"the source now has {rates}: clean it up and configure it to follow")
        self._rate = message.data
        self._announced.set()
