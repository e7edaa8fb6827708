"""Images to detections, and to how the camera moved."""

from __future__ import annotations

import sys
from typing import Any

from rtreid_ros.camera_motion import camera_motion_from
from rtreid_ros.detection import create_detector
from rtreid_ros.msg import DetectionArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.motion import MotionStage
from rtreid_ros.nodes.flow.trace import Marks, Tracer
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import detections_message, header, set_camera_motion
from rtreid_ros.nodes.messages.images import ImageView
from rtreid_ros.nodes.options import DetectorNodeOptions
from rtreid_ros.nodes.stages.frame_deadline import FrameDeadline
from rtreid_ros.tracking import TRACKERS


class DetectorNode(BaseNode):
    """Subscribes to ``image``, publishes ``detections``."""

    kind = "detector_node"

    def configure(self) -> None:
        """Load the detector and choose how camera motion is told."""
        options = self.options()
        self.lossless = options.lossless
        self._transport = options.image_transport
        self._deadline = FrameDeadline(self, options.deadline_ms)
        tracker = TRACKERS[self.options("tracker").name]
        motion = self.options("camera_motion")
        self._method = motion.chosen(tracker.camera_motion)
        self._estimator = camera_motion_from(motion, tracker.camera_motion)
        self._detector = create_detector(self.options("detector"))
        self.models["detector"] = self._detector.info
        self.announce_models()
        self.get_logger().info(f"camera motion: {self._method}")

    def activate(self) -> None:
        """Make topics and the inference thread."""
        profile = qos.result_qos(self.lossless, publishing=True)
        self._motion = MotionStage(self._estimator)
        self._publisher = self.publish_to(DetectionArray, "detections", profile)
        self._tracer = Tracer(self)
        self._worker = self.work_with(self._detect)
        self.subscribe_to_images(lambda image: self._worker.put((image, Marks())), self._transport)

    def changed(self, prefix: str, options: Any) -> None:
        """Thresholds, classes and the deadline take effect with the next image."""
        if prefix == "detector":
            self._detector.adjust(options)
        elif isinstance(options, DetectorNodeOptions):
            self._deadline.change(options.deadline_ms)

    def diagnostic_values(self) -> dict[str, str]:
        """How camera motion is told, how often it could not be, and what the deadline counts, too."""
        return {
            **super().diagnostic_values(),
            "camera_motion.method": self._method,
            "camera_motion.failures": str(self._motion.failures),
            **self._deadline.diagnostics(),
        }

    def _detect(self, item: tuple[ImageView, Marks]) -> None:
        view, marks = item
        marks.waited()
        if not self._deadline.admit(view.stamp_ns, marks):
            return
        with marks.measure("decode"):
            image = view.bgr()
        with marks.measure("detect"):
            detections = self._detector.detect(image)
        with marks.measure("motion"):
            step = self._motion.take(image, detections.boxes, view.stamp_ns)
        self.note_rejected("detector", self._detector.rejected)
        with marks.measure("publish"):
            message = detections_message(
                detections,
                header(view.stamp_ns, view.frame_id),
                (image.shape[0], image.shape[1]),
                self._detector.class_names,
                detection_ms=marks.milliseconds("detect"),
            )
            set_camera_motion(message, step)
            message.camera_motion_ms = marks.milliseconds("motion")
            self._publisher.publish(message)
        self._deadline.detected(view.stamp_ns, marks)
        self._tracer.finish(marks, view.stamp_ns, view.frame_id)


def main() -> int:
    """Entry point."""
    return run(DetectorNode, DetectorNode.kind)


if __name__ == "__main__":
    sys.exit(main())
