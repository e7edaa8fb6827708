"""Quality of service of every topic, and what to say when it does not fit."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

OVERRIDABLE = (
    QoSPolicyKind.HISTORY,
    QoSPolicyKind.DEPTH,
    QoSPolicyKind.RELIABILITY,
    QoSPolicyKind.DURABILITY,
)

_LOSSLESS_IMAGES = 32
"""Images a lossless publisher keeps for those who match late: more than are on their way at once."""
_LOSSLESS_RESULTS = 5000


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


def describe_profile(profile: QoSProfile) -> str:
    """The policies that decide whether two ends match, in words."""
    return f"{profile.reliability.name.lower()}, {profile.durability.name.lower()}"


def mismatch_text(node: Node, topic: str, own: QoSProfile, *, publishing: bool) -> str:
    """One line on incompatible counterparts: both profiles and what to set.

    Args:
        node: to look up who is at the other end.
        topic: fully qualified.
        own: our profile.
        publishing: whether we are the publisher.
    """
    look_up = node.get_subscriptions_info_by_topic if publishing else node.get_publishers_info_by_topic
    wrong: set[str] = set()
    others = []
    for info in look_up(topic):
        profile = info.qos_profile
        misfits = _misfits(own, profile) if publishing else _misfits(profile, own)
        if misfits:
            wrong |= misfits
            name = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
            others.append(f"{name} ({describe_profile(profile)})")
    kind = "publisher" if publishing else "subscription"
    remedy = _OFFER_MORE if publishing else _REQUEST_LESS
    settings = [f"-p qos_overrides.{topic}.{kind}.{policy}:={remedy[policy]}" for policy in sorted(wrong)]
    return (
        f"no data flows on {topic}: incompatible QoS. Ours ({kind}): {describe_profile(own)}; "
        f"theirs: {', '.join(sorted(others)) or 'unknown'}. "
        f"Set on this node: {' '.join(settings) or 'the same policies'}, or change the other end"
    )


_OFFER_MORE = {"reliability": "reliable", "durability": "transient_local"}
_REQUEST_LESS = {"reliability": "best_effort", "durability": "volatile"}


def _misfits(offered: QoSProfile, requested: QoSProfile) -> set[str]:
    """Policies for which a publisher of profile `offered` does not serve one of `requested`."""
    misfits = set()
    reliable, latched = ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL
    if requested.reliability == reliable and offered.reliability != reliable:
        misfits.add("reliability")
    if requested.durability == latched and offered.durability != latched:
        misfits.add("durability")
    return misfits
