"""Detections to tracks."""

from __future__ import annotations

import sys
from typing import Any

from rtreid_ros.msg import DetectionArray, TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.motion import MotionChain
from rtreid_ros.nodes.flow.trace import Marks, Tracer
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import (
    camera_motion_of,
    class_names_of,
    detections_from_message,
    stamp_ns,
    tracks_message,
)
from rtreid_ros.nodes.stages.tracker_stage import TrackerStage, saved
from rtreid_ros.sinks.snapshot import save_snapshot
from rtreid_ros.types import Float64, Tracks


class TrackerNode(BaseNode):
    """Subscribes to ``embeddings`` (``detections`` if the tracker needs none), publishes ``tracks``."""

    kind = "tracker_node"

    def configure(self) -> None:
        """Make the tracker."""
        self.lossless = self.options().lossless
        self._stage = TrackerStage(self)
        self._dim = 0
        self._class_names: dict[int, str] = {}

    def activate(self) -> None:
        """Make topics and the tracking thread; who was tracked before a pause is still known."""
        self._motions = MotionChain()
        self._last: int | None = None
        self._unknown_motions = 0
        self._latest: tuple[int, Tracks] | None = None
        self._publisher = self.publish_to(
            TrackArray, "tracks", qos.result_qos(self.lossless, publishing=True)
        )
        self._tracer = Tracer(self)
        self._worker = self.work_with(self._track)
        self._stage.activate()
        self.offer("reset", self._stage.ask_reset)
        self.offer("snapshot", self._snapshot)
        self.subscribe_to(
            DetectionArray,
            "embeddings" if self._stage.tracker.uses_embeddings else "detections",
            self._take,
            qos.result_qos(self.lossless, publishing=False),
        )

    def changed(self, prefix: str, options: Any) -> None:
        """Options of the tracker take effect with the next frame."""
        if prefix == "tracker":
            self._stage.adjust(options)

    def diagnostic_values(self) -> dict[str, str]:
        """The tracker's name and counters too."""
        return {
            **super().diagnostic_values(),
            **self._stage.diagnostics(),
            "camera_motion.unknown": str(self._unknown_motions),
        }

    def _snapshot(self) -> str:
        if self._latest is None:
            return saved([])
        stamp, tracks = self._latest
        return saved(save_snapshot(self._stage.options.snapshots, stamp, tracks, self._class_names))

    def _take(self, message: DetectionArray) -> None:
        self._motions.add(stamp_ns(message), camera_motion_of(message))
        self._worker.put((message, Marks()))

    def _motion_to(self, stamp: int, message: DetectionArray) -> Float64 | None:
        """How the camera moved since the frame tracked last, over those we skipped."""
        if self._last is None or stamp <= self._last:
            return None
        motion = self._motions.between(self._last, stamp)
        if motion is None and message.has_camera_motion:
            self._unknown_motions += 1
        return motion

    def _track(self, item: tuple[DetectionArray, Marks]) -> None:
        message, marks = item
        marks.waited()
        stamp = stamp_ns(message)
        with marks.measure("decode"):
            detections = detections_from_message(message)
        if not self._stage.accept(stamp):
            return
        tracker = self._stage.current()
        if detections.embeddings is not None and detections.embeddings.shape[1] != self._dim:
            if self._dim:
                length = detections.embeddings.shape[1]
                self.warn("dim", f"embeddings now have length {length}, before {self._dim}: tracks are reset")
                tracker.reset()
            self._dim = detections.embeddings.shape[1]
        self._class_names.update(class_names_of(message))  # lost tracks have names too
        with marks.measure("associate"):
            motion = self._motion_to(stamp, message)
            tracks = tracker.update(detections, stamp=stamp * 1e-9, camera_motion=motion)
        self._last = stamp
        self._latest = stamp, tracks
        self.note_rejected("tracker", tracker.rejected)
        with marks.measure("publish"):
            self._publisher.publish(
                tracks_message(
                    tracks,
                    message.header,
                    (message.image_height, message.image_width),
                    self._class_names,
                    (message.detection_ms, message.embedding_ms, marks.milliseconds("associate")),
                    self._stage.options.publish_embeddings,
                    message.camera_motion_ms,
                )
            )
        self._tracer.finish(marks, stamp, message.header.frame_id)


def main() -> int:
    """Entry point."""
    return run(TrackerNode, TrackerNode.kind)


if __name__ == "__main__":
    sys.exit(main())
