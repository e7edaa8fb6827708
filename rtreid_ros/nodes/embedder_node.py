"""Detections and the images they were found in to detections with embeddings."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from rtreid_ros.msg import DetectionArray, TrackArray
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.base import BaseNode
from rtreid_ros.nodes.flow.matching import StampMatcher
from rtreid_ros.nodes.flow.motion import MotionChain, MotionStep
from rtreid_ros.nodes.flow.trace import Marks, Tracer
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.conversions import (
    camera_motion_of,
    detections_from_message,
    set_camera_motion,
    set_embeddings,
    stamp_ns,
    tracks_from_message,
)
from rtreid_ros.nodes.messages.images import ImageView
from rtreid_ros.nodes.options import EmbeddedForOptions, EmbedderNodeOptions
from rtreid_ros.nodes.stages.camera_stage import economy_figures
from rtreid_ros.nodes.stages.frame_deadline import FrameDeadline
from rtreid_ros.nodes.stages.returning_tracks import ReturningTracks
from rtreid_ros.reid import create_embedder
from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.tracking.base import TrackerOptions

_WAITING = 32
"""Most images that wait for their detections, more than a lossless source has on their way."""

Pair = tuple[ImageView, DetectionArray]


class EmbedderNode(BaseNode):
    """Subscribes to ``image`` and ``detections``, publishes ``embeddings``."""

    kind = "embedder_node"

    def configure(self) -> None:
        """Load the embedder."""
        options = self.options()
        self.lossless = options.lossless
        self._transport = options.image_transport
        self._embedder = create_embedder(self.options("embedder"))
        self.models["embedder"] = self._embedder.info
        self.announce_models()
        self._begin()

    def activate(self) -> None:
        """Make topics, the matcher of stamps and the inference thread."""
        profile = qos.result_qos(self.lossless, publishing=True)
        self._publisher = self.publish_to(DetectionArray, "embeddings", profile)
        self._begin()
        self._tracer = Tracer(self)
        self._worker = self.work_with(self._embed)
        # the detector skips images when it is behind: only detections without image are a loss
        self._matcher: StampMatcher[ImageView, DetectionArray] = StampMatcher(
            _WAITING,
            lambda _, detections: self.statistics.count("unmatched", detections),
            most_bytes=self.most_bytes,
            dropped=self.count_dropped,
        )
        self.subscribe_to_images(
            lambda image: self._hand_over(self._matcher.first(image.stamp_ns, image)),
            self._transport,
            paired=True,
        )
        self.subscribe_to(
            DetectionArray,
            "detections",
            self._take,
            qos.result_qos(self.lossless, publishing=False),
        )
        self.subscribe_to(
            TrackArray,
            "tracks",
            lambda message: self._returning.take(stamp_ns(message), tracks_from_message(message)),
            qos.result_qos(self.lossless, publishing=False),
            counted=False,
            awaited=False,
        )

    def deactivate(self) -> None:
        """Stop working, also waiting for tracks."""
        if self.is_configured:
            self._returning.close()
        super().deactivate()

    def changed(self, prefix: str, options: Any) -> None:
        """The deadline and options of the economy take effect with the next image."""
        if prefix == "economy":
            self._returning.economy.options = options
        elif isinstance(options, TrackerOptions):
            self._returning.tracker.adjust(options)
        elif isinstance(options, EmbedderNodeOptions):
            self._deadline.change(options.deadline_ms)

    def diagnostic_values(self) -> dict[str, str]:
        """What the economy and the deadline count too."""
        return {
            **super().diagnostic_values(),
            **economy_figures(self._returning.economy),
            **self._deadline.diagnostics(),
        }

    def _begin(self) -> None:
        """Nothing is known of frames before."""
        self._motions = MotionChain()
        self._last: int | None = None
        name = self.options_of(EmbeddedForOptions, "tracker").name
        tracker = create_tracker(name, **asdict(self.options_of(TRACKERS[name].Options, "tracker")))
        self._returning = ReturningTracks(self.options("economy"), self._motions, self.lossless, tracker)
        self._deadline = FrameDeadline(self, self.options().deadline_ms)

    def _take(self, message: DetectionArray) -> None:
        stamp = stamp_ns(message)
        self._motions.add(stamp, camera_motion_of(message))
        self._hand_over(self._matcher.second(stamp, message))

    def _hand_over(self, pair: Pair | None) -> None:
        if pair is not None:
            self._worker.put((pair, Marks()))

    def _embed(self, item: tuple[Pair, Marks]) -> None:
        (view, message), marks = item
        marks.waited()
        if not self._deadline.admit(view.stamp_ns, marks):
            return
        with marks.measure("decode"):
            detections = detections_from_message(message)
            image = view.bgr()
        with marks.measure("plan"):
            plan = self._returning.plan(
                detections, view.stamp_ns, self._deadline.allowed(view.stamp_ns, marks)
            )
        with marks.measure("embed"):
            vectors = self._embedder.embed(image, detections.boxes[plan.rows])
        self.note_rejected("embedder", self._embedder.rejected)
        self._deadline.embedded(marks[-1], len(plan.rows))
        with marks.measure("publish"):
            embeddings = plan.complete(vectors)
            self._returning.embedded(view.stamp_ns, plan, embeddings)
            message.embedding_ms = marks.milliseconds("embed")
            set_embeddings(message, embeddings)
            self._bridge(message, view.stamp_ns)
            self._publisher.publish(message)
        self._deadline.done(view.stamp_ns, marks, fewer=plan.postponed > 0)
        self._tracer.finish(marks, view.stamp_ns, view.frame_id)

    def _bridge(self, message: DetectionArray, stamp: int) -> None:
        """Let the camera motion begin at the frame we published last, over those we skipped."""
        motion = None if self._last is None else self._motions.between(self._last, stamp)
        if self._last is not None and motion is not None:
            set_camera_motion(message, MotionStep(self._last, motion))
        self._last = stamp


def main() -> int:
    """Entry point."""
    return run(EmbedderNode, EmbedderNode.kind)


if __name__ == "__main__":
    sys.exit(main())
