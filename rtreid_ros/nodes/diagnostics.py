"""What a node tells about itself on ``/diagnostics``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

_PROBLEMS = ("dropped", "lost", "unmatched", "rejected", "errors")
"""Counts whose growth is worth a word."""


class Diagnostics:
    """Publishes the state of a node: counts, latencies, what runs where, what is wrong."""

    def __init__(self, node: BaseNode) -> None:
        self._node = node
        self._told: dict[str, int] = {}
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(self) -> None:
        """Tell the present state; to be called once a second."""
        node = self._node
        values = node.statistics.snapshot()
        problems = []
        for name in _PROBLEMS:
            new = int(values[name]) - self._told.get(name, 0)
            self._told[name] = int(values[name])
            if new:
                problems.append(f"{new} {name}")
        failed = bool(node.failure) or any(text.endswith("errors") for text in problems)
        if node.failure:
            problems.insert(0, node.failure)
        problems += node.silence.problems()
        values["state"] = node.state
        if node.is_active:
            values.update({**node.diagnostic_values(), **node.silence.values()})
        level = DiagnosticStatus.WARN if problems else DiagnosticStatus.OK
        status = DiagnosticStatus(
            level=DiagnosticStatus.ERROR if failed else level,
            name=f"{node.get_fully_qualified_name()}: {node.kind}",
            message=", ".join(problems) or ("running" if node.is_active else node.state),
            hardware_id=", ".join(info.name for info in node.models.values()),
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = node.get_clock().now().to_msg()
        self._publisher.publish(message)
