"""The stages one by one, for whoever runs them in several threads or for several cameras.

Models are shared: `detect_each` and `embed_each` take frames of different cameras at once. What
belongs to one camera is a `Camera`. Of each frame::

    [detections] = detect_each(detector, [frame.image])
    step = camera.plan(frame, detections)
    [vectors] = embed_each(embedder, [(frame.image, step.boxes)])
    result = camera.update(step, vectors)

The frame before must be updated before the next is planned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from rtreid_ros.affine import compose

if TYPE_CHECKING:
    from rtreid_ros.camera_motion.base import CameraMotion
    from rtreid_ros.detection.base import Detector
    from rtreid_ros.reid.base import Embedder
    from rtreid_ros.reid.economy import EmbeddingEconomy, EmbeddingPlan
    from rtreid_ros.tracking import Tracker
    from rtreid_ros.types import Detections, Float32, Float64, Frame, Int64, Tracks, UInt8

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Span:
    """When one stage worked on a frame.

    Attributes:
        stage: ``detect``, ``motion``, ``embed`` or ``associate``; nodes add their own.
        begin: nanoseconds of this machine's monotonic clock.
        end: likewise. Frames that go through a model together share both.
    """

    stage: str
    begin: int
    end: int

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return (self.end - self.begin) / 1e6


class Spans(list[Span]):
    """What was done with one frame so far, or with several at once."""

    def milliseconds(self, stage: str) -> float:
        """How long a stage took; 0 if it did not run."""
        return sum(span.milliseconds for span in self if span.stage == stage)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """A block that is one stage; what it raises leaves no span."""
        begin = time.monotonic_ns()
        yield
        self.append(Span(stage, begin, time.monotonic_ns()))


@dataclass(frozen=True, slots=True)
class Timings:
    """Wall-clock milliseconds each stage took for one frame; 0 where it did not run.

    Frames that go through a model together have each to wait for all of them.
    """

    detection_ms: float = 0.0
    embedding_ms: float = 0.0
    tracking_ms: float = 0.0
    camera_motion_ms: float = 0.0

    @classmethod
    def of(cls, spans: Sequence[Span]) -> Timings:
        """The sums of spans."""
        total = Spans(spans).milliseconds
        return cls(total("detect"), total("embed"), total("associate"), total("motion"))

    @property
    def total_ms(self) -> float:
        """All together."""
        return self.detection_ms + self.embedding_ms + self.tracking_ms + self.camera_motion_ms


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """All that is known about one frame.

    `camera_motion` is the ``(2, 3)`` affine in pixels from the frame processed before, where
    somebody told it; `spans` say when what was done, in order of their begin.
    """

    frame: Frame
    detections: Detections
    tracks: Tracks
    timings: Timings
    camera_motion: Float64 | None = None
    spans: Sequence[Span] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One frame between detection and tracking.

    Attributes:
        frame: the frame.
        detections: in it, without embeddings.
        camera_motion: ``(2, 3)`` affine in pixels from the frame tracked last; None: nobody told.
        spans: what was done with it so far; whoever does more adds to them.
        plan: which of its detections are to be embedded; None: all.
    """

    frame: Frame
    detections: Detections
    camera_motion: Float64 | None = None
    spans: Spans = field(default_factory=Spans)
    plan: EmbeddingPlan | None = None

    @property
    def rows(self) -> Int64:
        """``(K,)`` detections that are to be embedded."""
        return np.arange(len(self.detections)) if self.plan is None else self.plan.rows

    @property
    def boxes(self) -> Float32:
        """``(K, 4)`` corners of what is to be embedded."""
        return self.detections.boxes[self.rows]


