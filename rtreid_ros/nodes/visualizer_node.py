"""Tracks as pictures for people."""

from __future__ import annotations

import sys
import time

from sensor_msgs.msg import Image
from visualization_msgs.msg import MarkerArray

from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.conversions import stamp_ns, tracks_from_message
from rtreid_ros.nodes.images import ImageView, serialize_image
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.markers import markers_message
from rtreid_ros.nodes.matching import StampMatcher
from rtreid_ros.visualization import Annotator

_WAITING = 32
"""Most images that wait for their tracks."""

Pair = tuple[ImageView, TrackArray]


class VisualizerNode(BaseNode):
    """Subscribes to ``image`` and ``tracks``, publishes ``annotated`` and ``markers``.

    Neither is made while nobody listens.
    """

    kind = "visualizer_node"

    def configure(self) -> None:
        """Read how to draw."""
        options = self.options()
        self.lossless = options.lossless
        self._transport = options.image_transport
        self._style = self.options("annotator")
        self._annotator = Annotator(self._style)
        self._highest = 0

    def activate(self) -> None:
        """Make topics, the matcher of stamps and the drawing thread."""
        results = qos.result_qos(False, publishing=True)
        self._annotated = self.publish_to(Image, "annotated", results)
        self._markers = self.publish_to(MarkerArray, "markers", qos.result_qos(False, publishing=True))
        self._worker = self.work_with(self._draw)
        # an image without tracks was dropped by a stage, which counts it
        self._matcher: StampMatcher[ImageView, TrackArray] = StampMatcher(
            _WAITING, lambda _, tracks: self.statistics.count("unmatched", tracks)
        )
        self.subscribe_to_images(
            lambda image: self._hand_over(self._matcher.first(image.stamp_ns, image)), self._transport
        )
        self.subscribe_to(
            TrackArray,
            "tracks",
            lambda message: self._hand_over(self._matcher.second(stamp_ns(message), message)),
            qos.result_qos(self.lossless, publishing=False),
        )

    def _hand_over(self, pair: Pair | None) -> None:
        if pair is not None:
            self._worker.put((pair, time.monotonic()))

    def _draw(self, item: tuple[Pair, float]) -> None:
        (view, message), received = item
        tracks = tracks_from_message(message)
        if self._markers.get_subscription_count():
            size = (message.image_height, message.image_width)
            self._markers.publish(
                markers_message(tracks, message.header, size, show_lost=self._style.show_lost)
            )
        if self._annotated.get_subscription_count():
            confirmed = tracks.confirmed()
            self._highest = max(self._highest, int(confirmed.ids.max(initial=0)))
            hud = [f"{len(confirmed)} tracked   {self._highest} ids so far"]
            image = self._annotator.draw(view.bgr(), tracks, view.stamp_ns, hud)
            self._annotated.publish(serialize_image(image, view.stamp_ns, view.frame_id))
        self.count_processed(view.stamp_ns, received)


def main() -> int:
    """Entry point."""
    return run(VisualizerNode, VisualizerNode.kind)


if __name__ == "__main__":
    sys.exit(main())
