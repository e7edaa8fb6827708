"""One of the cameras that a tracking node serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtreid_ros.camera_motion import camera_motion_from
from rtreid_ros.msg import DetectionArray, TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.flow.motion import MotionStep
from rtreid_ros.nodes.flow.statistics import Statistics
from rtreid_ros.nodes.messages.conversions import (
    detections_message,
    header,
    set_camera_motion,
    tracks_message,
)
from rtreid_ros.nodes.stages.frame_deadline import FrameDeadline
from rtreid_ros.nodes.stages.tracker_stage import TrackerStage
from rtreid_ros.nodes.topics import camera_topic
from rtreid_ros.reid.economy import EconomyOptions, EmbeddingEconomy
from rtreid_ros.sinks.snapshot import save_snapshot
from rtreid_ros.stages import Camera
from rtreid_ros.types import Frame

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rtreid_ros.camera_motion import CameraMotionOptions
    from rtreid_ros.nodes.base import BaseNode
    from rtreid_ros.nodes.flow.trace import Marks
    from rtreid_ros.nodes.messages.images import ImageView
    from rtreid_ros.stages import FrameResult, Step
    from rtreid_ros.types import Detections, Float32, UInt8

_SHOWN = ("received", "processed", "dropped", "lost", "rejected", "errors", "rate_hz")
"""Figures of each of several cameras in ``/diagnostics``."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame on its way from the detector's thread to the tracker's."""

    view: ImageView
    marks: Marks
    frame: Frame
    detections: Detections


class CameraStage:
    """What belongs to one camera: its topics, the order of its stamps, its tracker, what it counts.

    Args:
        node: has the parameters.
        name: of several cameras; empty if there is but one.
        motion: how its motion is told.
        economy: which of its detections are embedded.
        deadline_ms: greatest age of its tracks; 0 = none.

    Attributes:
        name: as given.
        statistics: what it counts, beside the node.
        tracking: its tracker's parameters, life and order of stamps.
        deadline: what it may spend on a frame.

    Raises:
        ConfigError: an unknown tracker or a wrong parameter.
    """

    def __init__(
        self,
        node: BaseNode,
        name: str,
        motion: CameraMotionOptions,
        economy: EconomyOptions,
        deadline_ms: float,
    ) -> None:
        self._node = node
        self.name = name
        self.statistics = Statistics()
        self.tracking = TrackerStage(node, name)
        tracker = self.tracking.tracker
        self.deadline = FrameDeadline(node, deadline_ms)
        self._economy = EmbeddingEconomy(economy) if tracker.uses_embeddings else None
        estimator = camera_motion_from(motion, tracker.camera_motion)
        self._camera = Camera(tracker, estimator, self._economy)
        self._count = 0
        self._last: int | None = None
        self._latest: FrameResult | None = None

    def activate(self, transport: str, put: Callable[[str, ImageView], None]) -> None:
        """Make its topics; `put` gets its name and each image."""
        node, profile = self._node, qos.result_qos(self._node.lossless, publishing=True)
        self._last = None
        self._tracks = node.publish_to(TrackArray, self._topic("tracks"), profile)
        self._detections = node.publish_to(DetectionArray, self._topic("detections"), profile)
        self.tracking.activate()
        also = self.statistics if self.name else None
        node.subscribe_to_images(
            lambda view: put(self.name, view), transport, self._topic("image"), also=also
        )

    def guarded(self) -> AbstractContextManager[None]:
        """A block in which bad input or a failing model costs one frame of this camera."""
        what = f"frame of {self.name}" if self.name else "frame"
        return self._node.guarded(what, self.statistics)

    def take(self, image: UInt8, view: ImageView) -> Frame | None:
        """The next frame, unless it is late."""
        if not self.tracking.accept(view.stamp_ns):
            self.statistics.count("rejected")
            return None
        self._count += 1
        return Frame(image, self._count - 1, view.stamp_ns, camera=view.frame_id)

    def economise(self, options: EconomyOptions) -> None:
        """Go on with other options of the economy from the next frame on; from any thread."""
        if self._economy is not None:
            self._economy.options = options

    def plan(self, seen: Seen, sharing: int) -> Step:
        """What is to be done with a frame, one of `sharing` at once; see `Camera.plan`."""
        self._camera.tracker = self.tracking.current()
        most = self.deadline.allowed(seen.frame.stamp_ns, seen.marks, sharing)
        return self._camera.plan(seen.frame, seen.detections, seen.marks, most)

    def update(self, step: Step, vectors: Float32 | None) -> FrameResult:
        """Track a planned frame; see `Camera.update`."""
        return self._camera.update(step, vectors)

    def publish(self, result: FrameResult, class_names: tuple[str, ...]) -> None:
        """Tell what came of a frame."""
        frame, times = result.frame, result.timings
        head = header(frame.stamp_ns, frame.camera)
        size = (frame.image.shape[0], frame.image.shape[1])
        milliseconds = (times.detection_ms, times.embedding_ms, times.tracking_ms)
        with_embeddings = self.tracking.options.publish_embeddings
        self._tracks.publish(
            tracks_message(
                result.tracks, head, size, class_names, milliseconds, with_embeddings, times.camera_motion_ms
            )
        )
        if self._detections.get_subscription_count():
            seen = result.detections.with_embeddings(None)
            message = detections_message(seen, head, size, class_names, *milliseconds[:2])
            if self._last is not None and result.camera_motion is not None:
                set_camera_motion(message, MotionStep(self._last, result.camera_motion))
            message.camera_motion_ms = times.camera_motion_ms
            self._detections.publish(message)
        self._last = frame.stamp_ns
        self._latest = result
        self.statistics.processed()

    def snapshot(self, class_names: tuple[str, ...]) -> list[Path]:
        """Save the frame tracked last, if there is one; the files.

        Raises:
            SinkError: they cannot be written.
        """
        result, folder = self._latest, self.tracking.options.snapshots
        if result is None:
            return []
        frame = result.frame
        return save_snapshot(folder, frame.stamp_ns, result.tracks, class_names, frame.image, self.name)

    @property
    def rejected(self) -> int:
        """Detections that its tracker refused, also because of what the embedder made of them."""
        return self._camera.tracker.rejected

    @property
    def motion_failures(self) -> int:
        """Frames so far for which the camera's motion could not be told."""
        return self._camera.motion_failures

    def diagnostics(self) -> dict[str, str]:
        """What ``/diagnostics`` shows of it; of one of several under its name."""
        values = {**self.tracking.diagnostics(), "camera_motion.failures": str(self.motion_failures)}
        if self._economy is not None:
            values.update(economy_figures(self._economy))
        values.update(self.deadline.diagnostics())
        if not self.name:
            return values
        figures = self.statistics.snapshot()
        own = {**{name: figures[name] for name in _SHOWN}, **values}
        return {f"{self.name.lstrip('/')}.{name}": value for name, value in own.items()}

    def _topic(self, topic: str) -> str:
        return camera_topic(self.name, topic)


def economy_figures(economy: EmbeddingEconomy) -> dict[str, str]:
    """What ``/diagnostics`` shows of an economy of embeddings."""
    return {f"economy.{name}": str(count) for name, count in economy.counts().items()}
