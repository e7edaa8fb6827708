"""Real nodes in real processes over real DDS, kept on this machine."""

import fcntl
import importlib
import itertools
import os
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from support.models import constant_detector, mean_color_embedder
from support.waiting import until

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
# each worker has domains of its own: the middleware counts whom a test has killed for seconds after it
_domains = itertools.count(os.getpid() * WORKERS + WORKER, WORKERS)


@pytest.fixture(scope="session")
def ros():
    """rclpy and our messages, or a reason why not."""
    rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed here")
    pytest.importorskip("rtreid_ros.msg", reason="our messages are not built: make build")
    return rclpy


@contextmanager
def free_domain():
    """A ROS domain that no other test uses, nor one of another run on this machine."""
    folder = Path(tempfile.gettempdir()) / "rtreid_ros-test-domains"
    folder.mkdir(exist_ok=True)
    for _ in range(100):
        domain = 1 + next(_domains) % 100
        with (folder / str(domain)).open("w") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield domain
            return
    pytest.fail("100 tests are running on this machine")


@pytest.fixture
def domain_id():
    """The ROS domain of this test."""
    with free_domain() as domain:
        yield domain


@pytest.fixture
def other_domain_id():
    """For a second graph that must not hear the first."""
    with free_domain() as domain:
        yield domain


@pytest.fixture
def graph(ros, domain_id, tmp_path):
    """Starts nodes as processes in this test's domain; they end with the test."""
    from rtreid_ros.nodes.graph import Graph

    with ExitStack() as stack:
        yield lambda *nodes: stack.enter_context(
            Graph(nodes, log_dir=tmp_path / "log", domain_id=domain_id, echo=sys.stderr)
        )


@pytest.fixture
def stages():
    """Specs of the tracking stages, ``composed`` or ``distributed``, with the built-in models."""
    from rtreid_ros.nodes.graph import NodeSpec

    def make(shape, **parameters):
        own = {key: value for key, value in parameters.items() if "." not in key}
        tracker = {key: value for key, value in parameters.items() if key.startswith("tracker.")}
        motion = {key: value for key, value in parameters.items() if key.startswith("camera_motion.")}
        name = {key: value for key, value in tracker.items() if key == "tracker.name"}
        if shape == "composed":
            return [NodeSpec("tracking_node", parameters={**own, **motion, **tracker})]
        return [
            NodeSpec("detector_node", parameters={**own, **motion, **name}),
            NodeSpec("embedder_node", parameters={**own, **tracker}),
            NodeSpec("tracker_node", parameters={**own, **tracker}),
        ]

    return make


@pytest.fixture
def quick_models(tmp_path):
    """Models that take next to no time: one person at a fixed place, mean colours."""
    table = np.zeros((1, 5, 2100), np.float32)
    table[0, :, 0] = 160, 160, 40, 80, 0.9
    names = {"names": "{0: 'person'}", "task": "detect"}
    detector = constant_detector(tmp_path / "constant.onnx", table, metadata=names)
    embedder = mean_color_embedder(tmp_path / "mean.onnx")
    return {
        "detector": {"detector.model": str(detector)},
        "embedder": {"embedder.model": str(embedder), "embedder.preprocessing": "unit"},
    }


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

    def wait_for_publisher(self, topic):
        """Wait until somebody publishes on a topic."""
        until(lambda: self.node.count_publishers(topic) > 0, 20, f"a publisher of {topic}")

    def collect(self, kind, topic, qos=10):
        """A list that grows with what comes on a topic."""
        messages = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def publisher(self, kind, topic, qos=10, subscribers=1):
        """A publisher that has found its subscribers."""
        publisher = self.node.create_publisher(kind, topic, qos)
        until(lambda: publisher.get_subscription_count() >= subscribers, 20, f"subscribers of {topic}")
        return publisher

    def diagnostics(self):
        """A function that gives the latest values a node has published, by executable."""
        from diagnostic_msgs.msg import DiagnosticArray

        messages = self.collect(DiagnosticArray, "/diagnostics", 100)

        def latest(kind):
            for message in reversed(messages):
                for status in message.status:
                    if status.name.endswith(f": {kind}"):
                        values = {pair.key: pair.value for pair in status.values}
                        return {
                            **values,
                            "message": status.message,
                            "level": status.level,
                            "name": status.name,
                        }
            return {}

        return latest

    def close(self):
        self.context.try_shutdown()
        self.thread.join(5)
        self.node.destroy_node()


@pytest.fixture
def make_node(ros, domain_id):
    """Makes nodes in this process, of a kind as ``tracker_node``, with parameters by dotted name.

    Dots are written ``__`` in keywords. The nodes end with the test.
    """
    from rclpy.parameter import Parameter

    context = ros.Context()
    ros.init(context=context, domain_id=domain_id)
    made = []

    def make(kind, parameters=None, **more):
        given = {**(parameters or {}), **{name.replace("__", "."): value for name, value in more.items()}}
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        module = importlib.import_module(f"rtreid_ros.nodes.{kind}")
        node_class = getattr(module, kind.title().replace("_", ""))
        made.append(node_class(context=context, parameter_overrides=overrides))
        return made[-1]

    yield make
    for node in made:
        node.close()
        node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def peer(ros, domain_id):
    """A `Peer` in this test's domain."""
    made = Peer(ros, domain_id)
    yield made
    made.close()
