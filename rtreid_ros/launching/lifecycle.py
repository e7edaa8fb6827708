"""Nodes that launch leads through their lifecycle, with events that Humble and all later releases have."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from launch import Action, LaunchContext
from launch.actions import EmitEvent, LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit, OnProcessStart
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited
from launch_ros.actions import LifecycleNode
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from lifecycle_msgs.msg import Transition

from rtreid_ros.errors import RtreidError
from rtreid_ros.launching.arguments import Values

_FAILURES = (
    ("configuring", "unconfigured", "could not be configured"),
    ("configuring", "errorprocessing", "could not be configured"),
    ("activating", "inactive", "could not be activated"),
    ("activating", "errorprocessing", "could not be activated"),
)


class NodeFailedError(RtreidError):
    """A node without which the rest is of no use has failed."""


def bring_up(
    nodes: Sequence[LifecycleNode],
    values: Values,
    *,
    optional: Sequence[LifecycleNode] = (),
    then: Sequence[Action] = (),
) -> list[Action]:
    """Start nodes, configure and activate them, unless ``autostart`` is false.

    When one of them fails to, or its process dies and is not started again (``respawn``), launch
    ends with exit code 1 and says which.

    Args:
        nodes: those that are needed.
        values: of the arguments.
        optional: those without which the rest goes on.
        then: what to do once all `nodes` are active.
    """
    actions: list[Action] = []
    waiting = {id(node) for node in nodes}

    def ready(node: LifecycleNode) -> Callable[[LaunchContext], Sequence[Action]]:
        def active(_: LaunchContext) -> Sequence[Action]:
            waiting.discard(id(node))
            return [] if waiting else then

        return active

    led = values.flag("autostart") and not values.flag("respawn")
    for node in (*nodes, *optional):
        report = _give_up if node in nodes else _say
        if led:
            actions += _transitions(node, report)
        if node in nodes:
            if then:
                actions.append(_on(node, OpaqueFunction(function=ready(node)), goal_state="active"))
            if not values.flag("respawn"):
                actions.append(RegisterEventHandler(OnProcessExit(target_action=node, on_exit=_died)))
    return [*actions, *nodes, *optional]  # who listens must do so first


def _transitions(node: LifecycleNode, report: Callable[[LaunchContext, str], object]) -> list[Action]:
    """Configure when the process has started, then activate; `report` what fails."""

    def change(transition: int) -> EmitEvent:
        event = ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
        return EmitEvent(event=event)

    def failed(what: str) -> OpaqueFunction:
        return OpaqueFunction(function=lambda context: report(context, f"{node.node_name} {what}"))

    configure, activate = change(Transition.TRANSITION_CONFIGURE), change(Transition.TRANSITION_ACTIVATE)
    return [
        RegisterEventHandler(OnProcessStart(target_action=node, on_start=[configure])),
        _on(node, activate, start_state="configuring", goal_state="inactive"),
        *(_on(node, failed(what), start_state=start, goal_state=goal) for start, goal, what in _FAILURES),
    ]


def _on(node: LifecycleNode, action: Action, **states: str) -> RegisterEventHandler:
    # once: what a person does later with `ros2 lifecycle set` is that person's affair
    handler = OnStateTransition(target_lifecycle_node=node, entities=[action], handle_once=True, **states)
    return RegisterEventHandler(handler)


def _died(event: ProcessExited, context: LaunchContext) -> None:
    if event.returncode and not context.is_shutdown:
        _give_up(context, f"{event.process_name} ended with exit code {event.returncode}")


def _give_up(_: LaunchContext, what: str) -> None:
    # an exception, because launch ends with exit code 0 on any event
    raise NodeFailedError(f"{what}; its log says why")


def _say(_: LaunchContext, what: str) -> list[Action]:
    return [LogInfo(msg=f"{what}; the others go on")]


def end_after(nodes: Sequence[Action], *actions: Action) -> list[Action]:
    """End everything once all these processes have ended and `actions`, if any, are done."""
    running = {id(node) for node in nodes}
    last: Action = EmitEvent(event=Shutdown(reason="all is done"))
    if actions:
        then = RegisterEventHandler(OnProcessExit(target_action=actions[-1], on_exit=[last]))

    def ended(event: ProcessExited, _: LaunchContext) -> Sequence[Action] | None:
        running.discard(id(event.action))
        if running:
            return None
        return [then, *actions] if actions else [last]

    return [RegisterEventHandler(OnProcessExit(target_action=node, on_exit=ended)) for node in nodes]
