"""A node notices that no data comes in and says why."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rtreid_ros.nodes import qos
from rtreid_ros.nodes.lookout.explanation import SILENCE, Inlet, explain
from rtreid_ros.nodes.lookout.graph_facts import GraphReader, type_name

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

SILENCE_S = 2.0
"""No data for this long is worth an explanation."""
_ASK_S = 0.5
"""Managed nodes are asked for their state before, so that the first explanation knows it."""
_REPEAT_S = 5.0
"""A new explanation of the same topic is logged after this long at the earliest."""
_PATIENT_S = 10.0
"""After this long without data the graph, which takes its time, is looked at only every `_REPEAT_S`."""


class _Watched:
    """One topic under watch; times are monotonic seconds."""

    def __init__(self, inlet: Inlet, now: float) -> None:
        self.inlet = inlet
        self.begin = now
        self.last: float | None = None
        self.text = ""
        """The present explanation; empty while data comes."""
        self.said = ""
        self.said_at = -_REPEAT_S

    def wait(self) -> float:
        """Seconds without data."""
        return time.monotonic() - (self.begin if self.last is None else self.last)


class SilenceWatch:
    """Notices topics of a node that get no data, and says why: once, and again when the answer changes.

    For the executor's thread alone.
    """

    def __init__(self, node: BaseNode) -> None:
        self._node = node
        self._reader = GraphReader(node)
        self._watched: dict[str, _Watched] = {}
        self._looked = -_REPEAT_S

    def watch(self, name: str, kind: type, subscription: Any) -> None:
        """Begin to watch a subscription.

        Args:
            name: of the topic as the node calls it.
            kind: class of its messages.
            subscription: as made, for its QoS and full name.
        """
        own = qos.endpoint(self._node.get_fully_qualified_name(), type_name(kind), subscription.qos_profile)
        topic = subscription.topic_name
        self._watched[topic] = _Watched(Inlet(topic, name, own), time.monotonic())

    def received(self, topic: str) -> None:
        """A message has come on a topic, fully qualified."""
        item = self._watched.get(topic)
        if item is None:
            return
        item.last = time.monotonic()
        if item.text:
            item.text = ""
            if item.said:
                item.said = ""
                self._node.get_logger().info(f"data comes on {topic}")

    def said(self, topic: str, text: str) -> None:
        """An explanation has been logged by somebody else: that of an event, which comes at once."""
        item = self._watched.get(topic)
        if item is not None:
            item.said, item.said_at = text, time.monotonic()

    def check(self) -> None:
        """Look for silence; to be called about once a second."""
        waits = {topic: item.wait() for topic, item in self._watched.items()}
        silent = [self._watched[topic] for topic, seconds in waits.items() if seconds > SILENCE_S]
        news = [seconds for seconds in waits.values() if _ASK_S < seconds < _PATIENT_S]
        if not news and not silent:
            self._reader.close()
            return
        if not news and time.monotonic() - self._looked < _REPEAT_S:
            return
        self._reader.ask_states()
        if not silent:
            return
        self._looked = time.monotonic()
        facts = self._reader.read({item.inlet.topic: item.inlet.own.type for item in silent})
        for item in silent:
            item.text = explain(item.inlet, facts, before=item.last is not None).text
            if item.text != item.said and time.monotonic() - item.said_at >= _REPEAT_S:
                item.said, item.said_at = item.text, time.monotonic()
                self._node.get_logger().warning(item.text)

    def problems(self) -> list[str]:
        """For the message in ``/diagnostics``: the topics without data."""
        silent = [(topic, item.wait()) for topic, item in self._watched.items() if item.text]
        return [f"no data on {topic} for {seconds:.0f} s" for topic, seconds in silent]

    def values(self) -> dict[str, str]:
        """For ``/diagnostics``: the explanations by ``silence.<topic>``."""
        return {f"{SILENCE}{topic}": item.text for topic, item in self._watched.items() if item.text}

    def close(self) -> None:
        """End the watch, until `watch` is called anew."""
        self._watched.clear()
        self._reader.close()
