"""What all nodes share beside their life: topics, threads, counting, ``/diagnostics``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, Image

from rtreid_ros.nodes import qos
from rtreid_ros.nodes.diagnostics import Diagnostics
from rtreid_ros.nodes.flow import room
from rtreid_ros.nodes.flow.inbox import Inbox
from rtreid_ros.nodes.flow.statistics import Statistics, Throttle
from rtreid_ros.nodes.flow.worker import BatchWorker, Worker
from rtreid_ros.nodes.guarding import Guard, LogBridge
from rtreid_ros.nodes.lookout.silence import SilenceWatch
from rtreid_ros.nodes.managed import ManagedNode
from rtreid_ros.nodes.messages.images import ImageView, view_compressed_image, view_image
from rtreid_ros.nodes.stamping import Stamps
from rtreid_ros.nodes.topics import Output
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

LOSSLESS_DEPTH = 64
"""Frames that may wait when none may be dropped: more than a source's window."""

_MISMATCH_DELAY_S = 0.3


class BaseNode(ManagedNode):
    """A node of ours: `configure` loads models, `activate` makes topics and threads.

    Callbacks run in one executor thread; slow work goes to a `Worker`.

    Attributes:
        statistics: what is counted and published in ``/diagnostics``.
        models: what runs where, by stage; shown in ``/diagnostics``.
        inputs: by topic, what is called with each message of it; while active.
        outputs: by topic, what is published on; while active.
        silence: notices topics on which nothing comes.
        stamps: notices stamps that tell no time.
        lossless: whether every frame is to be processed; set by `configure`.
    """

    def __init__(self, **arguments: Any) -> None:
        """Declare all parameters; `arguments` are those of `rclpy.node.Node`.

        Raises:
            ConfigError: a parameter that cannot be.
        """
        super().__init__(**arguments)
        self.statistics = Statistics()
        self.models: dict[str, ModelInfo] = {}
        self.inputs: dict[str, Callable[[Any], None]] = {}
        self.outputs: dict[str, Output] = {}
        self.lossless = False
        self._throttle = Throttle()
        self._workers: list[BatchWorker[Any]] = []
        self.silence = SilenceWatch(self)
        self.stamps = Stamps(self)
        self._refused: dict[str, int] = {}
        self._log_bridge = LogBridge(self)
        logging.getLogger("rtreid_ros").addHandler(self._log_bridge)
        self._diagnostics = Diagnostics(self)
        self._steady_timer(1.0, "diagnostics", self._report)  # also in a node that is not active

    def deactivate(self) -> None:
        """Stop working; threads and topics made since activation end here."""
        for worker in self._workers:
            if not worker.close():
                self.get_logger().error("the model did not end in time")
        self._workers.clear()
        super().deactivate()
        self.stamps = Stamps(self)
        self.silence.close()
        self.inputs.clear()
        self.outputs.clear()

    def cleanup(self) -> None:
        """Free what `configure` has loaded."""
        super().cleanup()
        self.models.clear()

    def close(self) -> None:
        """End what still runs, at the end of the process."""
        super().close()
        logging.getLogger("rtreid_ros").removeHandler(self._log_bridge)

    # ----------------------------------------------------------------------------- topics

    def publish_to(self, kind: type, topic: str, profile: QoSProfile) -> Output:
        """A publisher, while active, whose QoS users can override and whose mismatches are explained."""
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
        self._made.append(lambda: self.destroy_publisher(publisher))
        self.outputs[name] = output = Output(publisher)
        return output

    def subscribe_to(
        self,
        kind: type,
        topic: str,
        callback: Callable[[Any], None],
        profile: QoSProfile,
        *,
        raw: bool = False,
        counted: bool = True,
        awaited: bool = True,
        also: Statistics | None = None,
    ) -> Subscription[Any]:
        """A subscription, while active, whose QoS users can override and whose mismatches are explained.

        Args:
            kind: message type.
            topic: its name, relative.
            callback: takes a message; what it raises is counted and logged.
            profile: QoS before overrides.
            raw: hand over serialised bytes.
            counted: whether its messages are input, which shows in ``/diagnostics``.
            awaited: whether input that does not come is explained.
            also: where its messages are counted beside the node's statistics.
        """
        name = self.resolve_topic_name(topic)

        def mismatch(_: object) -> None:
            self._explain_mismatch(name, subscription.qos_profile, publishing=False)

        def lost(event: Any) -> None:
            for statistics in (self.statistics, also):
                if statistics is not None:
                    statistics.count("lost", event.total_count_change)

        def receive(message: Any) -> None:
            if counted:
                self.statistics.count("received")
                self.silence.received(name)
            if also is not None:
                also.count("received")
            with self.guarded(f"message on {name}", also):
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
        self._made.append(lambda: self.destroy_subscription(subscription))
        if counted and awaited:
            self.silence.watch(topic, kind, subscription)
        self.inputs[name] = receive
        return subscription

    def subscribe_to_images(
        self,
        callback: Callable[[ImageView], None],
        transport: str,
        topic: str = "image",
        also: Statistics | None = None,
        *,
        paired: bool = False,
    ) -> Subscription[Any]:
        """A subscription to raw or compressed images that hands them over without a copy.

        `paired` says that they are matched by stamp with what another node has made of them.
        """
        compressed = transport == "compressed"
        topic = f"{topic}/compressed" if compressed else topic
        view = self.stamps.reader(view_compressed_image if compressed else view_image, topic, paired=paired)
        return self.subscribe_to(
            CompressedImage if compressed else Image,
            topic,
            lambda cdr: callback(view(cdr)),
            qos.image_qos(self.lossless, publishing=False),
            raw=True,
            also=also,
        )

    def _explain_mismatch(self, topic: str, own: QoSProfile, *, publishing: bool) -> None:
        def explain() -> None:
            text = qos.mismatch_text(self, topic, own, publishing=publishing)
            self.get_logger().error(text)
            if not publishing:
                self.silence.said(topic, text)

        # the other end's name and profile are known a moment after the event
        self.after(_MISMATCH_DELAY_S, "explanation", explain)

    # ------------------------------------------------------------------------- error policy

    def work_with(self, process: Callable[[T], None], depth: int = 1) -> Worker[T]:
        """A worker thread for `process` with a queue of `depth`, and of `most_bytes`: the newest items win.

        In lossless mode nothing is dropped: the queue is as long as a source's window may be, and
        callbacks wait when it is full. What `process` raises is counted and logged; the next item
        goes on.
        """

        def guarded(item: T) -> None:
            with self.guarded("frame"):
                process(item)

        depth = max(depth, LOSSLESS_DEPTH) if self.lossless else depth
        worker = Worker(
            guarded,
            depth=depth,
            most_bytes=self.most_bytes,
            lossless=self.lossless,
            dropped=self.count_dropped,
        )
        self._workers.append(worker)
        return worker

    @property
    def most_bytes(self) -> int | None:
        """What may wait in one place; None when lossless, where the source's window bounds it."""
        return None if self.lossless else room.BYTES

    def count_dropped(self, amount: int) -> None:
        """So many items had to go before their turn."""
        self.statistics.count("dropped", amount)

    def work_in_batches(
        self,
        process: Callable[[list[tuple[str, T]]], None],
        inbox: Inbox[T],
        *,
        most: int = 1,
        window: float = 0.0,
    ) -> None:
        """A worker thread for what comes into `inbox` from several cameras; see `BatchWorker`.

        Workers end in the order in which they were made: first the one that others get their items from.
        """

        def guarded(items: list[tuple[str, T]]) -> None:
            with self.guarded("frames"):
                process(items)

        self._workers.append(BatchWorker(guarded, inbox, most=most, window=window))

    def wait_until_idle(self, timeout: float) -> bool:
        """Wait until all workers have done what they were given; False after `timeout` seconds."""
        return all(worker.wait_until_idle(timeout) for worker in self._workers)

    def guarded(self, what: str, also: Statistics | None = None) -> Guard:
        """A block in which bad input or a failing model costs one `what`, never the node.

        It is counted in the node's statistics, and in `also`.
        """
        return Guard(self, what, also)

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

    def age_ms(self, stamp_ns: int) -> float | None:
        """Milliseconds since `stamp_ns`; None where it tells no time. See `Stamps.age_ms`."""
        return self.stamps.age_ms(stamp_ns)

    def count_processed(self, stamp_ns: int, received: float) -> None:
        """One result went out for the image of `stamp_ns` that came at `received` (monotonic s)."""
        latencies = {"processing": (time.monotonic() - received) * 1e3}
        age = self.age_ms(stamp_ns)
        if age is not None:
            latencies["latency"] = age
        self.statistics.processed(**latencies)

    def announce_models(self) -> None:
        """The start-up line: what runs where."""
        for stage, info in self.models.items():
            self.get_logger().info(f"{stage}: {info}")

    def diagnostic_values(self) -> dict[str, str]:
        """What ``/diagnostics`` shows beside the statistics; subclasses add to it."""
        values = {"lossless": str(self.lossless).lower()}
        if self.stamps.problem:
            values["stamps"] = self.stamps.problem
        for stage, info in self.models.items():
            values[f"{stage}.model"] = info.name
            values[f"{stage}.provider"] = info.provider
            values[f"{stage}.layout"] = info.layout
        return values

    def _report(self) -> None:
        self.silence.check()
        self._diagnostics.publish()
