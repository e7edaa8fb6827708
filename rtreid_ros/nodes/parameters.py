"""ROS parameters from options dataclasses: declared, described, ranged, checked, changed."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import ParameterException

from rtreid_ros.errors import ConfigError, RtreidError
from rtreid_ros.nodes.options import dotted
from rtreid_ros.options import Option, build, describe
from rtreid_ros.registry import suggest

if TYPE_CHECKING:
    from rclpy.node import Node
    from rclpy.parameter import Parameter

    from rtreid_ros.nodes.managed import ManagedNode

T = TypeVar("T")

_INT64_MAX = 2**63 - 1


def descriptor(item: Option) -> ParameterDescriptor:
    """What ``ros2 param describe`` shows."""
    # Typed dynamically so that an integer given for a number is taken and a wrong type gets our
    # own message; Option.check is the judge of both.
    described = ParameterDescriptor(description=item.help, dynamic_typing=True)
    constraints = [] if item.choices is None else [f"one of: {', '.join(item.choices)}"]
    constraints.append("can be changed at any time" if item.live else "read when the node configures")
    described.additional_constraints = "; ".join(constraints)
    if item.ge is not None or item.le is not None:
        if item.kind is float:
            low = -sys.float_info.max if item.ge is None else float(item.ge)
            high = sys.float_info.max if item.le is None else float(item.le)
            described.floating_point_range = [FloatingPointRange(from_value=low, to_value=high, step=0.0)]
        else:
            low_int = -_INT64_MAX if item.ge is None else int(item.ge)
            high_int = _INT64_MAX if item.le is None else int(item.le)
            described.integer_range = [IntegerRange(from_value=low_int, to_value=high_int, step=0)]
    return described


def _plain(value: Any, item: Option) -> Any:
    """A parameter's value as the options know it."""
    if isinstance(value, array):  # lists of numbers
        value = value.tolist()
    if item.kind is tuple:
        # ROS can say neither the type of an empty list nor () at all: [""] stands for it
        return () if value is None or value == [""] else value
    return "" if value is None and item.kind is str else value


def _checked(name: str, value: Any, item: Option) -> Any:
    """`value` as the option's type.

    Raises:
        ConfigError: it is none; the message names the parameter in full.
    """
    try:
        return item.check(_plain(value, item))
    except ConfigError as wrong:
        raise ConfigError(f"parameter {name}{str(wrong).removeprefix(item.name)}") from None


def _given(node: Node) -> dict[str, Any]:
    """Parameters given from outside, by name; rclpy has no public way to ask."""
    given: dict[str, Any] = getattr(node, "_parameter_overrides", {})
    return given


class Parameters:
    """The parameters of one node: options dataclasses by prefix.

    Those marked `live` may be changed at any time, the others only while the node is unconfigured. A change
    that cannot be is refused with the reason.

    Args:
        node: whose parameters.
    """

    def __init__(self, node: ManagedNode) -> None:
        self._node = node
        self._items: dict[str, tuple[str, type, Option]] = {}
        """Prefix, options dataclass and option of every parameter of ours, by its dotted name."""
        node.add_on_set_parameters_callback(self._judge)

    def declare(self, prefix: str, cls: type) -> None:
        """Declare every option of `cls` as ``prefix.name``; those already declared stay.

        Raises:
            ConfigError: a value of the wrong type or out of range.
        """
        for item in describe(cls):
            name = dotted(prefix, item.name)
            if name in self._items:
                self._items[name] = (prefix, cls, item)
                continue
            default = (list(item.default) or [""]) if item.kind is tuple else item.default
            value = _given(self._node).get(name, default)
            _checked(name, getattr(value, "value", value), item)  # before ROS, whose words are general
            try:
                self._node.declare_parameter(name, default, descriptor(item))
            except ParameterException as error:
                raise ConfigError(f"parameter {name}: {error}") from None
            self._items[name] = (prefix, cls, item)

    def keep_only(self, prefix: str, *classes: type, spare: Iterable[str] = ()) -> None:
        """Undeclare every ``prefix.name`` that none of `classes` has, but for those in `spare`."""
        kept = {dotted(prefix, item.name) for cls in classes for item in describe(cls)}.union(spare)
        for name in [name for name, (group, *_) in self._items.items() if group == prefix]:
            if name not in kept:
                del self._items[name]
                self._node.undeclare_parameter(name)

    def read(self, prefix: str, cls: type[T], changes: dict[str, Any] | None = None) -> T:
        """The options `cls` as they are, or as they would be with `changes` by dotted name.

        Raises:
            ConfigError: a value of the wrong type or out of range.
        """
        values = {}
        for item in describe(cls):
            name = dotted(prefix, item.name)
            value = (changes or {}).get(name, self._node.get_parameter(name).value)
            values[item.name] = _checked(name, value, item)
        return build(cls, values)

    def refuse_unknown(self, prefixes: Iterable[str]) -> None:
        """Raise for given parameters that nobody declared, in groups this node owns.

        One file may serve several nodes, so names outside `prefixes` may belong to others.

        Raises:
            ConfigError: such a name; the nearest one is suggested.
        """
        declared = list(self._node.get_parameters_by_prefix(""))
        for name in _given(self._node):
            group = name.partition(".")[0]
            if group in prefixes and "." in name and name not in declared:
                known = [item for item in declared if item.startswith(f"{group}.")]
                raise ConfigError(
                    f"unknown parameter {name}{suggest(name, known)}; known: {', '.join(known)}"
                )
            if "." not in name and name not in declared and "" in prefixes:
                close = suggest(name, declared)
                self._node.get_logger().warning(f"parameter {name} is not one of this node's{close}; ignored")

    def _judge(self, changed: list[Parameter[Any]]) -> SetParametersResult:
        """Refuse a change with the reason, or hand it to the node; never raises."""
        try:
            self._apply([item for item in changed if item.name in self._items])
        except RtreidError as error:
            return SetParametersResult(successful=False, reason=str(error))
        except Exception as error:
            with self._node.guarded("parameter change"):
                raise
            return SetParametersResult(successful=False, reason=f"failed: {type(error).__name__}: {error}")
        return SetParametersResult(successful=True)

    def _apply(self, changed: list[Parameter[Any]]) -> None:
        changes = {item.name: item.value for item in changed}
        groups: dict[tuple[str, type], Any] = {}
        for parameter in changed:
            prefix, cls, item = self._items[parameter.name]
            if parameter.type_ == parameter.Type.NOT_SET:
                raise ConfigError(f"parameter {parameter.name} cannot be deleted, only set to another value")
            _checked(parameter.name, parameter.value, item)
            if self._node.is_configured and not item.live:
                raise ConfigError(
                    f"parameter {parameter.name} is read when the node configures: "
                    "deactivate it and clean it up first"
                )
            groups[prefix, cls] = None
        for prefix, cls in groups:
            groups[prefix, cls] = self.read(prefix, cls, changes)
        if self._node.is_configured:
            self._hand_over(groups)
        else:
            for options in groups.values():
                self._node.chosen(options, changes)

    def _hand_over(self, groups: dict[tuple[str, type], Any]) -> None:
        """Give the node the changed options of every group, or of none if it refuses those of one."""
        taken: list[tuple[str, type]] = []
        try:
            for (prefix, cls), options in groups.items():
                self._node.changed(prefix, options)
                taken.append((prefix, cls))
        except Exception:
            for prefix, cls in taken:
                self._node.changed(prefix, self.read(prefix, cls))
            raise
