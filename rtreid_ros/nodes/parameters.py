"""ROS parameters from options dataclasses: declared, described, ranged, checked."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from rtreid_ros.errors import ConfigError
from rtreid_ros.nodes.options import dotted
from rtreid_ros.options import Option, build, describe
from rtreid_ros.registry import suggest

T = TypeVar("T")

_INT64_MAX = 2**63 - 1


def descriptor(item: Option) -> ParameterDescriptor:
    """What ``ros2 param describe`` shows."""
    # Typed dynamically so that an integer given for a number is taken and a wrong type gets our
    # own message; Option.check is the judge of both.
    described = ParameterDescriptor(description=item.help, dynamic_typing=True, read_only=True)
    if item.choices is not None:
        described.additional_constraints = f"one of: {', '.join(item.choices)}"
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
    if item.kind is tuple:
        # ROS can say neither the type of an empty list nor () at all: [""] stands for it
        return () if value is None or list(value) == [""] else tuple(value)
    return "" if value is None and item.kind is str else value


def declare(node: Node, prefix: str, cls: type[T]) -> T:
    """Declare every option of `cls` as ``prefix.name`` and read it.

    Raises:
        ConfigError: a value of the wrong type or out of range.
    """
    return build(cls, {item.name: _declare(node, dotted(prefix, item.name), item) for item in describe(cls)})


def _declare(node: Node, name: str, item: Option) -> Any:
    default = (list(item.default) or [""]) if item.kind is tuple else item.default
    value = _given(node).get(name, default)
    try:
        # before ROS judges it, whose words are about types and ranges in general
        checked = item.check(_plain(getattr(value, "value", value), item))
        node.declare_parameter(name, default, descriptor(item))
    except ConfigError as wrong:
        raise ConfigError(f"parameter {name}{str(wrong).removeprefix(item.name)}") from None
    except ParameterException as error:
        raise ConfigError(f"parameter {name}: {error}") from None
    return checked


def _given(node: Node) -> dict[str, Any]:
    """Parameters given from outside, by name; rclpy has no public way to ask."""
    given: dict[str, Any] = getattr(node, "_parameter_overrides", {})
    return given


def refuse_unknown(node: Node, prefixes: Iterable[str]) -> None:
    """Raise for given parameters that nobody declared, in groups this node owns.

    One file may serve several nodes, so names outside `prefixes` may belong to others.

    Raises:
        ConfigError: such a name; the nearest one is suggested.
    """
    declared = list(node.get_parameters_by_prefix(""))
    for name in _given(node):
        group = name.partition(".")[0]
        if group in prefixes and "." in name and name not in declared:
            known = [item for item in declared if item.startswith(f"{group}.")]
            raise ConfigError(f"unknown parameter {name}{suggest(name, known)}; known: {', '.join(known)}")
        if "." not in name and name not in declared and "" in prefixes:
            close = suggest(name, declared)
            node.get_logger().warning(f"parameter {name} is not one of this node's{close}; ignored")
