"""What a node can see of the graph, read through rclpy."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from lifecycle_msgs.srv import GetState
from rclpy.client import Client
from rclpy.node import Node

from rtreid_ros.nodes import qos
from rtreid_ros.nodes.lookout.connections import BUSY, GraphFacts
from rtreid_ros.nodes.lookout.remaps import COMPRESSED, RAW

_GET_STATE = "lifecycle_msgs/srv/GetState"
_ANSWER_S = 30.0
"""A managed node that has not told its state after this long is asked anew; loading a model takes less."""


class GraphReader:
    """Reads `GraphFacts`; for the executor's thread, which must be spinning for lifecycle states."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._asked: dict[str, tuple[Client[Any, Any], Any, float]] = {}
        self._states: dict[str, str] = {}

    def read(self, silent: Mapping[str, str] | None = None) -> GraphFacts:
        """The graph now: all of it, or what bears on the topics `silent` (with their types)."""
        kinds = dict(self._node.get_topic_names_and_types())
        topics = set(kinds)
        if silent is not None:
            wanted = {RAW, COMPRESSED, *silent.values()}
            bearing = {topic for topic in topics if any(_bears(kind, wanted) for kind in kinds[topic])}
            topics = bearing | set(silent)
        nodes = tuple(sorted(_full_names(self._node)))
        return GraphFacts(
            nodes=nodes,
            publishers={topic: qos.publishers_of(self._node, topic) for topic in sorted(topics)},
            subscribers={topic: qos.subscribers_of(self._node, topic) for topic in sorted(topics)},
            states={name: state for name, state in self._states.items() if name in nodes},
            place=place(self._node),
        )

    def ask_states(self) -> None:
        """Ask every managed node but our own for its state; answers show in later facts."""
        self._take_answers()
        services = {
            service.removesuffix("/get_state"): service
            for service, types in self._node.get_service_names_and_types()
            if _GET_STATE in types and service.endswith("/get_state")
        }
        services.pop(self._node.get_fully_qualified_name(), None)
        for name in self._states.keys() - services:
            del self._states[name]
        for name in services.keys() - self._asked:
            client = self._node.create_client(GetState, services[name])
            self._asked[name] = client, None, time.monotonic()

    def close(self) -> None:
        """Withdraw open questions."""
        for client, _, _ in self._asked.values():
            self._node.destroy_client(client)
        self._asked.clear()

    def _take_answers(self) -> None:
        for name, (client, future, asked) in list(self._asked.items()):
            if future is None and client.service_is_ready():
                self._asked[name] = client, client.call_async(GetState.Request()), asked
            elif future is not None and future.done():
                self._states[name] = future.result().current_state.label
                self._forget(name)
            elif future is not None:
                self._states[name] = BUSY
            if time.monotonic() - asked > _ANSWER_S:
                self._forget(name)

    def _forget(self, name: str) -> None:
        # here and not when the answer comes: the executor is using the client then
        if name in self._asked:
            self._node.destroy_client(self._asked.pop(name)[0])


def type_name(kind: type) -> str:
    """``sensor_msgs/msg/Image`` for the class of that message."""
    package, folder, _ = kind.__module__.split(".", 2)
    return f"{package}/{folder}/{kind.__name__}"


def place(node: Node) -> str:
    """Which graph `node` is in: domain and discovery range, in words."""
    text = f"ROS_DOMAIN_ID {node.context.get_domain_id()}"
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "SUBNET"
    if os.environ.get("ROS_LOCALHOST_ONLY") == "1":
        reach = "LOCALHOST"
    return f"{text}, discovery range {reach.upper()}"


def _bears(kind: str, wanted: set[str]) -> bool:
    return kind in wanted or kind.startswith("rtreid_ros/")  # our own tell who waits for whom


def _full_names(node: Node) -> list[str]:
    return [
        f"{namespace.rstrip('/')}/{name}"
        for name, namespace in node.get_node_names_and_namespaces()
        if not name.startswith("_")
    ]
