"""Images to tracks in one process: the image is taken once and handed on by reference."""

from __future__ import annotations

import sys
import time
from typing import Any

from rtreid_ros.camera_motion import camera_motion_from
from rtreid_ros.detection import create_detector
from rtreid_ros.msg import DetectionArray, TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.conversions import detections_message, header, set_camera_motion, tracks_message
from rtreid_ros.nodes.images import ImageView
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.motion import MotionStep
from rtreid_ros.nodes.tracker_stage import TrackerStage
from rtreid_ros.pipeline import FrameResult, TrackingPipeline
from rtreid_ros.reid import create_embedder
from rtreid_ros.types import Frame


class TrackingNode(BaseNode):
    """Subscribes to ``image``, publishes ``tracks``, and ``detections`` while somebody listens."""

    kind = "tracking_node"

    def configure(self) -> None:
        """Load detector, tracker and, if the tracker wants it, embedder."""
        options = self.options()
        self.lossless = options.lossless
        self._transport = options.image_transport
        detector_options, embedder_options = self.options("detector"), self.options("embedder")
        self._stage = TrackerStage(self)
        motion = self.options("camera_motion")
        self._method = motion.chosen(self._stage.tracker.camera_motion)
        estimator = camera_motion_from(motion, self._stage.tracker.camera_motion)
        detector = create_detector(detector_options)
        self.models["detector"] = detector.info
        embedder = None
        if self._stage.tracker.uses_embeddings:
            embedder = create_embedder(embedder_options)
            self.models["embedder"] = embedder.info
        self._pipeline = TrackingPipeline(detector, embedder, self._stage.tracker, estimator)
        self.announce_models()
        self.get_logger().info(f"camera motion: {self._method}")

    def activate(self) -> None:
        """Make topics and the inference thread."""
        self._count = 0
        self._last: int | None = None
        results = qos.result_qos(self.lossless, publishing=True)
        self._tracks = self.publish_to(TrackArray, "tracks", results)
        self._detections = self.publish_to(
            DetectionArray, "detections", qos.result_qos(self.lossless, publishing=True)
        )
        self._worker = self.work_with(self._track)
        self._stage.activate()
        self.offer("reset", self._stage.ask_reset)
        self.subscribe_to_images(lambda image: self._worker.put((image, time.monotonic())), self._transport)

    def changed(self, prefix: str, options: Any) -> None:
        """Thresholds, classes and options of the tracker take effect with the next image."""
        if prefix == "detector":
            self._pipeline.detector.adjust(options)
        elif prefix == "tracker":
            self._stage.adjust(options)

    def diagnostic_values(self) -> dict[str, str]:
        """The tracker's name and counters too."""
        return {
            **super().diagnostic_values(),
            **self._stage.diagnostics(),
            "camera_motion.method": self._method,
            "camera_motion.failures": str(self._pipeline.motion_failures),
        }

    def _track(self, item: tuple[ImageView, float]) -> None:
        view, received = item
        image = view.bgr()
        if not self._stage.accept(view.stamp_ns):
            return
        self._pipeline.camera.tracker = self._stage.tracker  # the first frame settles it
        result = self._pipeline.process(Frame(image, self._count, view.stamp_ns, camera=view.frame_id))
        self._count += 1
        self.note_rejected("tracker", self._stage.tracker.rejected)  # also what the embedder made unusable
        self.note_rejected("detector", self._pipeline.detector.rejected)
        self._publish(result, view)
        self._last = view.stamp_ns
        self.count_processed(view.stamp_ns, received)

    def _publish(self, result: FrameResult, view: ImageView) -> None:
        head = header(view.stamp_ns, view.frame_id)
        size = (result.frame.image.shape[0], result.frame.image.shape[1])
        names, times = self._pipeline.detector.class_names, result.timings
        milliseconds = (times.detection_ms, times.embedding_ms, times.tracking_ms)
        self._tracks.publish(
            tracks_message(
                result.tracks,
                head,
                size,
                names,
                milliseconds,
                self._stage.options.publish_embeddings,
                times.camera_motion_ms,
            )
        )
        if self._detections.get_subscription_count():
            seen = result.detections.with_embeddings(None)
            message = detections_message(seen, head, size, names, *milliseconds[:2])
            if self._last is not None and result.camera_motion is not None:
                set_camera_motion(message, MotionStep(self._last, result.camera_motion))
            message.camera_motion_ms = times.camera_motion_ms
            self._detections.publish(message)


def main() -> int:
    """Entry point."""
    return run(TrackingNode, TrackingNode.kind)


if __name__ == "__main__":
    sys.exit(main())
