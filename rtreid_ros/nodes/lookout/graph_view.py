"""The graph as seen from outside, by a node that joins it for some seconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rtreid_ros.nodes.lookout.connections import GraphFacts
from rtreid_ros.nodes.lookout.graph_facts import GraphReader
from rtreid_ros.nodes.options import NODES

_NAME = "_rtreid_doctor"
"""Hidden, so that nobody takes it for a part of the graph."""
_ASK_S = 0.25


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """What a node of ours says of itself in ``/diagnostics``.

    Attributes:
        node: fully qualified name.
        kind: name of its executable.
        level: 0 ok, 1 warning, 2 error, 3 stale, as in diagnostic_msgs/DiagnosticStatus.
        message: in a line, what is the matter.
        values: all the rest.
    """

    node: str
    kind: str
    level: int
    message: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GraphView:
    """Everything seen.

    Attributes:
        facts: nodes, topics, states.
        statuses: the latest of each node of ours, by its name.
        middleware: identifier of the implementation.
        seconds: how long was looked.
    """

    facts: GraphFacts
    statuses: Mapping[str, NodeStatus]
    middleware: str
    seconds: float


def look(seconds: float) -> GraphView:
    """Join the graph of our environment's domain, listen, and leave."""
    context = Context()
    rclpy.init(context=context, args=[])
    node = rclpy.create_node(_NAME, context=context, enable_rosout=False, start_parameter_services=False)
    try:
        return _look(node, seconds)
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)


def _look(node: Node, seconds: float) -> GraphView:
    statuses: dict[str, NodeStatus] = {}

    def take(message: DiagnosticArray) -> None:
        for item in message.status:
            status = _status(item)
            if status is not None:
                statuses[status.node] = status

    node.create_subscription(DiagnosticArray, "/diagnostics", take, 100)
    reader = GraphReader(node)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    end = time.monotonic() + seconds
    asked = 0.0
    while (now := time.monotonic()) < end:
        executor.spin_once(timeout_sec=min(_ASK_S, end - now))
        if now - asked > _ASK_S:
            asked = now
            reader.ask_states()
    facts = reader.read()
    reader.close()
    executor.shutdown()
    return GraphView(
        facts, dict(sorted(statuses.items())), rclpy.get_rmw_implementation_identifier(), seconds
    )


def _status(item: DiagnosticStatus) -> NodeStatus | None:
    """The status of a node of ours; they are all named ``<node>: <executable>``."""
    name, _, kind = item.name.rpartition(": ")
    if kind not in NODES or not name.startswith("/"):
        return None
    level = item.level if isinstance(item.level, int) else int.from_bytes(item.level, "little")
    return NodeStatus(name, kind, level, item.message, {pair.key: pair.value for pair in item.values})
