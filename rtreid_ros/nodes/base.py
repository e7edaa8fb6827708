"""What all nodes share: parameters, topics, counting, ``/diagnostics``, start and end."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes import parameters, qos
from rtreid_ros.nodes.images import ImageView, view_compressed_image, view_image
from rtreid_ros.nodes.options import NODES
from rtreid_ros.nodes.statistics import Statistics, Throttle
from rtreid_ros.nodes.worker import Worker
from rtreid_ros.runtime.info import ModelInfo

try:
    from rclpy.event_handler import (
        PublisherEventCallbacks,
        SubscriptionEventCallbacks,
        UnsupportedEventTypeError,
    )
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks, UnsupportedEventTypeError

T = TypeVar("T")
OptionsT = TypeVar("OptionsT")

_LOSSLESS_DEPTH = 64

_MISMATCH_DELAY_S = 0.3

_SILENCE_S = 2.0
"""No input for this long is worth a warning in /diagnostics."""


class BaseNode(Node):  # type: ignore[misc]  # rclpy is untyped to us
    """A node of ours. Subclasses extend the steps of its life.

    The steps are those of a managed node: `configure` loads models and may fail, `activate` makes
    topics and threads, `close` ends both and flushes files. Callbacks run in one executor thread;
    slow work goes to a `Worker`.

    Attributes:
        kind: name of the executable, key into `options.NODES`.
        statistics: what is counted and published in ``/diagnostics``.
        models: what runs where, by stage; shown in ``/diagnostics``.
        exit_code: what the process ends with.
        ended: whether it is to end.
    """

    kind: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.kind)
        self.statistics = Statistics()
        self.models: dict[str, ModelInfo] = {}
        self.exit_code = 0
        self.lossless = False
        self.ended = False
        self._wake = self.create_guard_condition(lambda: None)
        self._throttle = Throttle()
        self._workers: list[Worker[Any]] = []
        self._groups: set[str] = set()
        self._last_input = time.monotonic()
        self._warned: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._log_bridge = _LogBridge(self)
        logging.getLogger("rtreid_ros").addHandler(self._log_bridge)

    # ------------------------------------------------------------------ steps of its life

    def configure(self) -> None:
        """Read parameters and load models.

        Raises:
            RtreidError: something the user can mend; the process ends with its message.
        """

    def activate(self) -> None:
        """Make topics and start working."""
        parameters.refuse_unknown(self, self._groups)  # qos_overrides can only be judged afterwards
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # steady, so that they come also while a simulated clock stands still
        self.create_timer(1.0, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def activated(self) -> None:
        """Last check, once all topics are made."""
        parameters.refuse_unknown(self, {"qos_overrides"})

    def close(self) -> None:
        """Stop working and flush files."""
        for worker in self._workers:
            if not worker.close():
                self.get_logger().error("the model did not end in time")
        logging.getLogger("rtreid_ros").removeHandler(self._log_bridge)

    def finish(self) -> None:
        """End the process, with `exit_code`; from any thread."""
        self.ended = True
        self._wake.trigger()

    # ------------------------------------------------------------------------- parameters

    def options(self, prefix: str = "") -> Any:
        """The options of a group of this node's parameters, as `options.NODES` lists them."""
        return self.declare_options(prefix, NODES[self.kind].groups[prefix])

    def declare_options(self, prefix: str, cls: type[OptionsT], *, owned: bool = True) -> OptionsT:
        """The options `cls` from parameters ``prefix.*``; if `owned`, no others may be given there."""
        if owned:
            self._groups.add(prefix)
        return parameters.declare(self, prefix, cls)

    # ----------------------------------------------------------------------------- topics

    def publish_to(self, kind: type, topic: str, profile: QoSProfile) -> Publisher[Any]:
        """A publisher whose QoS users can override and whose mismatches are explained."""
        name = self.resolve_topic_name(topic)

        def mismatch(_: object) -> None:
            self._explain_mismatch(name, publisher.qos_profile, publishing=True)

        publisher = self.create_publisher(
            kind,
            topic,
            profile,
            qos_overriding_options=qos.overrides(),
            event_callbacks=PublisherEventCallbacks(incompatible_qos=mismatch),
        )
        return publisher

    def subscribe_to(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
        *,
        raw: bool = False,
        counted: bool = True,
    ) -> Subscription[Any]:
        """A subscription whose QoS users can override and whose mismatches are explained.

        Args:
            kind: message type.
            topic: its name, relative.
            callback: takes a message; what it raises is counted and logged.
            profile: QoS before overrides.
            raw: hand over serialised bytes.
            counted: whether its messages are input, which shows in ``/diagnostics``.
        """
        name = self.resolve_topic_name(topic)

        def mismatch(_: object) -> None:
            self._explain_mismatch(name, subscription.qos_profile, publishing=False)

        def lost(event: Any) -> None:
            self.statistics.count("lost", event.total_count_change)

        def receive(message: Any) -> None:
            if counted:
                self.statistics.count("received")
                self._last_input = time.monotonic()
            with self.guarded(f"message on {name}"):
                callback(message)

        def create(events: SubscriptionEventCallbacks) -> Subscription[Any]:
            return self.create_subscription(
                kind,
                topic,
                receive,
                profile,
                qos_overriding_options=qos.overrides(),
                event_callbacks=events,
                raw=raw,
            )

        try:
            subscription = create(SubscriptionEventCallbacks(incompatible_qos=mismatch, message_lost=lost))
        except UnsupportedEventTypeError:  # not every middleware counts losses
            subscription = create(SubscriptionEventCallbacks(incompatible_qos=mismatch))
        return subscription

    def subscribe_to_images(
        self, callback: Callable[[ImageView], None], transport: str, topic: str = "image"
    ) -> Subscription[Any]:
        """A subscription to raw or compressed images that hands them over without a copy."""
        profile = qos.image_qos(self.lossless, publishing=False)
        if transport == "compressed":
            return self.subscribe_to(
                CompressedImage,
                f"{topic}/compressed",
                lambda cdr: callback(view_compressed_image(cdr)),
                profile,
                raw=True,
            )
        return self.subscribe_to(Image, topic, lambda cdr: callback(view_image(cdr)), profile, raw=True)

    def _explain_mismatch(self, topic: str, own: QoSProfile, *, publishing: bool) -> None:
        def explain() -> None:
            self.destroy_timer(timer)
            self.get_logger().error(qos.mismatch_text(self, topic, own, publishing=publishing))

        # the other end's name and profile are known a moment after the event
        timer = self.create_timer(_MISMATCH_DELAY_S, explain, clock=Clock(clock_type=ClockType.STEADY_TIME))

    # ------------------------------------------------------------------------- error policy

    def work_with(self, process: Callable[[T], None], depth: int = 1) -> Worker[T]:
        """A worker thread for `process` with a queue of `depth`: the newest items win.

        In lossless mode nothing is dropped: the queue is as long as a source's window may be, and
        callbacks wait when it is full. What `process` raises is counted and logged; the next item
        goes on.
        """

        def guarded(item: T) -> None:
            with self.guarded("frame"):
                process(item)

        def dropped(amount: int) -> None:
            self.statistics.count("dropped", amount)

        depth = max(depth, _LOSSLESS_DEPTH) if self.lossless else depth
        worker = Worker(guarded, depth=depth, lossless=self.lossless, dropped=dropped)
        self._workers.append(worker)
        return worker

    def guarded(self, what: str) -> _Guard:
        """A block in which bad input or a failing model costs one `what`, never the node."""
        return _Guard(self, what)

    def note_rejected(self, stage: str, total: int) -> None:
        """Take over how many rows a stage has refused so far; new ones are counted and logged."""
        new = total - self._refused.get(stage, 0)
        self._refused[stage] = total
        if new > 0:
            self.statistics.count("rejected", new)
            self.warn(f"{stage} rows", f"{stage}: {new} detections without a usable box, score or vector")

    def warn(self, key: str, text: str) -> None:
        """Log a warning, not more often than the throttle lets it."""
        line = self._throttle(key, text)
        if line is not None:
            self.get_logger().warning(line)

    def fail(self, key: str, text: str) -> None:
        """Log an error, not more often than the throttle lets it."""
        line = self._throttle(key, text)
        if line is not None:
            self.get_logger().error(line)

    # -------------------------------------------------------------------------- diagnostics

    def age_ms(self, stamp_ns: int) -> float:
        """Milliseconds since `stamp_ns` on the node's clock, which may be simulated."""
        now: int = self.get_clock().now().nanoseconds
        return (now - stamp_ns) / 1e6

    def count_processed(self, stamp_ns: int, received: float) -> None:
        """One result went out for the image of `stamp_ns` that came at `received` (monotonic s)."""
        latencies = {"processing": (time.monotonic() - received) * 1e3}
        if not self.lossless:  # whose stamps are media time
            latencies["latency"] = self.age_ms(stamp_ns)
        self.statistics.processed(**latencies)

    def announce_models(self) -> None:
        """The start-up line: what runs where."""
        for stage, info in self.models.items():
            self.get_logger().info(f"{stage}: {info}")

    def diagnostic_values(self) -> dict[str, str]:
        """What ``/diagnostics`` shows beside the statistics; subclasses add to it."""
        values = {"lossless": str(self.lossless).lower()}
        for stage, info in self.models.items():
            values[f"{stage}.model"] = info.name
            values[f"{stage}.provider"] = info.provider
            values[f"{stage}.layout"] = info.layout
        return values

    def _report(self) -> None:
        with self.guarded("diagnostics"):
            self._publish_diagnostics()

    def _publish_diagnostics(self) -> None:
        values = self.statistics.snapshot()
        problems = []
        for name in ("dropped", "lost", "unmatched", "rejected", "errors"):
            new = int(values[name]) - self._warned.get(name, 0)
            self._warned[name] = int(values[name])
            if new:
                problems.append(f"{new} {name}")
        silent = time.monotonic() - self._last_input
        if silent > _SILENCE_S and any(True for _ in self.subscriptions):
            problems.append(f"no input for {silent:.0f} s")
        level = DiagnosticStatus.WARN if problems else DiagnosticStatus.OK
        if any(text.endswith("errors") for text in problems):
            level = DiagnosticStatus.ERROR
        values.update(self.diagnostic_values())
        status = DiagnosticStatus(
            level=level,
            name=f"{self.get_fully_qualified_name()}: {self.kind}",
            message=", ".join(problems) or "running",
            hardware_id=", ".join(info.name for info in self.models.values()),
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)


class _Guard:
    """Turns an exception into a count and a throttled log line."""

    def __init__(self, node: BaseNode, what: str) -> None:
        self._node = node
        self._what = what

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if error is None:
            return False
        if not isinstance(error, Exception):
            return False
        if isinstance(error, RtreidError):
            self._node.statistics.count("rejected")
            self._node.warn(f"{self._what}: {type(error).__name__}", f"{self._what} refused: {error}")
        else:
            self._node.statistics.count("errors")
            text = "".join(traceback.format_exception(kind, error, trace)).rstrip()
            self._node.fail(f"{self._what}: {type(error).__name__}", f"{self._what} failed: {text}")
        return True


class _LogBridge(logging.Handler):
    """Brings what the library logs through `logging` to the node's log."""

    def __init__(self, node: BaseNode) -> None:
        super().__init__(logging.WARNING)
        self._node = node

    def emit(self, record: logging.LogRecord) -> None:
        report = self._node.fail if record.levelno >= logging.ERROR else self._node.warn
        report(record.name, record.getMessage())