class Camera:
    """What one camera needs for itself. One instance serves one thread at a time.

    Args:
        tracker: gives its detections ids.
        camera_motion: tells how it moved, from the image without what was detected. May be None.
        economy: tells which detections need embedding. None: all, or there is no embedder.
    """

    def __init__(
        self,
        tracker: Tracker,
        camera_motion: CameraMotion | None = None,
        economy: EmbeddingEconomy | None = None,
    ) -> None:
        self.tracker = tracker
        self.camera_motion = camera_motion
        self.economy = economy
        self._untold: Float64 | None = None  # motion of frames that the tracker refused

    def plan(
        self, frame: Frame, detections: Detections, spans: Sequence[Span] = (), most: int | None = None
    ) -> Step:
        """What is to be done with the detections of the next frame.

        Args:
            frame: the frame.
            detections: in it.
            spans: what was done with it so far.
            most: detections that may be embedded at most, where there is an economy; None: any number.

        Raises:
            RtreidError: as `CameraMotion.estimate`.
        """
        done, motion = Spans(spans), None
        if self.camera_motion is not None:
            with done.measure("motion"):
                motion = self._estimate(self.camera_motion, frame, detections)
        plan = None
        if self.economy is not None:
            least, lend = self.tracker.least_score, self.tracker.borrows
            plan = self.economy.plan(detections, frame.stamp, motion, least_score=least, lend=lend, most=most)
        return Step(frame, detections, motion, done, plan)

    def update(self, step: Step, vectors: Float32 | None) -> FrameResult:
        """Track a planned frame.

        Args:
            step: what `plan` gave for it.
            vectors: ``(K, D)`` embeddings of `Step.boxes`; None: there is no embedder.

        Raises:
            InputError: as `Tracker.update`, which is then as if not called.
        """
        plan, detections = step.plan, step.detections
        if vectors is not None:
            vectors = vectors if plan is None else plan.complete(vectors)
            detections = detections.with_embeddings(vectors)
        with step.spans.measure("associate"):
            tracks = self.tracker.update(detections, stamp=step.frame.stamp, camera_motion=step.camera_motion)
        self._untold = None
        if self.economy is not None and plan is not None and vectors is not None:
            self.economy.observe(tracks, vectors, plan, step.frame.stamp)
        timings = Timings.of(step.spans)
        return FrameResult(step.frame, detections, tracks, timings, step.camera_motion, step.spans)

    def _estimate(self, camera_motion: CameraMotion, frame: Frame, detections: Detections) -> Float64:
        motion = camera_motion.estimate(
            frame.image, detections.boxes, index=frame.index, stamp_ns=frame.stamp_ns
        )
        if self._untold is not None:
            motion = compose(motion, self._untold)
        self._untold = motion
        return motion

    @property
    def motion_failures(self) -> int:
        """Frames so far for which the camera's motion could not be told."""
        return 0 if self.camera_motion is None else self.camera_motion.failures

    def reset(self) -> None:
        """Forget all tracks, and the frame before."""
        self.tracker.reset()
        self._untold = None
        if self.camera_motion is not None:
            self.camera_motion.reset()
        if self.economy is not None:
            self.economy.reset()


def detect_each(detector: Detector, images: Sequence[UInt8]) -> list[Detections | Exception]:
    """The detections in each image, or what its detection raises: one bad image costs only itself.

    Images go through the model together where it can.
    """
    return _each(images, detector.detect, lambda: detector.detect_many(images))


def embed_each(embedder: Embedder, pairs: Sequence[tuple[UInt8, Float32]]) -> list[Float32 | Exception]:
    """The vectors of the boxes of each image, or what embedding them raises.

    Crops go through the model together.
    """
    return _each(pairs, lambda pair: embedder.embed(*pair), lambda: embedder.embed_many(pairs))


def checked(outcome: ResultT | Exception) -> ResultT:
    """One of those outcomes, or its exception raised."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _each(
    items: Sequence[ItemT], alone: Callable[[ItemT], ResultT], together: Callable[[], list[ResultT]]
) -> list[ResultT | Exception]:
    if len(items) > 1:
        with suppress(Exception):  # whose fault it was shows when each is on its own
            return list(together())
    return [_outcome(alone, item) for item in items]


def _outcome(function: Callable[[ItemT], ResultT], item: ItemT) -> ResultT | Exception:
    try:
        return function(item)
    except Exception as error:  # to be handled by whoever knows what it costs
        return error
