"""Why no data comes in on a topic, and what to do about it; no ROS needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rtreid_ros.nodes.lookout.connections import BUSY, Endpoint, GraphFacts, misfits, mismatch_text
from rtreid_ros.nodes.lookout.remaps import COMPRESSED, RAW, likely_sources

_MAKERS = {
    "detections": "detector_node",
    "embeddings": "embedder_node",
    "tracks": "tracking_node or tracker_node",
    "ground_truth": "source_node",
    "frames": "source_node",
    "global_tracks": "gallery_node",
    "tracks_3d": "position_node",
}
"""Who publishes our own topics."""
SILENCE = "silence."
"""What the names of explanations in ``/diagnostics`` begin with; the topic follows."""
_TRACKS = "rtreid_ros/msg/TrackArray"
_SPOKEN = 3
"""Most nodes named in one line."""


@dataclass(frozen=True, slots=True)
class Inlet:
    """A subscription that waits for data.

    Attributes:
        topic: fully qualified, after remapping.
        name: as the node calls it, which a remap begins with, such as ``image``.
        own: our end of it.
    """

    topic: str
    name: str
    own: Endpoint


@dataclass(frozen=True, slots=True)
class Finding:
    """Why nothing comes.

    Attributes:
        reason: ``type``, ``qos``, ``quiet`` (a publisher that sends nothing) or ``nobody``.
        text: one line, with the remedy.
    """

    reason: str
    text: str


def explain(inlet: Inlet, facts: GraphFacts, *, before: bool = False) -> Finding:
    """Why `inlet` gets no data.

    Args:
        inlet: the silent subscription.
        facts: the graph as far as it bears on it: publishers of its type and of images, and
            everything on its own topic.
        before: whether data came earlier.
    """
    ends = facts.publishers_of(inlet.topic)
    reason = judge(inlet.topic, inlet.own, facts)
    if reason == "type":
        return Finding(reason, _wrong_type(inlet, ends, facts))
    if reason == "qos":
        same = [end for end in ends if end.type == inlet.own.type]
        return Finding(reason, mismatch_text(inlet.topic, inlet.own, same, publishing=False))
    if reason == "quiet":
        return Finding(reason, _quiet(inlet, ends, facts, before))
    return Finding(reason, _nobody(inlet, facts, before))


def judge(topic: str, own: Endpoint, facts: GraphFacts) -> str:
    """Why a subscription gets no data, in a word: see `Finding.reason`."""
    ends = facts.publishers_of(topic)
    fitting = [end for end in ends if end.type == own.type]
    if not fitting:
        return "type" if ends else "nobody"
    return "qos" if all(misfits(end, own) for end in fitting) else "quiet"


def _wrong_type(inlet: Inlet, ends: Sequence[Endpoint], facts: GraphFacts) -> str:
    kinds = sorted({end.type for end in ends})
    text = (
        f"no data on {inlet.topic}: {_names(ends)} publish{_s(ends)} {' and '.join(kinds)} there, "
        f"{inlet.own.node} takes {inlet.own.type}"
    )
    switch = _other_transport(inlet, inlet.topic)
    if switch and _counterpart(inlet.own.type) in kinds:
        return f"{text}. Set on {inlet.own.node}: {switch}"
    sources = likely_sources(inlet.topic, inlet.own.type, facts)
    if sources:
        return f"{text}. {_meant(inlet, sources)}"
    return f"{text}, and no topic has that. Give one of the two another name: -r {inlet.name}:=<topic>"


def _quiet(inlet: Inlet, ends: Sequence[Endpoint], facts: GraphFacts, before: bool) -> str:
    sent = "sends nothing any more" if before else "has sent nothing"
    ends = [end for end in ends if end.type == inlet.own.type and not misfits(end, inlet.own)]
    text = f"no data on {inlet.topic}: {_names(ends)} publish{_s(ends)} it but {sent}"
    for name in sorted({end.node for end in ends}):
        state = facts.states.get(name, "active")
        if state != "active":
            return f"{text}; {_not_active(name, state)}"
        waiting = _waits_for(name, inlet.topic, facts)
        if waiting:
            return f"{text}; {waiting}"
    return f"{text}; its log and `rtreid doctor --graph` may tell why"


def _waits_for(name: str, outlet: str, facts: GraphFacts) -> str:
    """What a node that should publish on `outlet` lacks itself, as far as the graph shows it."""
    lacks = {"type": "a publisher of another type", "qos": "incompatible QoS", "nobody": "no publisher"}
    taken = {
        topic: end
        for topic, ends in sorted(facts.subscribers.items())
        for end in ends
        if end.node == name and topic != outlet and _is_data(end.type)
    }
    # what makes detections takes tracks only as a hint
    forward = {topic: end for topic, end in taken.items() if end.type != _TRACKS} or taken
    for topic, end in forward.items():
        reason = judge(topic, end, facts)
        if reason in lacks:
            return f"{name} itself waits for {topic}, which has {lacks[reason]}"
    return ""


def _nobody(inlet: Inlet, facts: GraphFacts, before: bool) -> str:
    kind, other = inlet.own.type, _counterpart(inlet.own.type)
    again = " any more" if before else ""
    parts = [f"no data on {inlet.topic}: nobody publishes it{again}"]
    if not [name for name in facts.nodes if name != inlet.own.node]:
        return (
            f"{parts[0]}. No other node is visible in {facts.place}: both ends need the same "
            "ROS_DOMAIN_ID and a discovery range that reaches the other"
        )
    if sources := likely_sources(inlet.topic, kind, facts):
        parts.append(_meant(inlet, sources))
    elif other and (sources := likely_sources(inlet.topic, other, facts)):
        parts.append(_in_other_transport(inlet, other, sources))
    sleeping = [_not_active(name, state) for name, state in sorted(facts.states.items()) if state != "active"]
    parts += sleeping[:_SPOKEN]
    if len(parts) == 1:
        maker = _MAKERS.get(inlet.topic.rpartition("/")[2])
        if maker and not other:
            parts.append(f"{maker} does that: is it running, in this namespace and in {facts.place}?")
        else:
            parts.append(f"No topic in {facts.place} has {kind}: start what publishes it there")
    return ". ".join(parts)


def _counterpart(kind: str) -> str:
    """The other type images come in; empty for what is no image."""
    return {RAW: COMPRESSED, COMPRESSED: RAW}.get(kind, "")


def _other_transport(inlet: Inlet, source: str) -> str:
    """What to set on a node so that it takes its images from `source`, of the other type; may be empty."""
    suffix = "/compressed"
    if inlet.own.type == RAW:
        name, topic, value = f"{inlet.name}{suffix}", f"{inlet.topic}{suffix}", "compressed"
    elif inlet.own.type == COMPRESSED:
        name, topic, value = inlet.name.removesuffix(suffix), inlet.topic.removesuffix(suffix), "raw"
    else:
        return ""
    setting = f"-p image_transport:={value}"
    return setting if topic == source else f"{setting} -r {name}:={source}"


def _in_other_transport(inlet: Inlet, kind: str, sources: list[str]) -> str:
    have, chosen = ("has", sources[0]) if len(sources) == 1 else ("have", "<one of them>")
    setting = _other_transport(inlet, chosen)
    return f"{', '.join(sources)} {have} {kind}. Set on {inlet.own.node}: {setting}"


def _meant(inlet: Inlet, sources: list[str]) -> str:
    have, chosen = ("has", sources[0]) if len(sources) == 1 else ("have", "<one of them>")
    setting = f"-r {inlet.name}:={chosen}"
    return f"{', '.join(sources)} {have} {inlet.own.type}. Set on {inlet.own.node}: {setting}"


def _not_active(name: str, state: str) -> str:
    if state == BUSY:
        return f"{name} does not answer: it is still starting, or stuck"
    steps = {
        "unconfigured": f"ros2 lifecycle set {name} configure && ros2 lifecycle set {name} activate",
        "inactive": f"ros2 lifecycle set {name} activate",
    }
    remedy = f": {steps[state]}" if state in steps else ""
    return f"{name} is {state}{remedy}"


def _is_data(kind: str) -> bool:
    """Whether a node that takes this type works on it, frame by frame."""
    return kind in (RAW, COMPRESSED) or kind.startswith("rtreid_ros/msg/")


def _names(ends: Sequence[Endpoint]) -> str:
    names = sorted({end.node for end in ends})
    more = f" and {len(names) - _SPOKEN} more" if len(names) > _SPOKEN else ""
    return ", ".join(names[:_SPOKEN]) + more


def _s(ends: Sequence[Endpoint]) -> str:
    return "es" if len({end.node for end in ends}) == 1 else ""


def silent_topics(values: Mapping[str, str]) -> dict[str, str]:
    """The explanations among a node's values in ``/diagnostics``, by topic."""
    return {key.removeprefix(SILENCE): text for key, text in values.items() if key.startswith(SILENCE)}
