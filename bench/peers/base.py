"""What a package of trackers looks like to the benchmark."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rtreid_ros.recordings import RecordedFrame, Recording
from rtreid_ros.types import Float64, Tracks, TrackState


@dataclass(frozen=True)
class Conditions:
    """What a tracker is given besides boxes and scores.

    Attributes:
        embeddings: appearance vectors, where it uses them.
        camera_motion: the stored affine of each frame, where it uses it.
        real_time: the stamp of each frame; otherwise updates count as 1/rate.
        options: of our trackers only.
    """

    embeddings: bool = False
    camera_motion: bool = False
    real_time: bool = False
    options: tuple[tuple[str, Any], ...] = field(default=())


class Session(ABC):
    """One tracker on one recording. Only `update` is timed."""

    @abstractmethod
    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        """Arguments of `update` in the tracker's own types."""

    @abstractmethod
    def update(self, *arguments: Any) -> Any:
        """Take in one frame."""

    @abstractmethod
    def read(self, output: Any) -> Tracks:
        """Confirmed tracks from what `update` returned."""


class Implementation(ABC):
    """A package of trackers.

    Attributes:
        title: as the tables call it.
        distribution: its name among installed distributions.
        module: what is imported.
        trackers: our name of each tracker it has.
        appearance: those that can be given embeddings.
        motion: those that can be given camera motion.
        takes_time: whether `update` can be told the time.
    """

    title: ClassVar[str]
    distribution: ClassVar[str]
    module: ClassVar[str]
    trackers: ClassVar[tuple[str, ...]]
    appearance: ClassVar[tuple[str, ...]] = ()
    motion: ClassVar[tuple[str, ...]] = ()
    takes_time: ClassVar[bool] = False

    @classmethod
    def version(cls) -> str | None:
        """Of what is installed; None where it is not."""
        if importlib.util.find_spec(cls.module) is None:
            return None
        try:
            return importlib.metadata.version(cls.distribution)
        except importlib.metadata.PackageNotFoundError:
            return "source"

    @classmethod
    @abstractmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """A fresh tracker for `recording`."""


def results_of(ids: Any, boxes: Any, scores: Any) -> Tracks:
    """Results as if each had been matched just now."""
    count = len(ids)
    zeros = np.zeros(count, np.float32)
    return Tracks(
        ids=np.asarray(ids).astype(np.int64),
        boxes=np.asarray(boxes, np.float32).reshape(-1, 4),
        scores=np.asarray(scores, np.float32),
        class_ids=np.zeros(count, np.int32),
        states=np.full(count, TrackState.CONFIRMED, np.uint8),
        ages=zeros,
        time_since_update=zeros,
        detection_index=np.full(count, -1, np.int64),
        velocities=np.zeros((count, 2), np.float32),
    )


class StoredMotion:
    """In the place of a peer's camera-motion estimator: answers with the frame's stored affine."""

    method = "stored"

    def __init__(self) -> None:
        self.affine: Float64 = np.eye(2, 3)

    def take(self, frame: RecordedFrame) -> None:
        """The frame whose affine is asked for next."""
        self.affine = np.eye(2, 3) if frame.camera_motion is None else frame.camera_motion

    def apply(self, *_: Any, **__: Any) -> Float64:
        """What the peers call, whatever they give."""
        return self.affine

    estimate = apply

    def reset(self) -> None:
        """No motion."""
        self.affine = np.eye(2, 3)

    reset_params = reset


def black(recording: Recording) -> Any:
    """A picture for those who want one."""
    return np.zeros((recording.height, recording.width, 3), np.uint8)
