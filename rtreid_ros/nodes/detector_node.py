"""Images to detections."""

from __future__ import annotations

import sys
import time

from rtreid_ros.detection import create_detector
from rtreid_ros.msg import DetectionArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.conversions import detections_message, header
from rtreid_ros.nodes.images import ImageView
from rtreid_ros.nodes.main import run


class DetectorNode(BaseNode):
    """Subscribes to ``image``, publishes ``detections``."""

    kind = "detector_node"

    def configure(self) -> None:
        """Load the detector."""
        options = self.options()
        self.lossless = options.lossless
        self._transport = options.image_transport
        self._detector = create_detector(self.options("detector"))
        self.models["detector"] = self._detector.info
        self.announce_models()

    def activate(self) -> None:
        """Make topics and the inference thread."""
        super().activate()
        profile = qos.result_qos(self.lossless, publishing=True)
        self._publisher = self.publish_to(DetectionArray, "detections", profile)
        self._worker = self.work_with(self._detect)
        self.subscribe_to_images(lambda image: self._worker.put((image, time.monotonic())), self._transport)

    def _detect(self, item: tuple[ImageView, float]) -> None:
        view, received = item
        image = view.bgr()
        start = time.perf_counter()
        detections = self._detector.detect(image)
        milliseconds = (time.perf_counter() - start) * 1e3
        self.note_rejected("detector", self._detector.rejected)
        message = detections_message(
            detections,
            header(view.stamp_ns, view.frame_id),
            (image.shape[0], image.shape[1]),
            self._detector.class_names,
            detection_ms=milliseconds,
        )
        self._publisher.publish(message)
        self.count_processed(view.stamp_ns, received)


def main() -> int:
    """Entry point."""
    return run(DetectorNode, DetectorNode.kind)


if __name__ == "__main__":
    sys.exit(main())
