"""One publisher of a node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.duration import Duration
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile


class Output:
    """Where a node's messages of one topic go: to the middleware, and to listeners in the same process.

    Attributes:
        listeners: called with every message, serialised or not, in the thread that publishes it.
    """

    def __init__(self, publisher: Publisher[Any]) -> None:
        self._publisher = publisher
        self.listeners: list[Callable[[Any], None]] = []

    @property
    def topic_name(self) -> str:
        """Fully qualified name of the topic."""
        name: str = self._publisher.topic_name
        return name

    @property
    def qos_profile(self) -> QoSProfile:
        """Profile after overrides."""
        return self._publisher.qos_profile

    def publish(self, message: Any) -> None:
        """Send a message, or the bytes of a serialised one."""
        for listener in self.listeners:
            listener(message)
        self._publisher.publish(message)

    def get_subscription_count(self) -> int:
        """How many take what is published; 0: nobody would notice if it were not made."""
        return int(self._publisher.get_subscription_count()) + len(self.listeners)

    def wait_for_all_acked(self, timeout: Duration) -> bool:
        """Wait until every reliable subscription has got everything; False after `timeout`."""
        return bool(self._publisher.wait_for_all_acked(timeout))
