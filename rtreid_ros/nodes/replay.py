"""The tracking node in this process, fed by hand: what a live graph computes, without losing a frame.

The node is the one that ``ros2 run`` starts, made with the parameters of its YAML file and brought up
by its own lifecycle transitions. It is lossless and on simulated time, which is set to each image's
stamp. An image's serialised bytes are handed to the very function that its subscription would call,
and the tracks are taken where they are published; the next image follows when the node is idle again.
So nothing depends on how fast anything is, and nothing reaches or disturbs the ROS graph around.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rclpy
from rclpy.clock import ROSClock
from rclpy.context import Context
from rclpy.logging import LoggingSeverity
from rclpy.parameter import Parameter
from rclpy.serialization import serialize_message
from rclpy.time import Time
from std_msgs.msg import Float64

from rtreid_ros.bags.definitions import TRACK_ARRAY, message_types
from rtreid_ros.bags.messages import decompressed
from rtreid_ros.closing import Closing
from rtreid_ros.errors import ConfigError, ImageError, MessageError
from rtreid_ros.msg import FrameTrace, TrackArray
from rtreid_ros.nodes.flow.trace import TOPIC, trace_from_message
from rtreid_ros.nodes.messages.conversions import tracks_from_message
from rtreid_ros.nodes.tracking_node import TrackingNode
from rtreid_ros.pipeline import FrameResult, Timings
from rtreid_ros.registry import suggest
from rtreid_ros.types import Detections, Frame

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtreid_ros.bags.cameras import BagImage, Camera
    from rtreid_ros.sinks.trace_events import NodeTrace

STAGES = ("detection_ms", "embedding_ms", "camera_motion_ms", "tracking_ms")
"""Fields of a TrackArray with the time each stage took."""
_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)
_PATIENCE_S = 600.0
"""A model that works on one image for longer hangs."""


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What the node made of one image.

    Attributes:
        tracks: the message; None where it refused the image.
        milliseconds: time each stage took, by `STAGES`, and ``node_ms`` from hand-over to result.
        trace: what was done when; None where it refused the image.
    """

    tracks: TrackArray | None
    milliseconds: Mapping[str, float]
    trace: NodeTrace | None

    def result(self, image: BagImage) -> FrameResult:
        """The tracks as sinks take them.

        Raises:
            MessageError: there are none.
        """
        frame = Frame(_NO_IMAGE, image.index, image.stamp_ns, camera=image.camera.name)
        return FrameResult(frame, Detections.empty(), tracks_from_message(self._message()), Timings())

    def timeless(self) -> bytes:
        """The message serialised, with no time taken: the same bytes in every run.

        Raises:
            MessageError: there is none.
        """
        types = message_types()
        content: Any = types.deserialize_cdr(serialize_message(self._message()), TRACK_ARRAY)
        for stage in STAGES:
            setattr(content, stage, 0.0)
        # not the middleware's bytes, whose padding is whatever lay in memory
        return bytes(types.serialize_cdr(content, TRACK_ARRAY))

    def _message(self) -> TrackArray:
        if self.tracks is None:
            raise MessageError("an image that was refused has no tracks")
        return self.tracks


