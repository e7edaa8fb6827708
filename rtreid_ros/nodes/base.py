"""What all nodes share: parameters, topics, counting, ``/diagnostics``, start and end."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import Trigger

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.images import ImageView, view_compressed_image, view_image
from rtreid_ros.nodes.inbox import Inbox
from rtreid_ros.nodes.options import NODES, LifeOptions, TrackerNodeOptions
from rtreid_ros.nodes.parameters import Parameters
from rtreid_ros.nodes.silence import SilenceWatch
from rtreid_ros.nodes.statistics import Statistics, Throttle
from rtreid_ros.nodes.topics import Output
from rtreid_ros.nodes.worker import BatchWorker, Worker
from rtreid_ros.runtime.info import ModelInfo
from rtreid_ros.tracking import TRACKERS
from rtreid_ros.tracking.base import TrackerOptions

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


class BaseNode(LifecycleNode):  # type: ignore[misc]  # rclpy is untyped to us
    """A managed node of ours. Subclasses extend the steps of its life.

    `configure` loads models, `activate` makes topics and threads, `deactivate` ends and `cleanup` frees
    them. What a step raises makes its transition fail, with the reason in the log and in
    ``/diagnostics``. Callbacks run in one executor thread; slow work goes to a `Worker`.

    Attributes:
        kind: name of the executable, key into `options.NODES`.
        statistics: what is counted and published in ``/diagnostics``.
        models: what runs where, by stage; shown in ``/diagnostics``.
        inputs: by topic, what is called with each message of it; while active.
        outputs: by topic, what is published on; while active.
        exit_code: what the process ends with.
        ended: whether it is to end.
        failure: why the last transition failed; empty if it did not.
    """

    kind: ClassVar[str]

    def __init__(self, **arguments: Any) -> None:
        """Declare all parameters; `arguments` are those of `rclpy.node.Node`.

        Raises:
            ConfigError: a parameter that cannot be.
        """
        super().__init__(self.kind, **arguments)
        self.statistics = Statistics()
        self.models: dict[str, ModelInfo] = {}
        self.inputs: dict[str, Callable[[Any], None]] = {}
        self.outputs: dict[str, Output] = {}
        self.exit_code = 0
        self.lossless = False
        self.ended = False
        self.failure = ""
        self._wake = self.create_guard_condition(lambda: None)
        self._throttle = Throttle()
        self._workers: list[BatchWorker[Any]] = []
        self._made: list[Callable[[], object]] = []
        """How to destroy what was made since activation."""
        self._silence = SilenceWatch(self)
        self._warned: dict[str, int] = {}
        self._refused: dict[str, int] = {}
        self._state = "unconfigured"
        self._loaded: set[str] = set()
        """Attributes that `configure` has set."""
        self._settings = Parameters(self)
        self._declare_parameters()
        self._log_bridge = _LogBridge(self)
        logging.getLogger("rtreid_ros").addHandler(self._log_bridge)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # steady, so that they come also while a simulated clock stands still
        self.create_timer(1.0, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    # ------------------------------------------------------------------ steps of its life

    def configure(self) -> None:
        """Read parameters and load models.

        Raises:
            RtreidError: something the user can mend; the node stays unconfigured.
        """

    def activate(self) -> None:
        """Make topics and start working.

        Raises:
            RtreidError: something the user can mend; the node stays inactive.
        """

    def deactivate(self) -> None:
        """Stop working; threads and topics made since activation end here."""
        for worker in self._workers:
            if not worker.close():
                self.get_logger().error("the model did not end in time")
        self._workers.clear()
        for destroy in reversed(self._made):
            destroy()
        self._made.clear()
        self._silence.close()
        self.inputs.clear()
        self.outputs.clear()

    def cleanup(self) -> None:
        """Free what `configure` has loaded: the attributes it has set go."""
        self.models.clear()
        for name in self._loaded & vars(self).keys():
            delattr(self, name)
        self._loaded.clear()

    def close(self) -> None:
        """End what still runs, at the end of the process."""
        self._release()
        self._state = "finalized"
        logging.getLogger("rtreid_ros").removeHandler(self._log_bridge)

    def finish(self) -> None:
        """End the process, with `exit_code`; from any thread."""
        self.ended = True
        self._wake.trigger()

    @property
    def is_configured(self) -> bool:
        """Whether models are loaded."""
        return self._state in {"inactive", "active"}

    @property
    def is_active(self) -> bool:
        """Whether it works."""
        return self._state == "active"

    # ------------------------------------------------------------------------- transitions

    def start(self) -> bool:
        """Configure and activate, unless ``autostart`` is false; whether all went well."""
        if not self.options_of(LifeOptions).autostart:
            self.get_logger().info(
                f"unconfigured: waits for `ros2 lifecycle set {self.get_fully_qualified_name()} configure`"
            )
            return True
        success = TransitionCallbackReturn.SUCCESS
        return bool(self.trigger_configure() == success and self.trigger_activate() == success)

    def on_configure(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Transition of the managed node."""
        return self._step("configure", self._configure, "inactive", undo=self.cleanup)

    def on_activate(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Transition of the managed node."""
        return self._step("activate", self._activate, "active", undo=self.deactivate)

    def on_deactivate(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Transition of the managed node."""
        return self._step("deactivate", self.deactivate, "inactive")

    def on_cleanup(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Transition of the managed node."""
        return self._step("clean up", self.cleanup, "unconfigured")

    def on_shutdown(self, _: LifecycleState) -> TransitionCallbackReturn:
        """Transition of the managed node: its process ends."""
        self.finish()
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, _: LifecycleState) -> TransitionCallbackReturn:
        """After a failure of our own code: unconfigured again, so that it can be tried anew."""
        self._release()
        self._state = "unconfigured"
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self._follow_tracker_name()
        before = set(vars(self))
        try:
            self.configure()
        finally:
            self._loaded = set(vars(self)) - before

    def _activate(self) -> None:
        self.activate()
        # declared by the topics themselves, so they can only be judged now
        self._settings.refuse_unknown({"qos_overrides"})
        self.get_logger().info("ready")

    def _release(self) -> None:
        self.deactivate()
        self.cleanup()

    def _step(
        self, name: str, step: Callable[[], None], state: str, undo: Callable[[], None] | None = None
    ) -> TransitionCallbackReturn:
        self.failure = ""
        try:
            step()
        except RtreidError as error:
            self.failure = f"cannot {name}: {error}"
            self.get_logger().error(self.failure)
            if undo is not None:
                undo()
            return TransitionCallbackReturn.FAILURE
        except Exception:
            self.failure = f"cannot {name}: {traceback.format_exc().rstrip()}"
            self.get_logger().error(self.failure)
            return TransitionCallbackReturn.ERROR
        self._state = state
        return TransitionCallbackReturn.SUCCESS

    # ------------------------------------------------------------------------- parameters

    def options(self, prefix: str = "") -> Any:
        """The options of a group of this node's parameters, as `options.NODES` lists them."""
        return self._settings.read(prefix, NODES[self.kind].groups[prefix])

    def options_of(self, cls: type[T], prefix: str = "") -> T:
        """The options `cls` among the parameters ``prefix.*``."""
        return self._settings.read(prefix, cls)

    def changed(self, prefix: str, options: Any) -> None:
        """Take over options of a group that were changed while configured.

        Raises:
            RtreidError: they cannot be; the change is refused with this reason.
        """

    def _declare_parameters(self) -> None:
        description = NODES[self.kind]
        self._settings.declare("", LifeOptions)
        for prefix, cls in description.groups.items():
            self._settings.declare(prefix, cls)
        self._tracker: type[TrackerOptions] | None = None
        if description.has_tracker:
            self._settings.declare("tracker", TrackerNodeOptions)
            self._follow_tracker_name()
        # one parameter file may serve all nodes: "tracker" is shared with those that only look at its name
        owned = set(description.groups) - {"tracker"} | ({"tracker"} if description.has_tracker else set())
        self._settings.refuse_unknown(owned)

    def _follow_tracker_name(self) -> None:
        """Declare the options of the tracker now chosen, instead of those of the one before."""
        if not NODES[self.kind].has_tracker:
            return
        options = TRACKERS[self.options_of(TrackerNodeOptions, "tracker").name].Options
        before, self._tracker = self._tracker, options
        self._settings.declare("tracker", options)
        if before is not None and before is not options:
            self._settings.forget("tracker", before, keep=(options, TrackerNodeOptions))

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
                self._silence.received(name)
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
            self._silence.watch(topic, kind, subscription)
        self.inputs[name] = receive
        return subscription

    def subscribe_to_images(
        self,
        callback: Callable[[ImageView], None],
        transport: str,
        topic: str = "image",
        also: Statistics | None = None,
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
                also=also,
            )
        return self.subscribe_to(
            Image, topic, lambda cdr: callback(view_image(cdr)), profile, raw=True, also=also
        )

    def every(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """A timer, while active, on the steady clock: it goes on while a simulated clock stands still."""
        timer = self.create_timer(seconds, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._made.append(lambda: self.destroy_timer(timer))
        return timer

    def offer(self, name: str, act: Callable[[], str]) -> None:
        """A service ``~/name`` (std_srvs/Trigger), while active.

        Args:
            name: of the service.
            act: does what is asked and says what it did; an RtreidError is the reason why not.
        """

        def serve(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                response.message, response.success = act(), True
                self.get_logger().info(response.message)
            except RtreidError as error:
                response.message = str(error)
                self.get_logger().error(f"{name}: {error}")
            return response

        service = self.create_service(Trigger, f"~/{name}", serve)
        self._made.append(lambda: self.destroy_service(service))

    def _explain_mismatch(self, topic: str, own: QoSProfile, *, publishing: bool) -> None:
        def explain() -> None:
            timer.cancel()
            text = qos.mismatch_text(self, topic, own, publishing=publishing)
            self.get_logger().error(text)
            if not publishing:
                self._silence.said(topic, text)

        # the other end's name and profile are known a moment after the event
        timer = self.every(_MISMATCH_DELAY_S, explain)

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

        depth = max(depth, LOSSLESS_DEPTH) if self.lossless else depth
        worker = Worker(guarded, depth=depth, lossless=self.lossless, dropped=dropped)
        self._workers.append(worker)
        return worker

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

    def guarded(self, what: str, also: Statistics | None = None) -> _Guard:
        """A block in which bad input or a failing model costs one `what`, never the node.

        It is counted in the node's statistics, and in `also`.
        """
        return _Guard(self, what, also)

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
        self._silence.check()
        problems += self._silence.problems()
        level = DiagnosticStatus.WARN if problems else DiagnosticStatus.OK
        if self.failure:
            problems.insert(0, self.failure)
        if self.failure or any(text.endswith("errors") for text in problems):
            level = DiagnosticStatus.ERROR
        values["state"] = self._state
        if self.is_active:
            values.update({**self.diagnostic_values(), **self._silence.values()})
        status = DiagnosticStatus(
            level=level,
            name=f"{self.get_fully_qualified_name()}: {self.kind}",
            message=", ".join(problems) or ("running" if self.is_active else self._state),
            hardware_id=", ".join(info.name for info in self.models.values()),
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        message = DiagnosticArray(status=[status])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)


class _Guard:
    """Turns an exception into a count and a throttled log line."""

    def __init__(self, node: BaseNode, what: str, also: Statistics | None) -> None:
        self._node = node
        self._what = what
        self._counted = [node.statistics] if also is None else [node.statistics, also]

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> bool:
        if error is None:
            return False
        if not isinstance(error, Exception):
            return False
        for statistics in self._counted:
            statistics.count("rejected" if isinstance(error, RtreidError) else "errors")
        if isinstance(error, RtreidError):
            self._node.warn(f"{self._what}: {type(error).__name__}", f"{self._what} refused: {error}")
        else:
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
