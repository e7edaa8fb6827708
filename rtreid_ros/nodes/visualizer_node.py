"""Tracks as pictures for people."""

from __future__ import annotations

import math
import sys
from typing import Any

from sensor_msgs.msg import CompressedImage, Image
from visualization_msgs.msg import MarkerArray

from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.matching import StampMatcher
from rtreid_ros.nodes.flow.trace import Marks, Tracer
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import stamp_ns, tracks_from_message
from rtreid_ros.nodes.messages.images import ImageView, serialize_image, serialize_jpeg
from rtreid_ros.nodes.messages.markers import markers_message
from rtreid_ros.nodes.stages.hud import Hud
from rtreid_ros.visualization import Annotator, Label, track_label

_WAITING = 32
"""Most images that wait for their tracks."""

Pair = tuple[ImageView, TrackArray]


class VisualizerNode(BaseNode):
    """Subscribes to ``image`` and ``tracks``; publishes ``annotated``, ``annotated/compressed``, ``markers``.

    None is made while nobody listens. Tracks with global ids or positions show them.
    """

    kind = "visualizer_node"

    def configure(self) -> None:
        """Read how to draw."""
        self._shown = self.options()
        self.lossless = self._shown.lossless
        self._style = self.options("annotator")

    def changed(self, prefix: str, options: Any) -> None:
        """What is shown changes with the next image."""
        if prefix == "annotator":
            self._style = options
            if self.is_active:
                self._annotator.options = options
        else:
            self._shown = options

    def activate(self) -> None:
        """Make topics, the matcher of stamps and the drawing thread."""
        self._annotator = Annotator(self._style)
        self._hud = Hud()
        results = qos.result_qos(False, publishing=True)
        self._annotated = self.publish_to(Image, "annotated", results)
        self._compressed = self.publish_to(CompressedImage, "annotated/compressed", results)
        self._markers = self.publish_to(MarkerArray, "markers", results)
        self._tracer = Tracer(self)
        self._worker = self.work_with(self._draw)
        # an image without tracks was dropped by a stage, which counts it
        self._matcher: StampMatcher[ImageView, TrackArray] = StampMatcher(
            _WAITING,
            lambda _, tracks: self.statistics.count("unmatched", tracks),
            most_bytes=self.most_bytes,
            dropped=self.count_dropped,
        )
        self.subscribe_to_images(
            lambda image: self._hand_over(self._matcher.first(image.stamp_ns, image)),
            self._shown.image_transport,
            paired=True,
        )
        self.subscribe_to(
            TrackArray,
            "tracks",
            lambda message: self._hand_over(self._matcher.second(stamp_ns(message), message)),
            qos.result_qos(self.lossless, publishing=False),
        )

    def _hand_over(self, pair: Pair | None) -> None:
        if pair is not None:
            self._worker.put((pair, Marks()))

    def _draw(self, item: tuple[Pair, Marks]) -> None:
        (view, message), marks = item
        marks.waited()
        with marks.measure("draw"):
            self._show(view, message)
        self._tracer.finish(marks, view.stamp_ns, view.frame_id)

    def _show(self, view: ImageView, message: TrackArray) -> None:
        shown = self._shown
        rows = [
            row
            for row, track in enumerate(message.tracks)
            if not shown.classes or track.class_name in shown.classes
        ]
        tracks = tracks_from_message(message)[rows]
        from_camera = message.position_frame == message.header.frame_id
        labels = [_label(message.tracks[row], from_camera) for row in rows]
        hud = self._hud.lines(tracks, self.statistics, self.age_ms(view.stamp_ns))
        if self._markers.get_subscription_count():
            self._markers.publish(
                markers_message(
                    tracks,
                    message.header,
                    (message.image_height, message.image_width),
                    show_lost=self._style.show_lost,
                    seconds=shown.marker_lifetime,
                    labels=labels,
                )
            )
        raw, jpeg = (output.get_subscription_count() for output in (self._annotated, self._compressed))
        if raw or jpeg:
            image = self._annotator.draw(view.bgr(), tracks, view.stamp_ns, hud, labels)
            if raw:
                self._annotated.publish(serialize_image(image, view.stamp_ns, view.frame_id))
            if jpeg:
                picture = serialize_jpeg(image, view.stamp_ns, view.frame_id, shown.jpeg_quality)
                self._compressed.publish(picture)


def _label(track: Any, from_camera: bool) -> Label:
    """Its ids, and its distance where its position is seen from the camera."""
    distance = None
    if track.has_position and from_camera:
        distance = math.hypot(track.position.x, track.position.y, track.position.z)
    return track_label(track.id, track.global_id, distance)


def main() -> int:
    """Entry point."""
    return run(VisualizerNode, VisualizerNode.kind)


if __name__ == "__main__":
    sys.exit(main())
