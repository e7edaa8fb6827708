"""Real nodes in real processes over real DDS, kept on this machine."""

import itertools
import os
import sys
import threading
import time
from contextlib import ExitStack, suppress

import pytest

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
_domains = itertools.count(os.getpid())


@pytest.fixture(scope="session")
def ros():
    """rclpy and our messages, or a reason why not."""
    rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed here")
    pytest.importorskip("rtreid_ros.msg", reason="our messages are not built: make build")
    return rclpy


@pytest.fixture
def domain_id():
    """A ROS domain of this test alone."""
    return 1 + next(_domains) % 100


@pytest.fixture
def graph(ros, domain_id, tmp_path):
    """Starts nodes as processes in this test's domain; they end with the test."""
    from rtreid_ros.nodes.graph import Graph

    with ExitStack() as stack:
        yield lambda *nodes: stack.enter_context(
            Graph(nodes, log_dir=tmp_path / "log", domain_id=domain_id, echo=sys.stderr)
        )


class Peer:
    """A node inside the test process that talks to the nodes under test."""

    def __init__(self, rclpy, domain_id):
        from rclpy.executors import SingleThreadedExecutor

        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self.node = rclpy.create_node("peer", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.thread = threading.Thread(target=self._spin, daemon=True)
        self.thread.start()

    def _spin(self):
        from rclpy.executors import ExternalShutdownException

        with suppress(ExternalShutdownException):
            self.executor.spin()

    def collect(self, kind, topic, qos=10):
        """A list that grows with what comes on a topic."""
        messages = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def publisher(self, kind, topic, qos=10, subscribers=1):
        """A publisher that has found its subscribers."""
        publisher = self.node.create_publisher(kind, topic, qos)
        until(lambda: publisher.get_subscription_count() >= subscribers, 15, f"subscribers of {topic}")
        return publisher

    def close(self):
        self.context.try_shutdown()
        self.thread.join(5)
        self.node.destroy_node()


@pytest.fixture
def peer(ros, domain_id):
    """A `Peer` in this test's domain."""
    made = Peer(ros, domain_id)
    yield made
    made.close()


def until(condition, timeout, what):
    """Wait until `condition()` is true; its value."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(0.02)
    return value
