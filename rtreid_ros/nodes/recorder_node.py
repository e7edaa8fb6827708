"""Writes a run to files: tracks.txt, a rosbag2, an annotated video."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message

from rtreid_ros.errors import SinkError
from rtreid_ros.msg import FrameTrace, TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.flow.ledger import Entry
from rtreid_ros.nodes.flow.matching import StampMatcher
from rtreid_ros.nodes.flow.trace import TOPIC as TRACE_TOPIC
from rtreid_ros.nodes.flow.trace import trace_from_message
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import tracks_from_message
from rtreid_ros.nodes.messages.images import ImageView, header_stamp_ns
from rtreid_ros.nodes.stages.observer import ObserverNode
from rtreid_ros.nodes.stages.source_rate import DEFAULT_RATE, SourceRate
from rtreid_ros.pipeline import FrameResult, Timings
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sinks.base import Output, unused_folder
from rtreid_ros.sinks.text import MotSink
from rtreid_ros.sinks.trace import TraceOutput
from rtreid_ros.sinks.trace_events import NodeTrace
from rtreid_ros.sinks.video import VideoSink
from rtreid_ros.types import Detections, Frame

_FILES = ("tracks.txt", "bag", "annotated.mp4", "trace.json")
_QUEUE = 256
"""Messages that may wait for the disk."""
_WAITING = 64
"""Images that may wait for their tracks."""
_DRAIN_S = 60.0
_NO_IMAGE = np.zeros((0, 0, 3), np.uint8)

_Content = ImageView | Entry[TrackArray] | NodeTrace | bytes


class RecorderNode(ObserverNode):
    """Subscribes to ``image``, ``tracks``, ``ground_truth`` and ``trace``.

    Messages go into the bag as they came, byte by byte, at the stamps of their headers.
    """

    kind = "recorder_node"

    def configure(self) -> None:
        """Make the files."""
        self._options = options = self.options()
        self.lossless, self.settle = options.lossless, options.settle
        folder = self._folder(Path(options.output))
        self._text = MotSink(folder / "tracks.txt")
        self._bag = BagOutput(folder / "bag") if options.bag else None
        self._video = None
        if options.video:
            self._video = VideoSink(folder / "annotated.mp4", options.video_rate or DEFAULT_RATE)
        self._trace = TraceOutput(folder / "trace.json") if options.trace else None
        outputs = self._text, self._bag, self._video, self._trace
        self._outputs: list[Output] = [output for output in outputs if output is not None]
        self._failed = False
        super().configure()

    def _folder(self, wanted: Path) -> Path:
        """Where to write: never over what is recorded already, unless that is asked for."""
        if self._options.replace:
            return wanted
        folder = unused_folder(wanted, _FILES)
        if folder != wanted:
            self.get_logger().warning(f"{wanted} holds an earlier recording; this one goes into {folder}")
        return folder

    def activate(self) -> None:
        """Make the writing thread and topics."""
        self._writer = self.work_with(self._write, _QUEUE)
        self._pairs: StampMatcher[ImageView, FrameResult] = StampMatcher(
            _WAITING,
            lambda images, _: self.statistics.count("unmatched", images if self._video else 0),
            most_bytes=self.most_bytes,
            dropped=self.count_dropped,
        )
        super().activate()
        self._rate = SourceRate(self) if self._video is not None and not self._options.video_rate else None
        transport = self._options.image_transport
        if self._bag is not None or self._video is not None:
            kind = "sensor_msgs/msg/CompressedImage" if transport == "compressed" else "sensor_msgs/msg/Image"
            topic = self.resolve_topic_name("image/compressed" if transport == "compressed" else "image")
            self.subscribe_to_images(lambda view: self._writer.put((topic, kind, view)), transport)
        if self._bag is not None:
            topic_of_truth = self.resolve_topic_name("ground_truth")
            self.subscribe_to(
                TrackArray,
                "ground_truth",
                lambda cdr: self._writer.put((topic_of_truth, "rtreid_ros/msg/TrackArray", cdr)),
                qos.record_qos(publishing=False),
                raw=True,
                awaited=False,
            )
        if self._trace is not None:
            self.subscribe_to(
                FrameTrace,
                TRACE_TOPIC,
                lambda message: self._writer.put((TRACE_TOPIC, "", trace_from_message(message))),
                qos.trace_qos(publishing=False),
                counted=False,
            )

    def observe(self, entry: Entry[TrackArray]) -> None:
        """Hand the tracks of a frame to the writing thread."""
        self._writer.put((self.resolve_topic_name("tracks"), "rtreid_ros/msg/TrackArray", entry))

    def rest(self) -> None:
        """Write what still waits."""
        if not self._writer.close(_DRAIN_S, drain=True):
            self.get_logger().error(f"the disk is too slow: gave up after {_DRAIN_S:g} s")
            self.exit_code = 1

    def conclude(self) -> None:
        """Finish the files."""
        for output in self._outputs:
            self._finish(output)
        if self._failed:
            self.exit_code = 1

    def _finish(self, output: Output) -> None:
        try:
            output.__exit__(None, None, None)
            self.get_logger().info(f"wrote {output.path}")
        except (SinkError, OSError) as error:
            self._failed = True
            self.get_logger().error(f"{output.path}: {error}")

    # ------------------------------------------------------------------- in the writing thread

    def _write(self, item: tuple[str, str, Any]) -> None:
        try:
            self._write_one(*item)
        except (SinkError, OSError):
            self._failed = True
            raise

    def _write_one(self, topic: str, kind: str, content: _Content) -> None:
        if isinstance(content, bytes):
            self._to_bag(topic, kind, header_stamp_ns(content), content)
        elif isinstance(content, NodeTrace):
            self._write_trace(content)
        elif isinstance(content, ImageView):
            self._to_bag(topic, kind, content.stamp_ns, content.cdr)
            if self._video is not None:
                self._draw(self._pairs.first(content.stamp_ns, content))
        else:
            frame = Frame(_NO_IMAGE, content.index, content.stamp_ns)
            tracks = tracks_from_message(content.result)
            result = FrameResult(frame, Detections.empty(), tracks, Timings())
            self._text.write(result)
            self._to_bag(topic, kind, content.stamp_ns, serialize_message(content.result))
            if self._video is not None:
                self._draw(self._pairs.second(content.stamp_ns, result))

    def _write_trace(self, trace: NodeTrace) -> None:
        assert self._trace is not None
        self._trace.write(trace)
        if self._trace.skipped == 1:
            self.warn("trace", f"trace.json is full: {self._trace.frames} images, the rest is left out")

    def _to_bag(self, topic: str, kind: str, stamp_ns: int, cdr: bytes) -> None:
        if self._bag is not None:
            self._bag.write_cdr(topic, kind, stamp_ns, cdr)

    def _draw(self, pair: tuple[ImageView, FrameResult] | None) -> None:
        if pair is not None and self._video is not None:
            if self._rate is not None:
                self._video.frame_rate = self._rate.settle()  # the first frame opens the video
                self._rate = None
            view, result = pair
            frame = Frame(view.bgr(), result.frame.index, result.frame.stamp_ns, camera=view.frame_id)
            self._video.write(FrameResult(frame, result.detections, result.tracks, result.timings))


def main() -> int:
    """Entry point."""
    return run(RecorderNode, RecorderNode.kind)


if __name__ == "__main__":
    sys.exit(main())
