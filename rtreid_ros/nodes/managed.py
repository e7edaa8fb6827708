"""The life of a node: lifecycle transitions, parameters, the end of its process."""

from __future__ import annotations

import traceback
from abc import abstractmethod
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, ClassVar, TypeVar

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.timer import Timer
from std_srvs.srv import Trigger

from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes.options import NODES, LifeOptions, TrackerNodeOptions
from rtreid_ros.nodes.parameters import Parameters
from rtreid_ros.tracking import TRACKERS

T = TypeVar("T")


class ManagedNode(LifecycleNode):  # type: ignore[misc]  # rclpy is untyped to us
    """A managed node with the parameters that `options.NODES` lists. Subclasses extend the steps of its life.

    What a step raises makes its transition fail, with the reason in the log and in `failure`.

    Attributes:
        kind: name of the executable, key into `options.NODES`.
        state: ``unconfigured``, ``inactive``, ``active`` or ``finalized``.
        failure: why the last transition failed; empty if it did not.
        exit_code: what the process ends with.
        ended: whether it is to end.
    """

    kind: ClassVar[str]

    def __init__(self, **arguments: Any) -> None:
        """Declare all parameters; `arguments` are those of `rclpy.node.Node`.

        Raises:
            ConfigError: a parameter that cannot be.
        """
        super().__init__(self.kind, **arguments)
        self.state = "unconfigured"
        self.failure = ""
        self.exit_code = 0
        self.ended = False
        self._wake = self.create_guard_condition(lambda: None)
        self._made: list[Callable[[], object]] = []
        """How to destroy what was made since activation."""
        self._loaded: set[str] = set()
        """Attributes that `configure` has set."""
        self._settings = Parameters(self)
        self._declare_parameters()

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
        """Stop working; what was made since activation ends here."""
        for destroy in reversed(self._made):
            destroy()
        self._made.clear()

    def cleanup(self) -> None:
        """Free what `configure` has loaded: the attributes it has set go."""
        for name in self._loaded & vars(self).keys():
            delattr(self, name)
        self._loaded.clear()

    def close(self) -> None:
        """End what still runs, at the end of the process."""
        self._release()
        self.state = "finalized"

    def destroy_node(self) -> None:
        """Leave the graph."""
        super().destroy_node()
        # rclpy forgets it, and it keeps the node visible until the garbage collector comes by
        self._state_machine.destroy_when_not_in_use()

    def finish(self) -> None:
        """End the process, with `exit_code`; from any thread."""
        self.ended = True
        self._wake.trigger()

    @property
    def is_configured(self) -> bool:
        """Whether models are loaded."""
        return self.state in {"inactive", "active"}

    @property
    def is_active(self) -> bool:
        """Whether it works."""
        return self.state == "active"

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
        self.state = "unconfigured"
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        if (naming := NODES[self.kind].tracker) is not None:
            self._follow_tracker(self.options_of(naming, "tracker"))
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
        self.state = state
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
            RtreidError: they cannot be, and nothing has changed; it is refused with this reason.
        """

    def chosen(self, options: Any, changes: Iterable[str]) -> None:
        """Follow options of a group that are being changed while unconfigured, to others that hang on them.

        Args:
            options: of the group.
            changes: dotted names of all that changes at once.
        """
        if type(options) is NODES[self.kind].tracker:
            self._follow_tracker(options, changes)

    def _declare_parameters(self) -> None:
        description = NODES[self.kind]
        self._settings.declare("", LifeOptions)
        for prefix, cls in description.groups.items():
            self._settings.declare(prefix, cls)
        if description.tracker is not None:
            self._settings.declare("tracker", description.tracker)
            self._follow_tracker(self.options_of(description.tracker, "tracker"))
        # one parameter file may serve all nodes: "tracker" is shared with those that only look at its name
        owned = set(description.groups) - {"tracker"}
        owned |= {"tracker"} if description.tracker is TrackerNodeOptions else set()
        self._settings.refuse_unknown(owned)

    def _follow_tracker(self, naming: Any, changes: Iterable[str] = ()) -> None:
        """Declare the options of the tracker that `naming` names, instead of those of another one."""
        options = TRACKERS[naming.name].Options
        self._settings.declare("tracker", options)
        # what changes now must stay declared until it has
        self._settings.keep_only("tracker", type(naming), options, spare=changes)

    # -------------------------------------------------------------- timers and services

    @abstractmethod
    def guarded(self, what: str) -> AbstractContextManager[None, bool]:
        """A block whose exceptions cost one `what`, never the node: they are counted and logged."""

    def every(self, seconds: float, what: str, callback: Callable[[], None]) -> None:
        """Call again and again, while active, on the steady clock, which no simulated clock stops.

        What a `callback` raises costs one call of it; the log calls that `what`.
        """
        timer = self._steady_timer(seconds, what, callback)
        self._made.append(lambda: self.destroy_timer(timer))

    def after(self, seconds: float, what: str, callback: Callable[[], None]) -> None:
        """Call once, if still active then; as `every`."""

        def destroy() -> None:
            self.destroy_timer(timer)

        def due() -> None:
            self._made.remove(destroy)
            destroy()
            callback()

        timer = self._steady_timer(seconds, what, due)
        self._made.append(destroy)

    def _steady_timer(self, seconds: float, what: str, callback: Callable[[], None]) -> Timer:
        def call() -> None:
            with self.guarded(what):
                callback()

        return self.create_timer(seconds, call, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def offer(self, name: str, act: Callable[[], str]) -> None:
        """A service ``~/name`` (std_srvs/Trigger), while active.

        Args:
            name: of the service.
            act: does what is asked and says what it did; what it raises is the reason why not.
        """

        def serve(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            try:
                response.message, response.success = act(), True
                self.get_logger().info(response.message)
            except RtreidError as error:
                response.message = str(error)
                self.get_logger().error(f"{name}: {error}")
            except Exception as error:
                with self.guarded(f"service {name}"):
                    raise
                response.message = f"failed: {type(error).__name__}: {error}; the log tells where"
            return response

        service = self.create_service(Trigger, f"~/{name}", serve)
        self._made.append(lambda: self.destroy_service(service))
