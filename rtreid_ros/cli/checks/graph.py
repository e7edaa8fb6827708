"""What is wrong with a running graph, judged from outside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rtreid_ros.nodes.lookout.connections import BUSY, Endpoint, misfits, mismatch_text
from rtreid_ros.nodes.lookout.explanation import Inlet, explain, silent_topics

if TYPE_CHECKING:
    from rtreid_ros.nodes.lookout.graph_view import GraphView

_ERROR = 2
_INFRASTRUCTURE = ("/rosout", "/parameter_events", "/diagnostics", "/clock")


@dataclass(frozen=True, slots=True)
class NodeFinding:
    """One node of ours: `state` is ``ok``, ``warning`` or ``broken``; rates and times as text, or empty."""

    name: str
    kind: str
    state: str
    lifecycle: str
    message: str
    rate_hz: str = ""
    latency_p50_ms: str = ""
    latency_p99_ms: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A publisher and a subscription of one topic; either may be missing.

    Attributes:
        topic: fully qualified.
        publisher: None where nobody publishes.
        subscriber: None where nobody subscribes.
        fits: whether data can flow: both there, of one type, with compatible QoS.
        reason: ``type``, ``qos``, ``no publisher`` or ``no subscriber`` where not.
    """

    topic: str
    publisher: Endpoint | None
    subscriber: Endpoint | None
    fits: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken: the node it concerns (empty: the graph), and a line with the remedy."""

    node: str
    text: str


class GraphReport:
    """Judges a `GraphView`.

    Attributes:
        nodes: ours.
        others: names of all other nodes.
        connections: on all topics that ours publish or subscribe to.
        problems: what is broken; none = all is well.
    """

    def __init__(self, view: GraphView) -> None:
        self._view = view
        ours = set(view.statuses) | self._mute()
        self.others = [name for name in view.facts.nodes if name not in ours]
        self.nodes = [self._node(name) for name in sorted(ours)]
        self.connections = self._connections(ours)
        self.problems = [*self._of_graph(), *self._of_nodes(), *self._of_connections(ours)]

    @property
    def summary(self) -> str:
        """Where was looked, and how long."""
        view = self._view
        return f"{view.facts.place}, {view.middleware}, looked for {view.seconds:g} s"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "ok": not self.problems,
            "graph": self.summary,
            "nodes": [asdict(item) for item in self.nodes],
            "other_nodes": self.others,
            "connections": [asdict(item) for item in self.connections],
            "problems": [asdict(item) for item in self.problems],
        }

    def lines(self) -> list[str]:
        """As text."""
        lines = [f"Graph: {self.summary}", "", "Nodes"]
        width = max((len(item.name) for item in self.nodes), default=0)
        lines += [f"  {item.state:<8} {item.name.ljust(width)}  {_described(item)}" for item in self.nodes]
        if self.others:
            lines.append(f"  {'':<8} not ours: {', '.join(self.others)}")
        lines += ["", "Topics"]
        topic = ""
        for item in self.connections:
            if item.topic != topic:
                topic = item.topic
                lines.append(f"  {topic}")
            state = "ok" if item.fits else "broken" if item.reason in ("type", "qos") else "-"
            reason = f"  {item.reason}" if item.reason else ""
            lines.append(f"    {state:<6} {_end(item.publisher)} -> {_end(item.subscriber)}{reason}")
        if self.problems:
            lines += ["", "Problems"]
            lines += [f"  {item.node or 'graph'}: {item.text}" for item in self.problems]
        return lines

    def _mute(self) -> set[str]:
        """Nodes that look like ours but say nothing: they could publish ``/diagnostics``."""
        facts = self._view.facts
        able = {end.node for end in facts.publishers_of("/diagnostics")}
        ours = {
            end.node
            for ends in facts.publishers.values()
            for end in ends
            if end.type.startswith("rtreid_ros/msg/")
        }
        busy = {name for name, state in facts.states.items() if state == BUSY}
        return (able & (ours | busy)) - set(self._view.statuses)

    def _node(self, name: str) -> NodeFinding:
        status = self._view.statuses.get(name)
        if status is None:
            return NodeFinding(name, "", "broken", self._view.facts.states.get(name, ""), "silent")
        lifecycle = status.values.get("state", "")
        state = "ok"
        if status.level >= _ERROR or silent_topics(status.values):
            state = "broken"
        elif status.level or lifecycle not in ("active", ""):
            state = "warning"
        figures = (status.values.get(key, "") for key in ("rate_hz", "latency_p50_ms", "latency_p99_ms"))
        return NodeFinding(name, status.kind, state, lifecycle, status.message, *figures)

    def _connections(self, ours: set[str]) -> list[Connection]:
        facts = self._view.facts
        found = []
        for topic in sorted(set(facts.publishers) | set(facts.subscribers)):
            if topic in _INFRASTRUCTURE or topic.endswith("/transition_event"):
                continue
            publishers, subscribers = facts.publishers_of(topic), facts.subscribers_of(topic)
            if not ours.intersection(end.node for end in (*publishers, *subscribers)):
                continue
            for publisher in publishers or (None,):
                found += [_connect(topic, publisher, end) for end in subscribers or (None,)]
        return found

    def _of_graph(self) -> list[Problem]:
        facts = self._view.facts
        if not facts.nodes:
            text = (
                f"no node is visible in {facts.place}: start one, or set ROS_DOMAIN_ID and "
                "ROS_AUTOMATIC_DISCOVERY_RANGE as they are there"
            )
            return [Problem("", text)]
        if not self.nodes:
            text = (
                f"none of the {len(facts.nodes)} nodes in {facts.place} is one of ours, or none has "
                f"published /diagnostics in {self._view.seconds:g} s"
            )
            return [Problem("", text)]
        return []

    def _of_nodes(self) -> list[Problem]:
        problems = []
        for item in self.nodes:
            status = self._view.statuses.get(item.name)
            if status is None:
                text = f"nothing from it in /diagnostics for {self._view.seconds:g} s: it starts, or hangs"
                problems.append(Problem(item.name, text))
                continue
            problems += [Problem(item.name, text) for text in silent_topics(status.values).values()]
            if status.level >= _ERROR:
                problems.append(Problem(item.name, status.message))
        return problems

    def _of_connections(self, ours: set[str]) -> list[Problem]:
        """Ends that do not fit, where the node at our end does not say so itself."""
        problems: dict[tuple[str, str], Problem] = {}
        for item in self.connections:
            publisher, subscriber = item.publisher, item.subscriber
            if item.reason not in ("type", "qos") or publisher is None or subscriber is None:
                continue
            judge = subscriber if subscriber.node in ours else publisher
            status = self._view.statuses.get(judge.node)
            if status is not None and judge is subscriber and item.topic in silent_topics(status.values):
                continue
            text = self._misfit(item.topic, publisher, subscriber, by_publisher=judge is publisher)
            problems.setdefault((judge.node, item.topic), Problem(judge.node, text))
        return list(problems.values())

    def _misfit(self, topic: str, publisher: Endpoint, subscriber: Endpoint, *, by_publisher: bool) -> str:
        """What is wrong between two ends, with the remedy at the end that is ours."""
        if publisher.type == subscriber.type:
            own, other = (publisher, subscriber) if by_publisher else (subscriber, publisher)
            return mismatch_text(topic, own, [other], publishing=by_publisher)
        found = explain(Inlet(topic, topic, subscriber), self._view.facts)
        if found.reason == "type":  # otherwise somebody else publishes what it takes
            return found.text
        theirs = f"{publisher.node} publishes {publisher.type} on {topic}"
        return f"{theirs}, {subscriber.node} takes {subscriber.type}"


def _connect(topic: str, publisher: Endpoint | None, subscriber: Endpoint | None) -> Connection:
    if publisher is None or subscriber is None:
        reason = "no publisher" if publisher is None else "no subscriber"
        return Connection(topic, publisher, subscriber, fits=False, reason=reason)
    reason = "type" if publisher.type != subscriber.type else "qos" if misfits(publisher, subscriber) else ""
    return Connection(topic, publisher, subscriber, fits=not reason, reason=reason)


def _described(item: NodeFinding) -> str:
    parts = [item.kind or "?", item.lifecycle or "?"]
    if item.rate_hz:
        parts.append(f"{float(item.rate_hz):.1f} Hz")
    if item.latency_p50_ms:
        parts.append(f"latency {float(item.latency_p50_ms):.1f} ms (p99 {float(item.latency_p99_ms):.1f})")
    return ", ".join([*parts, item.message])


def _end(end: Endpoint | None) -> str:
    return "nobody" if end is None else f"{end.node} ({end.type.rpartition('/')[2]}, {end.profile})"
