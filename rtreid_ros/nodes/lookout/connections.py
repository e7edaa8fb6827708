"""Publishers and subscriptions as the graph shows them, and whether they fit; no ROS needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BUSY = "busy"
"""The state of a managed node that does not answer: it loads a model, or hangs."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One publisher or subscription.

    Attributes:
        node: fully qualified name of its node.
        type: of its messages, such as ``sensor_msgs/msg/Image``.
        reliability: ``reliable`` or ``best_effort``.
        durability: ``transient_local`` or ``volatile``.
    """

    node: str
    type: str
    reliability: str = "reliable"
    durability: str = "volatile"

    @property
    def profile(self) -> str:
        """The policies that decide whether two ends match, in words."""
        return f"{self.reliability}, {self.durability}"


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What a node can see of the graph.

    Attributes:
        nodes: fully qualified names, without the hidden ones of tools.
        publishers: by topic, fully qualified.
        subscribers: by topic.
        states: lifecycle state (``inactive``, ...) of managed nodes, where it is known.
        place: which graph this is: domain and discovery range, in words.
    """

    nodes: tuple[str, ...] = ()
    publishers: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    subscribers: Mapping[str, tuple[Endpoint, ...]] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    place: str = ""

    def publishers_of(self, topic: str) -> tuple[Endpoint, ...]:
        """Who publishes on a topic."""
        return self.publishers.get(topic, ())

    def subscribers_of(self, topic: str) -> tuple[Endpoint, ...]:
        """Who subscribes to a topic."""
        return self.subscribers.get(topic, ())


def misfits(offered: Endpoint, requested: Endpoint) -> set[str]:
    """Policies for which a publisher of profile `offered` does not serve one of `requested`.

    OMG DDS 1.4 section 2.2.3 (request/offered): a reliable reader needs a reliable writer, a reader
    that wants what was published before it came needs a writer that keeps it.
    """
    wrong = set()
    if requested.reliability == "reliable" and offered.reliability == "best_effort":
        wrong.add("reliability")
    if requested.durability == "transient_local" and offered.durability == "volatile":
        wrong.add("durability")
    return wrong


_OFFER_MORE = {"reliability": "reliable", "durability": "transient_local"}
_REQUEST_LESS = {"reliability": "best_effort", "durability": "volatile"}


def mismatch_text(topic: str, own: Endpoint, others: Iterable[Endpoint], *, publishing: bool) -> str:
    """One line on incompatible counterparts: both profiles and what to set.

    Args:
        topic: fully qualified.
        own: our end.
        others: all counterparts; those that fit are passed over.
        publishing: whether we are the publisher.
    """
    wrong: set[str] = set()
    theirs = []
    for other in others:
        policies = misfits(own, other) if publishing else misfits(other, own)
        if policies:
            wrong |= policies
            theirs.append(f"{other.node} ({other.profile})")
    kind = "publisher" if publishing else "subscription"
    remedy = _OFFER_MORE if publishing else _REQUEST_LESS
    settings = [f"-p qos_overrides.{topic}.{kind}.{policy}:={remedy[policy]}" for policy in sorted(wrong)]
    return (
        f"no data flows on {topic}: incompatible QoS. Ours ({kind}): {own.profile}; "
        f"theirs: {', '.join(sorted(set(theirs))) or 'unknown'}. "
        f"Set on {own.node}: {' '.join(settings) or 'the same policies'}, or change the other end"
    )
