"""Source, detector, embedder, camera motion, tracker, sinks: everything but ROS.

::

    detector, embedder = create_detector(), create_embedder()
    with open_source("street.mp4") as source, MotSink("tracks.txt") as sink:
        tracker = create_tracker("strongsort", frame_rate=source.frame_rate)
        motion = create_camera_motion("sparse_flow")  # None for a camera that stands still
        run(source, TrackingPipeline(detector, embedder, tracker, motion), [sink])
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ImageError
from rtreid_ros.histogram import Histogram
from rtreid_ros.ordering import Order, StampOrder
from rtreid_ros.stages import Camera, FrameResult, Spans, Step, Timings

if TYPE_CHECKING:
    from rtreid_ros.camera_motion.base import CameraMotion
    from rtreid_ros.detection.base import Detector
    from rtreid_ros.reid.base import Embedder
    from rtreid_ros.reid.economy import EmbeddingEconomy
    from rtreid_ros.sinks.base import Sink
    from rtreid_ros.sources.base import Source
    from rtreid_ros.tracking import Tracker
    from rtreid_ros.types import Detections, Float32, Frame

__all__ = ["FrameResult", "RunSummary", "Timings", "TrackingPipeline", "run"]

logger = logging.getLogger(__name__)

_MOST_TIMINGS = 100_000  # a live run may last for days


class TrackingPipeline:
    """The stages in one call, for one camera. One instance serves one thread at a time.

    Args:
        detector: finds objects.
        embedder: tells them apart by looks; only used when the tracker asks for it. May be None.
        tracker: gives them ids.
        camera_motion: tells it how the camera moved, from the image without what was detected. May
            be None.
        economy: tells which detections need embedding; None: all.
    """

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder | None,
        tracker: Tracker,
        camera_motion: CameraMotion | None = None,
        economy: EmbeddingEconomy | None = None,
    ) -> None:
        self.detector = detector
        self.embedder = embedder if tracker.uses_embeddings else None
        self.camera = Camera(tracker, camera_motion, None if self.embedder is None else economy)

    @property
    def tracker(self) -> Tracker:
        """What gives ids."""
        return self.camera.tracker

    @property
    def camera_motion(self) -> CameraMotion | None:
        """What tells how the camera moves."""
        return self.camera.camera_motion

    @property
    def economy(self) -> EmbeddingEconomy | None:
        """What tells which detections need embedding; None also without an embedder."""
        return self.camera.economy

    def process(self, frame: Frame) -> FrameResult:
        """Take in the next frame.

        Raises:
            ImageError: the image is none a detector can work on; the tracker has not moved on.
        """
        spans = Spans()
        with spans.measure("detect"):
            detections = self._detect(frame)
        step = self.camera.plan(frame, detections, spans)
        vectors = None
        if self.embedder is not None:
            with step.spans.measure("embed"):
                vectors = self._embed(self.embedder, step)
        return self.camera.update(step, vectors)

    def _detect(self, frame: Frame) -> Detections:
        return self.detector.detect(frame.image)

    def _embed(self, embedder: Embedder, step: Step) -> Float32:
        return embedder.embed(step.frame.image, step.boxes)

    @property
    def rejected(self) -> int:
        """Invalid detections dropped so far, by the detector or, made invalid later, by the tracker."""
        return self.detector.rejected + self.tracker.rejected

    @property
    def motion_failures(self) -> int:
        """Frames so far for which the camera's motion could not be told."""
        return self.camera.motion_failures

    def reset(self) -> None:
        """Forget all tracks, and the frame before."""
        self.camera.reset()


@dataclass(slots=True)
class RunSummary:
    """What a run did.

    Attributes:
        frames: processed.
        skipped: frames whose image was unusable.
        late: frames that came after later ones, or twice.
        lost: frames the source could not deliver.
        rejected: invalid detections that the detector or the tracker dropped.
        detections: boxes found, over all frames.
        motion_failures: frames for which the camera's motion could not be told.
        ids: ids confirmed at least once.
        seconds: wall-clock time of the whole run, reading and writing included.
        interrupted: whether the user ended it.
        timings: of the last frames, a hundred thousand at most.
    """

    frames: int = 0
    skipped: int = 0
    late: int = 0
    lost: int = 0
    rejected: int = 0
    detections: int = 0
    motion_failures: int = 0
    ids: set[int] = field(default_factory=set)
    seconds: float = 0.0
    interrupted: bool = False
    timings: deque[Timings] = field(default_factory=lambda: deque(maxlen=_MOST_TIMINGS))

    @property
    def frames_per_second(self) -> float:
        """Of the whole run."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON; milliseconds are medians, 99th percentiles and histograms."""
        stages = {}
        for stage in ("detection_ms", "embedding_ms", "camera_motion_ms", "tracking_ms", "total_ms"):
            values = [getattr(timing, stage) for timing in self.timings] or [0.0]
            p50, p99 = np.percentile(values, [50, 99])
            counts = Histogram.of(values).as_dict()
            stages[stage] = {"p50": round(float(p50), 3), "p99": round(float(p99), 3), "histogram": counts}
        return {
            "frames": self.frames,
            "skipped": self.skipped,
            "late": self.late,
            "lost": self.lost,
            "rejected_detections": self.rejected,
            "detections": self.detections,
            "camera_motion_failures": self.motion_failures,
            "ids": len(self.ids),
            "seconds": round(self.seconds, 3),
            "frames_per_second": round(self.frames_per_second, 2),
            "interrupted": self.interrupted,
            **stages,
        }


def run(
    source: Source, pipeline: TrackingPipeline, sinks: Sequence[Sink] = (), *, progress: bool = False
) -> RunSummary:
    """Track every frame of `source` and hand each result to all `sinks`, which are entered already.

    A frame with an unusable image, or with a stamp not after the one before, is logged, counted and
    skipped; where stamps jump far back, tracking begins anew. Ctrl-C ends the run, not the
    program: what was tracked until then is kept.

    Args:
        source: frames.
        pipeline: the stages.
        sinks: take the results.
        progress: show a bar with frames, rate and tracks on standard error.
    """
    from tqdm import tqdm  # noqa: PLC0415 (only here)

    summary = RunSummary()
    order = StampOrder()
    rejected_before, failures_before = pipeline.rejected, pipeline.motion_failures
    start = time.perf_counter()
    bar = tqdm(source, total=source.length, desc=source.name, unit="frame", disable=not progress)
    try:
        for frame in bar:
            if order.judge(frame.stamp_ns) is Order.LATE:
                summary.late += 1
                logger.warning(
                    "frame %d skipped: its stamp, %.3f s, is not after the last", frame.index, frame.stamp
                )
                continue
            try:
                result = pipeline.process(frame)
            except ImageError as error:
                summary.skipped += 1
                logger.warning("frame %d skipped: %s", frame.index, error)
                continue
            summary.frames += 1
            summary.timings.append(result.timings)
            summary.detections += len(result.detections)
            confirmed = result.tracks.confirmed()
            summary.ids.update(confirmed.ids.tolist())
            for sink in sinks:
                sink.write(result)
            bar.set_postfix(tracks=len(confirmed), ids=len(summary.ids), refresh=False)
    except KeyboardInterrupt:
        summary.interrupted = True
        logger.warning("interrupted after %d frames; keeping what was tracked", summary.frames)
    finally:
        bar.close()
    summary.seconds = time.perf_counter() - start
    summary.lost = getattr(source, "lost", 0)
    summary.rejected = pipeline.rejected - rejected_before
    summary.motion_failures = pipeline.motion_failures - failures_before
    return summary
