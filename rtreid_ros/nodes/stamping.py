"""Stamps that tell no time: missing ones, and those of another clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from rtreid_ros.nodes.messages.images import ImageView
from rtreid_ros.ordering import MissingStamps

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

_MISSING, _FOREIGN = "missing", "of another clock"
_EARLIEST_MS, _OLDEST_MS = -1e3, 3.6e6
"""An image that is further in the future, or older, was stamped by another clock."""


class Stamps:
    """What a node makes of the stamps that come; what is wrong is said once while it is active.

    Attributes:
        problem: ``missing``, ``of another clock``, or empty; as it was with the last image.
    """

    def __init__(self, node: BaseNode) -> None:
        self._node = node
        self._said: set[tuple[str, str]] = set()
        self.problem = ""

    def reader(
        self, view_of: Callable[[bytes], ImageView], topic: str, *, paired: bool
    ) -> Callable[[bytes], ImageView]:
        """`view_of`, which reads serialised images, for those of a topic that may have no stamps.

        Such images get the time of their receipt, unless that helps nobody: when lossless, or if they are
        `paired` with messages of the stamp that another node has given them.
        """
        missing = MissingStamps()
        name = self._node.resolve_topic_name(topic)
        so = "what was found in them cannot be told to be theirs" if paired else "each gets the time it came"

        def view(cdr: bytes) -> ImageView:
            image = view_of(cdr)
            if not missing.judge(image.stamp_ns) or self._node.lossless:
                self._solve(_MISSING)
                return image
            self._say(_MISSING, name, f"images on {name} have no stamps, {so}: have header.stamp filled in")
            return image if paired else replace(image, stamp_ns=self._now())

        return view

    def age_ms(self, stamp_ns: int) -> float | None:
        """Milliseconds since `stamp_ns` on the node's clock, which may be simulated.

        None where the stamp is missing (0), of another clock or, when lossless, media time.
        """
        if self._node.lossless or stamp_ns == 0:
            return None
        age = (self._now() - stamp_ns) / 1e6
        if _EARLIEST_MS <= age <= _OLDEST_MS:
            self._solve(_FOREIGN)
            return age
        if self.problem != _MISSING:
            apart = f"{abs(age) * 1e-3:.0f} s {'behind' if age > 0 else 'ahead of'} this node's"
            self._say(
                _FOREIGN,
                "",
                f"stamps are of another clock, {apart}, so no latency is told: camera and node need a common "
                "one; for bags use_sim_time: true and `ros2 bag play --clock`",
            )
        return None

    def _say(self, problem: str, topic: str, text: str) -> None:
        self.problem = problem
        if (problem, topic) not in self._said:
            self._said.add((problem, topic))
            self._node.get_logger().warning(text)

    def _solve(self, problem: str) -> None:
        if self.problem == problem:
            self.problem = ""

    def _now(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)
