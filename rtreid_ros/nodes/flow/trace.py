"""What a node did with an image, and when: for ``/diagnostics``, and as a message for who listens."""

from __future__ import annotations

import os
import platform
import time
from typing import TYPE_CHECKING

from rtreid_ros.msg import FrameTrace, StageSpan
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.messages.conversions import header, stamp_ns
from rtreid_ros.sinks.trace_events import NodeTrace
from rtreid_ros.stages import Span, Spans

if TYPE_CHECKING:
    from rtreid_ros.nodes.base import BaseNode

TOPIC = "trace"


class Marks(Spans):
    """The spans of one image in one node; made when it comes in.

    Attributes:
        received: when that was, nanoseconds of the monotonic clock.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received = time.monotonic_ns()

    def waited(self) -> None:
        """The wait for the worker is over."""
        self.append(Span("wait", self.received, time.monotonic_ns()))


class Tracer:
    """Takes the marks of every image a node has finished. To be made in `BaseNode.activate`."""

    def __init__(self, node: BaseNode) -> None:
        self._node = node
        self._name = node.get_fully_qualified_name()
        self._process = os.getpid()
        self._machine = platform.node()
        self._output = node.publish_to(FrameTrace, TOPIC, qos.trace_qos())

    def finish(self, marks: Marks, stamp: int, frame_id: str) -> None:
        """The result for the image of header `stamp` (nanoseconds) and `frame_id` has been published."""
        node = self._node
        node.count_processed(stamp, marks.received * 1e-9)
        node.statistics.took(marks)
        if self._output.get_subscription_count():
            age = node.get_clock().now().nanoseconds - stamp
            self._output.publish(self._message(marks, stamp, frame_id, age))

    def _message(self, marks: Marks, stamp: int, frame_id: str, age: int) -> FrameTrace:
        spans = sorted(marks, key=lambda span: (span.begin, -span.end))
        return FrameTrace(
            header=header(stamp, frame_id),
            node=self._name,
            process=self._process,
            machine=self._machine,
            received=marks.received,
            spans=[StageSpan(stage=span.stage, begin=span.begin, end=span.end) for span in spans],
            age=age,
        )


def trace_from_message(message: FrameTrace) -> NodeTrace:
    """The same without ROS."""
    return NodeTrace(
        node=message.node,
        process=message.process,
        machine=message.machine,
        stamp_ns=stamp_ns(message),
        frame_id=message.header.frame_id,
        received=message.received,
        spans=[Span(span.stage, span.begin, span.end) for span in message.spans],
        age=message.age,
    )
