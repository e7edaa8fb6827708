"""Why no tracks come."""

from __future__ import annotations

import time
from typing import Any

from rclpy.node import Node

from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.lookout.explanation import Inlet, explain
from rtreid_ros.nodes.lookout.graph_facts import GraphReader, type_name

_ANSWER_S = 0.5
"""Patience for managed nodes to tell their state."""


def why_silent(node: Node, name: str, subscription: Any, *, before: bool) -> str:
    """One line on a subscription to tracks that gets none, with the remedy.

    Args:
        node: of the subscription; spun by another thread.
        name: of the topic as the program calls it.
        subscription: as made, for its QoS and full name.
        before: whether tracks came earlier.
    """
    own = qos.endpoint(node.get_fully_qualified_name(), type_name(TrackArray), subscription.qos_profile)
    inlet = Inlet(subscription.topic_name, name, own)
    reader = GraphReader(node)
    try:
        deadline = time.monotonic() + _ANSWER_S
        while time.monotonic() < deadline:  # it finds the nodes, asks them, and takes their answers
            reader.ask_states()
            time.sleep(_ANSWER_S / 10)
        return explain(inlet, reader.read({inlet.topic: own.type}), before=before).text
    finally:
        reader.close()