class Replay(Closing):
    """One tracking node, brought up for the cameras of a bag. A context manager.

    Args:
        cameras: what is fed in.
        config: ROS parameter file, as ``--params-file`` takes it.
        parameters: further parameters by name; these win.
        fallbacks: values of parameters that are left empty by all that.

    Attributes:
        node: the node, while entered.

    Raises:
        ConfigError: the file or a parameter cannot be.
        RtreidError: on entering: the node cannot be configured or activated; why is said.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        *,
        config: str | Path | None = None,
        parameters: Mapping[str, Any] | None = None,
        fallbacks: Mapping[str, str] | None = None,
    ) -> None:
        # a node takes images of one kind; of a bag with both, the compressed ones are decoded for it
        self._compressed = all(camera.compressed for camera in cameras)
        self._cameras = list(cameras)
        self._config = None if config is None else Path(config)
        if self._config is not None and not self._config.is_file():
            raise ConfigError(f"{self._config}: no such parameter file")
        self._parameters: dict[str, Any] = {
            **(parameters or {}),
            "lossless": True,
            "use_sim_time": True,
            "autostart": True,
            "image_transport": "compressed" if self._compressed else "raw",
            # [""] is how parameters say that a list of strings is empty
            "cameras": [camera.name for camera in cameras] if len(cameras) > 1 else [""],
        }
        self._fallbacks = dict(fallbacks or {})
        self._context = Context()
        self._results: list[TrackArray] = []
        self._traces: list[FrameTrace] = []
        self.node: TrackingNode

    def __enter__(self) -> Self:
        with _alone():
            rclpy.init(args=["--ros-args", "--disable-external-lib-logs"], context=self._context)
            try:
                self.node = self._make()
            except BaseException:
                self._context.try_shutdown()
                raise
        self.node.get_logger().set_level(LoggingSeverity.WARN)
        try:
            self._refuse_unknown()
            empty = [name for name in self._fallbacks if not self.node.get_parameter(name).value]
            self.node.set_parameters([Parameter(name, value=self._fallbacks[name]) for name in empty])
            if not self.node.start():
                raise ConfigError(self.node.failure)
            self._connect()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End the node."""
        self.node.close()
        self.node.destroy_node()
        self._context.try_shutdown()

    def feed(self, image: BagImage) -> Replayed:
        """Hand over an image of one of the cameras and wait for what the node makes of it.

        Raises:
            ConfigError: the node does not come back from it.
        """
        clock = self.node.get_clock()
        assert isinstance(clock, ROSClock)
        clock.set_ros_time_override(Time(nanoseconds=image.stamp_ns, clock_type=clock.clock_type))
        self._results.clear()
        self._traces.clear()
        begin = time.perf_counter()
        try:
            cdr = image.cdr if image.camera.compressed == self._compressed else decompressed(image.cdr)
        except (ImageError, MessageError) as error:
            self.node.get_logger().warning(f"{image.camera.image}: {error}")
            return Replayed(None, {}, None)
        self._inputs[image.camera.name](cdr)
        if not self.node.wait_until_idle(_PATIENCE_S):
            raise ConfigError(f"no tracks after {_PATIENCE_S:g} s on one image: the model hangs")
        milliseconds = {"node_ms": (time.perf_counter() - begin) * 1e3}
        tracks = self._results[-1] if self._results else None
        if tracks is not None:
            milliseconds.update({stage: float(getattr(tracks, stage)) for stage in STAGES})
        trace = trace_from_message(self._traces[-1]) if self._traces else None
        return Replayed(tracks, milliseconds, trace)

    def _make(self) -> TrackingNode:
        file = [] if self._config is None else ["--params-file", str(self._config)]
        try:
            overrides = [Parameter(name, value=value) for name, value in self._parameters.items()]
            return TrackingNode(
                context=self._context,
                cli_args=["--ros-args", *file],
                parameter_overrides=overrides,
                use_global_arguments=False,
                enable_rosout=False,
            )
        except ConfigError:
            raise
        except Exception as error:  # rclpy's own errors for arguments have no common base
            raise ConfigError(f"the node cannot be made: {str(error).splitlines()[0]}") from None

    def _refuse_unknown(self) -> None:
        """A file may serve several nodes, but single parameters are meant for this one."""
        known = list(self.node.get_parameters_by_prefix(""))
        for name in self._parameters:
            if name not in known and not name.startswith("qos_overrides."):
                raise ConfigError(f"unknown parameter {name}{suggest(name, known)}")

    def _connect(self) -> None:
        """Find where images go in and tracks come out, and announce the frame rates."""
        self._inputs = {camera.name: self.node.inputs[self._topic(camera)] for camera in self._cameras}
        self.node.outputs[self.node.resolve_topic_name(TOPIC)].listeners.append(self._traces.append)
        for camera in self._cameras:
            prefix = self._prefix(camera)
            self.node.outputs[f"{prefix}/tracks"].listeners.append(self._results.append)
            rate = self.node.inputs.get(f"{prefix}/source_rate")
            if rate is not None:  # not if the parameters say it
                rate(Float64(data=camera.frame_rate))

    def _prefix(self, camera: Camera) -> str:
        return f"/{camera.name}" if len(self._cameras) > 1 else ""

    def _topic(self, camera: Camera) -> str:
        return f"{self._prefix(camera)}/image{'/compressed' if self._compressed else ''}"


@contextmanager
def _alone() -> Iterator[None]:
    """Participants of the middleware made within see nobody, and nobody sees them."""
    changes: dict[str, str | None] = {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF",
        # Humble does not know that; for later ones it would overrule it
        "ROS_LOCALHOST_ONLY": "1" if os.environ.get("ROS_DISTRO") == "humble" else None,
        "FASTDDS_BUILTIN_TRANSPORTS": "UDPv4",  # no shared memory, which nobody would read
    }
    before = {name: os.environ.get(name) for name in changes}
    _set(changes)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
