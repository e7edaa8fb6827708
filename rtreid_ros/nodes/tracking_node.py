"""Images to tracks in one process: each image is taken once and handed on by reference.

Two threads work, one for each model::

    callback --> entry --> detector --> passage --> embedder, tracker --> topics

The entry holds the newest frame of each camera; only there frames are dropped. A frame is taken from
it when there is room for it in the passage, so none grows old between the threads.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from rtreid_ros.detection import create_detector
from rtreid_ros.nodes.base import LOSSLESS_DEPTH, BaseNode
from rtreid_ros.nodes.flow.inbox import Inbox
from rtreid_ros.nodes.flow.trace import Marks, Tracer
from rtreid_ros.nodes.main import run
from rtreid_ros.nodes.messages.images import ImageView
from rtreid_ros.nodes.options import TrackingNodeOptions
from rtreid_ros.nodes.stages.camera_stage import CameraStage, Seen
from rtreid_ros.nodes.stages.tracker_stage import saved
from rtreid_ros.nodes.topics import check_cameras
from rtreid_ros.reid import Embedder, create_embedder
from rtreid_ros.stages import Span, checked, detect_each, embed_each

Arrival = tuple[ImageView, Marks]


class TrackingNode(BaseNode):
    """Subscribes to ``image``, publishes ``tracks``, and ``detections`` while somebody listens.

    Of several cameras each has these topics in a namespace of its own.
    """

    kind = "tracking_node"

    def configure(self) -> None:
        """Load detector, trackers and, if they want it, embedder."""
        self._options = options = self.options()
        self.lossless = options.lossless
        motion = self.options("camera_motion")
        names = options.cameras or ("",)
        check_cameras(self, names, "image", "images")
        economy, due = self.options("economy"), options.deadline_ms
        self._cameras = {name: CameraStage(self, name, motion, economy, due) for name in names}
        tracker = self._cameras[names[0]].tracking.tracker
        self._method = motion.chosen(tracker.camera_motion)
        self._detector = create_detector(self.options("detector"))
        self.models["detector"] = self._detector.info
        # what is computed together differs in rounding, and is together by chance
        alone = self.lossless or len(names) == 1
        self._most = 1 if alone else min(self._detector.max_batch, len(names))
        self._embedder: Embedder | None = None
        if tracker.uses_embeddings:
            self._embedder = create_embedder(self.options("embedder"))
            self.models["embedder"] = self._embedder.info
        self.announce_models()
        self.get_logger().info(f"camera motion: {self._method}")

    def activate(self) -> None:
        """Make topics and the two threads."""
        self._tracer = Tracer(self)
        names = list(self._cameras)
        self._entry: Inbox[Arrival] = Inbox(
            names,
            depth=LOSSLESS_DEPTH if self.lossless else 1,
            blocking=self.lossless,
            dropped=self._dropped,
            ready=lambda name: self._passage.has_room(name) and self._cameras[name].tracking.is_settled(),
        )
        self._passage: Inbox[Seen] = Inbox(names, blocking=True, taken=self._entry.look_again)
        window = self._options.batch_window * 1e-3
        self.work_in_batches(self._detect, self._entry, most=self._most, window=window)
        self.work_in_batches(self._track, self._passage, most=1 if self.lossless else len(names))
        for camera in self._cameras.values():
            camera.activate(self._options.image_transport, lambda n, v: self._entry.put(n, (v, Marks())))
        self.offer("reset", self._reset)
        self.offer("snapshot", self._snapshot)

    def changed(self, prefix: str, options: Any) -> None:
        """Thresholds, classes, deadline, options of economy and tracker take effect with the next image."""
        if prefix == "detector":
            self._detector.adjust(options)
        for camera in self._cameras.values():
            if prefix == "tracker":
                camera.tracking.adjust(options)
            elif prefix == "economy":
                camera.economise(options)
            elif isinstance(options, TrackingNodeOptions):
                camera.deadline.change(options.deadline_ms)

    def diagnostic_values(self) -> dict[str, str]:
        """The tracker's name and counters too; of several cameras, those of each."""
        cameras = self._cameras.values()
        values = {
            **super().diagnostic_values(),
            "camera_motion.method": self._method,
            "camera_motion.failures": str(sum(camera.motion_failures for camera in cameras)),
        }
        for camera in cameras:
            values.update(camera.diagnostics())
        return values

    def _reset(self) -> str:
        for camera in self._cameras.values():
            camera.tracking.ask_reset()
        return "tracks are reset with the next frame"

    def _snapshot(self) -> str:
        names = self._detector.class_names
        files = [file for camera in self._cameras.values() for file in camera.snapshot(names)]
        return saved(files)

    def _dropped(self, name: str, count: int) -> None:
        self.statistics.count("dropped", count)
        self._cameras[name].statistics.count("dropped", count)

    def _detect(self, arrivals: list[tuple[str, Arrival]]) -> None:
        """The first thread: images of one or more cameras to detections."""
        taken = []
        for name, (view, marks) in arrivals:
            camera = self._cameras[name]
            with camera.guarded():
                marks.waited()
                if not camera.deadline.admit(view.stamp_ns, marks):
                    continue
                with marks.measure("decode"):
                    image = view.bgr()
                frame = camera.take(image, view)
                if frame is not None:
                    taken.append((camera, view, marks, frame))
        begin = time.monotonic_ns()
        found = detect_each(self._detector, [frame.image for *_, frame in taken])
        span = Span("detect", begin, time.monotonic_ns())
        self.note_rejected("detector", self._detector.rejected)
        for (camera, view, marks, frame), detections in zip(taken, found, strict=True):
            marks.append(span)
            with camera.guarded():
                self._passage.put(camera.name, Seen(view, marks, frame, checked(detections)))

    def _track(self, arrivals: list[tuple[str, Seen]]) -> None:
        """The second thread: detections to embeddings to tracks."""
        planned = []
        for name, seen in arrivals:
            camera = self._cameras[name]
            with camera.guarded():
                seen.marks.append(Span("wait", seen.marks[-1].end, time.monotonic_ns()))
                planned.append((camera, seen, camera.plan(seen, len(arrivals))))
        vectors: list[Any] = [None] * len(planned)
        if self._embedder is not None:
            begin = time.monotonic_ns()
            vectors = embed_each(self._embedder, [(step.frame.image, step.boxes) for *_, step in planned])
            span = Span("embed", begin, time.monotonic_ns())
            count = sum(len(step.rows) for *_, step in planned)
            for camera, _, step in planned:
                step.spans.append(span)
                camera.deadline.embedded(span, count)
        for (camera, seen, step), rows in zip(planned, vectors, strict=True):
            with camera.guarded():
                result = camera.update(step, checked(rows))
                marks = seen.marks
                marks[:] = result.spans
                with marks.measure("publish"):
                    camera.publish(result, self._detector.class_names)
                fewer = step.plan is not None and step.plan.postponed > 0
                camera.deadline.done(seen.view.stamp_ns, marks, fewer=fewer)
                self._tracer.finish(marks, seen.view.stamp_ns, seen.view.frame_id)
        self.note_rejected("tracker", sum(camera.rejected for camera in self._cameras.values()))


def main() -> int:
    """Entry point."""
    return run(TrackingNode, TrackingNode.kind)


if __name__ == "__main__":
    sys.exit(main())
