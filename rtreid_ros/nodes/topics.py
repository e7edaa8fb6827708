"""Topics: their names where there are several cameras, and where messages go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from rclpy.duration import Duration
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.validate_topic_name import validate_topic_name

from rtreid_ros.errors import ConfigError


def camera_topic(camera: str, topic: str) -> str:
    """Relative name of a topic of one of several cameras; of the only one if `camera` is empty."""
    return f"{camera}/{topic}" if camera else topic


def check_cameras(node: Node, cameras: Iterable[str], topic: str, what: str) -> None:
    """Nothing if each camera has a topic of its own that it takes its images or tracks (`what`) from.

    Raises:
        ConfigError: a camera of which no topic can be made, or several that mean the same.
    """
    resolved: list[str] = []
    for camera in cameras:
        try:
            validate_topic_name(camera_topic(camera, topic))
        except InvalidTopicNameException as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"parameter cameras: {camera!r} makes no topic name: {reason}") from None
        resolved.append(node.resolve_topic_name(camera_topic(camera, topic)))
    for name, count in Counter(resolved).items():
        if count > 1:
            raise ConfigError(f"parameter cameras: {count} of them take their {what} from {name}")


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
