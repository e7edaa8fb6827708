"""The tracking stage of a node: its parameters, its tracker, the order of stamps."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import TYPE_CHECKING

from std_msgs.msg import Float64

from rtreid_ros.nodes import qos
from rtreid_ros.nodes.options import TrackerNodeOptions
from rtreid_ros.ordering import Order, StampOrder
from rtreid_ros.tracking import TRACKERS, Tracker, create_tracker

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

_DEFAULT_RATE = 30.0
_RATE_WAIT_S = 1.0
_LOSSLESS_RATE_WAIT_S = 10.0


class TrackerStage:
    """Makes the tracker that a node's ``tracker.*`` parameters ask for.

    Unless ``tracker.frame_rate`` says it, the nominal frame rate is what a source_node announces
    on ``source_rate``, and 30 where there is none; so it is settled by the first frame.

    Raises:
        ConfigError: an unknown tracker or a wrong parameter.
    """

    def __init__(self, node: BaseNode) -> None:
        self._node = node
        self.options = node.declare_options("tracker", TrackerNodeOptions)
        self._tracker_options = asdict(node.declare_options("tracker", TRACKERS[self.options.name].Options))
        self.tracker: Tracker = self._create(self.options.frame_rate or _DEFAULT_RATE)
        self._order = StampOrder()
        self._announced = threading.Event()
        self._rate = 0.0
        self._settled = self.options.frame_rate > 0

    def activate(self) -> None:
        """Listen for the source's frame rate."""
        if not self._settled:
            self._topic = self._node.resolve_topic_name("source_rate")
            self._node.subscribe_to(Float64, "source_rate", self._receive, qos.latched_qos(), counted=False)

    def accept(self, stamp_ns: int) -> bool:
        """Whether the frame of this stamp is to be tracked; a late one is counted and logged.

        To be called in the worker thread before each update: the first call settles the tracker.
        """
        if not self._settled:
            self._settle()
        if self._order.judge(stamp_ns) is Order.LATE:
            self._node.statistics.count("rejected")
            self._node.warn(
                "late", f"the frame of stamp {stamp_ns * 1e-9:.3f} s came after later ones: skipped"
            )
            return False
        return True

    def diagnostics(self) -> dict[str, str]:
        """What ``/diagnostics`` shows of it."""
        return {
            "tracker": self.options.name,
            "tracker.frame_rate": f"{self.tracker.frame_rate:g}",
            "tracker.resets": str(self.tracker.resets),
        }

    def _create(self, frame_rate: float) -> Tracker:
        return create_tracker(self.options.name, frame_rate, **self._tracker_options)

    def _receive(self, message: Float64) -> None:
        if self._settled and message.data != self.tracker.frame_rate:
            rates = f"{message.data:g} frames per second, the tracker is set to {self.tracker.frame_rate:g}"
            self._node.warn("rate", f"the source now has {rates}: restart this node to follow")
        self._rate = message.data
        self._announced.set()

    def _settle(self) -> None:
        self._settled = True
        if self._node.lossless:
            self._announced.wait(_LOSSLESS_RATE_WAIT_S)
        elif self._node.count_publishers(self._topic):
            self._announced.wait(_RATE_WAIT_S)
        if self._rate > 0:
            self.tracker = self._create(self._rate)
        self._node.get_logger().info(
            f"tracker: {self.options.name}, {self.tracker.frame_rate:g} frames per second"
        )
