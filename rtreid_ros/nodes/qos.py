"""Quality of service of every topic, and what to say when it does not fit."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

from rtreid_ros.nodes.lookout import connections
from rtreid_ros.nodes.lookout.connections import Endpoint

OVERRIDABLE = (
    QoSPolicyKind.HISTORY,
    QoSPolicyKind.DEPTH,
    QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
)

_LOSSLESS_IMAGES = 32
"""Images a lossless publisher keeps for those who match late: more than are on their way at once."""
_LOSSLESS_RESULTS = 5000
_TRACES = 100


def image_qos(lossless: bool, *, publishing: bool) -> QoSProfile:
    """Profile of image topics: sensor data, or nothing lost."""
    if lossless:
        return _lossless(_LOSSLESS_IMAGES, publishing)
    return QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


def result_qos(lossless: bool, *, publishing: bool) -> QoSProfile:
    """Profile of detections, tracks and ground truth: reliable."""
    if lossless:
        return _lossless(_LOSSLESS_RESULTS, publishing)
    return QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)


def latched_qos(depth: int = 1) -> QoSProfile:
    """Profile of what latecomers must learn too."""
    return QoSProfile(
        depth=depth, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL
    )


def transform_qos() -> QoSProfile:
    """Profile of ``/tf``: many write to it."""
    return QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)


def trace_qos(*, publishing: bool = True) -> QoSProfile:
    """Profile of traces: reliable, and the newest win, so that no listener holds a node up.

    A listener over a bad link may ask for best effort.
    """
    depth = _TRACES if publishing else 10 * _TRACES
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.RELIABLE)


def record_qos(*, publishing: bool = True) -> QoSProfile:
    """Profile of a source's announcements and ground truth: observers that come late get them too."""
    return _lossless(_LOSSLESS_RESULTS, publishing)


def _lossless(depth: int, publishing: bool) -> QoSProfile:
    profile = latched_qos(depth)
    if not publishing:  # a reader that keeps all never lets a slow consumer lose what has arrived
        profile.history = HistoryPolicy.KEEP_ALL
    return profile


def overrides() -> QoSOverridingOptions:
    """Lets users set ``qos_overrides.<topic>.<publisher|subscription>.<policy>``."""
    return QoSOverridingOptions(OVERRIDABLE)


def mismatch_text(node: Node, topic: str, own: QoSProfile, *, publishing: bool) -> str:
    """One line on incompatible counterparts: both profiles and what to set.

    Args:
        node: to look up who is at the other end.
        topic: fully qualified.
        own: our profile.
        publishing: whether we are the publisher.
    """
    others = subscribers_of(node, topic) if publishing else publishers_of(node, topic)
    ours = endpoint(node.get_fully_qualified_name(), "", own)
    return connections.mismatch_text(topic, ours, others, publishing=publishing)


def publishers_of(node: Node, topic: str) -> tuple[Endpoint, ...]:
    """Who publishes on a fully qualified topic, as `node` sees it."""
    return tuple(map(_described, node.get_publishers_info_by_topic(topic)))


def subscribers_of(node: Node, topic: str) -> tuple[Endpoint, ...]:
    """Who subscribes to a fully qualified topic, as `node` sees it."""
    return tuple(map(_described, node.get_subscriptions_info_by_topic(topic)))


def endpoint(node: str, kind: str, profile: QoSProfile) -> Endpoint:
    """An end of a connection in plain words."""
    return Endpoint(node, kind, profile.reliability.name.lower(), profile.durability.name.lower())


def _described(info: Any) -> Endpoint:
    name = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
    return endpoint(name, info.topic_type, info.qos_profile)
