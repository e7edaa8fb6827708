"""Neighbours that speak vision_msgs."""

from __future__ import annotations

import sys
import time
from typing import Any

from sensor_msgs.msg import CameraInfo

from rtreid_ros.errors import ConfigError
from rtreid_ros.msg import DetectionArray, TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.camera_info import image_size
from rtreid_ros.nodes.messages.conversions import stamp_ns
from rtreid_ros.nodes.messages.images import ImageView
from rtreid_ros.nodes.messages.vision_msgs_conversions import (
    ClassMap,
    detections_from_vision,
    detections_to_vision,
    refusal_text,
    tracks_to_vision,
    vision_messages,
)


class VisionMsgsNode(BaseNode):
    """Mirrors ``detections`` and ``tracks`` as ``detections_2d`` and ``tracks_2d``.

    The other way, if asked for, ``external_detections`` become ``detections``. All three are
    vision_msgs/Detection2DArray.
    """

    kind = "vision_msgs_node"

    def configure(self) -> None:
        """Find vision_msgs, read which classes to take."""
        options = self.options()
        self.lossless = options.lossless
        self._options = options
        self._vision = vision_messages()
        self._classes = ClassMap(options.classes)
        if not (options.mirror or options.external):
            raise ConfigError("mirror and external are both false: there is nothing to do")
        if (options.image_width > 0) != (options.image_height > 0):
            raise ConfigError("image_width and image_height must be given together")
        self._given = (options.image_height, options.image_width) if options.image_width else None

    def activate(self) -> None:
        """Make topics."""
        if self._options.mirror:
            self._mirror(DetectionArray, "detections", detections_to_vision)
            self._mirror(TrackArray, "tracks", tracks_to_vision)
        if self._options.external:
            self._accept()

    def _mirror(self, kind: type, topic: str, convert: Any) -> None:
        output = self.publish_to(
            self._vision.Detection2DArray, f"{topic}_2d", qos.result_qos(self.lossless, publishing=True)
        )

        def take(message: Any) -> None:
            received = time.monotonic()
            if output.get_subscription_count():
                output.publish(convert(self._vision, message))
                self.count_processed(stamp_ns(message), received)

        # one of both may well be missing: a tracker that is fed elsewhere has no detections here
        self.subscribe_to(kind, topic, take, qos.result_qos(self.lossless, publishing=False), awaited=False)

    def _accept(self) -> None:
        self._size = self._given
        self._detections = self.publish_to(
            DetectionArray, "detections", qos.result_qos(self.lossless, publishing=True)
        )
        self.subscribe_to(
            self._vision.Detection2DArray,
            "external_detections",
            self._take,
            qos.result_qos(self.lossless, publishing=False),
        )
        if self._given is not None:
            return
        if self._options.size_from == "image":
            self.subscribe_to_images(self._measure, "raw")
        else:
            profile = qos.image_qos(self.lossless, publishing=False)
            self.subscribe_to(CameraInfo, "camera_info", self._look_up, profile)

    def _measure(self, view: ImageView) -> None:
        self._size = view.height, view.width

    def _look_up(self, message: CameraInfo) -> None:
        self._size = image_size(message)

    def _take(self, message: Any) -> None:
        received = time.monotonic()
        if self._size is None or min(self._size) <= 0:
            topic = self.resolve_topic_name(self._options.size_from)
            self.statistics.count("rejected")
            self.warn(
                "size",
                "external detections left out: the size of their image is not known, nothing usable on "
                f"{topic} yet; remap it, choose size_from, or give image_width and image_height",
            )
            return
        converted, refused = detections_from_vision(message, self._classes, self._size)
        if refused:
            self.statistics.count("rejected", sum(refused.values()))
            self.warn("classes", refusal_text(refused))
        self._detections.publish(converted)
        self.count_processed(stamp_ns(converted), received)


def main() -> int:
    """Entry point."""
    return run(VisionMsgsNode, VisionMsgsNode.kind)


if __name__ == "__main__":
    sys.exit(main())
