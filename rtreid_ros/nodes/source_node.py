"""A video, folder, bag, camera or synthetic scene as an image topic.

Beside the image, for every frame and in this order:

* ``frames`` (sensor_msgs/TimeReference, latched): the image's header, the source's own time and,
  in ``source``, ``<name>#<index>``, so that observers know how many frames there were and their
  numbers even if the image was lost on its way to them;
* ``ground_truth`` (TrackArray, latched), where the source has it.

``source_rate`` (std_msgs/Float64, latched) tells the nominal frames per second from the start. At
the end ``source_finished`` (std_msgs/UInt64, latched) tells how many frames were published, and
the node exits when that is acknowledged: 0, or 1 when the source broke off or, being lossless,
did not get the tracks of every frame.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from sensor_msgs.msg import CompressedImage, Image, TimeReference
from std_msgs.msg import Float64, UInt64

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.pacing import Backpressure, Pace, ReadAhead
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import NANOSECONDS, ground_truth_message, header, stamp_ns
from rtreid_ros.nodes.messages.images import serialize_image, serialize_jpeg
from rtreid_ros.ordering import Order, StampOrder
from rtreid_ros.sources import open_source
from rtreid_ros.sources.camera import CameraSource
from rtreid_ros.sources.looped import Looped
from rtreid_ros.types import Frame

_PREFETCH = 4
"""Frames read ahead, so that decoding does not make a frame late."""
_PATIENCE_S = 2.0
"""Waiting for longer is said, and said again after as long."""
_ACKNOWLEDGE_S = 5.0
_REPEAT_S = 0.3
_ASK_S = 0.02
_AT_ONCE = Duration()


class SourceNode(BaseNode):
    """Publishes ``image`` (or ``image/compressed``), ``frames``, ``ground_truth``, ``source_finished``."""

    kind = "source_node"

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._resources = ExitStack()
        self._player: threading.Thread | None = None
        self._ahead: ReadAhead[Frame] | None = None
        self._live = False
        self._published = 0
        self._stopping = threading.Event()
        self._backpressure = Backpressure(1)

    def configure(self) -> None:
        """Open the source."""
        self._options = self.options()
        self.lossless = self._options.lossless
        if not self._options.source:
            raise ConfigError("parameter source is empty: say what to publish, such as -p source:=video.mp4")
        self._open()
        height, width = self._source.size
        length = "" if self._source.length is None else f", {self._source.length} frames"
        speed = f"{self._source.frame_rate:g} frames per second"
        self.get_logger().info(f"source: {self._source.name}, {width}x{height}, {speed}{length}")

    def _open(self) -> None:
        topic, rate = self._options.topic, self._options.rate
        source = open_source(self._options.source, topic=topic or None, frame_rate=rate or None)
        self._live = isinstance(source, CameraSource)
        if self._options.loop and not self._live:
            source = Looped(source)
        self._source = self._resources.enter_context(source)
        self._is_open = True

    def activate(self) -> None:
        """Make topics, start reading and publishing from the beginning."""
        if not self._is_open:
            self._open()
        self._rate = self.publish_to(Float64, "source_rate", qos.latched_qos())
        self._rate.publish(Float64(data=float(self._source.frame_rate)))
        compressed = self._options.image_transport == "compressed"
        self._images = self.publish_to(
            CompressedImage if compressed else Image,
            "image/compressed" if compressed else "image",
            qos.image_qos(self.lossless, publishing=True),
        )
        self._frames = self.publish_to(TimeReference, "frames", qos.record_qos())
        self._truth = self.publish_to(TrackArray, "ground_truth", qos.record_qos())
        self._finished = self.publish_to(UInt64, "source_finished", qos.latched_qos())
        self._backpressure = Backpressure(self._options.window)
        self._order = StampOrder()
        self._published = 0
        self._stopping.clear()
        if self.lossless:
            profile = qos.result_qos(True, publishing=False)
            self.subscribe_to(TrackArray, "tracks", self._returned, profile)
        # a camera gives its newest frame when asked: to read ahead would make it old
        self._ahead = None if self._live else ReadAhead(self._source, _PREFETCH)
        self._player = threading.Thread(target=self._play, name="player", daemon=True)
        self._player.start()

    def deactivate(self) -> None:
        """Stop publishing."""
        self._stopping.set()
        self._backpressure.stop()
        if self._ahead is not None:
            self._ahead.close()
        if self._live:  # the player may be waiting for the camera
            self._is_open = False
            self._resources.close()
        if self._player is not None:
            self._player.join(5)
            if self._player.is_alive():
                self.get_logger().error("publishing did not end in time")
        super().deactivate()

    def cleanup(self) -> None:
        """Free the source."""
        self._resources.close()
        super().cleanup()

    # ----------------------------------------------------------------------------- publishing

    def _play(self) -> None:
        with self.guarded("run"):
            self._wait_for_others()
            start = time.monotonic()
            try:
                self._publish_all()
            except Exception as error:
                self.exit_code = 1
                what = "" if isinstance(error, SourceError) else f"{type(error).__name__}: "
                self.get_logger().error(f"the source broke off: {what}{error}")
            if self.lossless:
                self._collect_results()
            if self._stopping.is_set():
                return
            seconds = time.monotonic() - start
            self.get_logger().info(f"finished: {self._published} frames in {seconds:.1f} s")
            self._say_finished()
        if self.statistics["errors"]:
            self.exit_code = 1
        self.finish()

    def _say_finished(self) -> None:
        """Tell the end of the run until everybody has got it and all before it, or for some seconds."""
        outputs = (self._finished, self._images, self._frames, self._truth)
        end, again = time.monotonic() + _ACKNOWLEDGE_S, 0.0
        while (now := time.monotonic()) < end and not self._stopping.is_set():
            if now >= again:
                # again, because a lost message is repaired only with the next, or seconds later
                self._finished.publish(UInt64(data=self._published))
                again = now + _REPEAT_S
            # asked, never waited for: rclpy keeps the interpreter's lock while it waits
            if all(output.wait_for_all_acked(_AT_ONCE) for output in outputs):
                return
            self._stopping.wait(_ASK_S)

    def _wait_for_others(self) -> None:
        options = self._options
        tracks = self.resolve_topic_name("tracks")
        tracker = int(options.wait_for_tracker or self.lossless)
        wanted: list[tuple[str, Callable[[], int], int]] = [
            (
                f"subscribers of {self._images.topic_name}",
                self._images.get_subscription_count,
                options.wait_for_subscribers,
            ),
            (
                f"subscribers of {self._finished.topic_name}",
                self._finished.get_subscription_count,
                options.wait_for_observers,
            ),
            (f"publishers of {tracks}", lambda: int(self.count_publishers(tracks)), tracker),
        ]
        said = time.monotonic()
        while not self._stopping.is_set():
            missing = [f"{have()} of {count} {what}" for what, have, count in wanted if have() < count]
            if not missing:
                return
            if time.monotonic() - said > _PATIENCE_S:
                said = time.monotonic()
                self.get_logger().warning(f"waiting: {', '.join(missing)}")
            self._stopping.wait(0.02)

    def _publish_all(self) -> None:
        """Publish every frame when it is due."""
        pace = Pace()
        last = -1
        for frame in self._ahead or self._source:
            if self._stopping.is_set():
                return
            if self.lossless:
                order = self._order.judge(frame.stamp_ns)
                if order is Order.LATE:  # as in `pipeline.run`
                    self.statistics.count("rejected")
                    self.warn("late", f"frame {frame.index} skipped: its stamp is not after the last")
                    continue
                stamp = frame.stamp_ns
                if order is Order.RESTART and not self._wait_for_results(None):
                    return
                if not self._wait_for_results(stamp):
                    return
            else:
                if not self._live and self._stopping.wait(pace.seconds_until(frame.stamp_ns)):
                    return
                stamp = max(self._time_of(frame), last + 1)
            last = stamp
            self._publish(frame, stamp)
            self._published += 1

    def _time_of(self, frame: Frame) -> int:
        """When a frame was taken, on the graph's clock: now, or a camera's own wall-clock stamp."""
        simulated = self.get_parameter("use_sim_time").value
        return frame.stamp_ns if self._live and not simulated else int(self.get_clock().now().nanoseconds)

    def _publish(self, frame: Frame, stamp: int) -> None:
        options = self._options
        begin = time.monotonic()
        head = header(stamp, options.frame_id or frame.camera)
        size = (frame.image.shape[0], frame.image.shape[1])
        seconds, nanoseconds = divmod(frame.stamp_ns, NANOSECONDS)
        reference = TimeReference(header=head, source=f"{self._source.name}#{frame.index}")
        reference.time_ref = Time(sec=seconds, nanosec=nanoseconds)
        self._frames.publish(reference)
        if frame.truth is not None:
            self._truth.publish(ground_truth_message(frame.truth, head, size, self._source.class_names))
        if options.image_transport == "compressed":
            self._images.publish(serialize_jpeg(frame.image, stamp, head.frame_id, options.jpeg_quality))
        else:
            self._images.publish(serialize_image(frame.image, stamp, head.frame_id))
        self.count_processed(stamp, begin)

    # ------------------------------------------------------------------------------- lossless

    def _returned(self, message: TrackArray) -> None:
        lost = self._backpressure.returned(stamp_ns(message))
        if lost:
            self.statistics.count("lost", lost)
            self.fail("lost", f"{lost} frames before {stamp_ns(message) * 1e-9:.3f} s gave no tracks")

    def _collect_results(self) -> None:
        """Wait for the results of what is still on its way; say so if any frame has none."""
        self._wait_for_results(None)
        if self._backpressure.lost:
            self.exit_code = 1
            self.get_logger().error(f"{self._backpressure.lost} of {self._published} frames gave no tracks")

    def _wait_for_results(self, stamp: int | None) -> bool:
        """Wait for a place in the window for `stamp`, or (None) until nothing is on its way.

        Says after a while what it is waiting for; False when interrupted or out of patience.
        """
        since = said = time.monotonic()
        while not self._stopping.is_set():
            patience = self._options.timeout - (time.monotonic() - max(since, self._backpressure.last_return))
            if self._backpressure.enter(stamp, max(min(_PATIENCE_S, patience), 0.0)):
                return True
            now = time.monotonic()
            waited = now - max(since, self._backpressure.last_return)
            if (
                waited < self._options.timeout
                and now - max(said, self._backpressure.last_return) < _PATIENCE_S
            ):
                continue
            said = now
            text = (
                f"no tracks for {waited:.0f} s; {self._backpressure.waiting} frames on their way. "
                f"{self._images.topic_name} has {self._images.get_subscription_count()} subscribers, "
                f"{self.resolve_topic_name('tracks')} has {self.count_publishers('tracks')} publishers; "
                "the logs of the stages may say why"
            )
            if waited >= self._options.timeout:
                self._backpressure.give_up()
                self.get_logger().error(f"{text}: giving up")
                return False
            self.get_logger().warning(text)
        return False


def main() -> int:
    """Entry point."""
    return run(SourceNode, SourceNode.kind)


if __name__ == "__main__":
    sys.exit(main())
