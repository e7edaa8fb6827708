"""Trackers of ours and of other packages behind one interface, on the defaults each ships.

The peers are optional (``pip install '.[peers]'``, an environment of its own is best: boxmot and
ultralytics are AGPL-3.0 and bring torch). Each gets the same detections, embeddings and camera
motion; where it wants a picture, a black one. What a peer has to convert before its `update` is
not on its bill.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import logging
import warnings
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from rtreid_ros.recordings.recording import RecordedFrame, Recording
from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Float64, Tracks, TrackState

REVISION = 1
"""To be raised when something else is given to a peer, so that kept figures are measured again."""
_LIKENESS_OF_ALL = 128
"""Length of the constant embedding for trackers that cannot do without any."""


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


def _tracks(ids: Any, boxes: Any, scores: Any) -> Tracks:
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


class _StoredMotion:
    """In the place of a peer's camera-motion estimator: answers with the frame's stored affine."""

    method = "stored"

    def __init__(self) -> None:
        self.affine: Float64 = np.eye(2, 3)

    def take(self, frame: RecordedFrame) -> None:
        self.affine = np.eye(2, 3) if frame.camera_motion is None else frame.camera_motion

    def apply(self, *_: Any, **__: Any) -> Float64:
        return self.affine

    estimate = apply

    def reset(self) -> None:
        self.affine = np.eye(2, 3)

    reset_params = reset


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


class Ours(Implementation):
    """This package."""

    title, distribution, module = "rtreid_ros", "rtreid_ros", "rtreid_ros"
    trackers = tuple(TRACKERS)
    appearance = tuple(name for name in TRACKERS if TRACKERS[name].uses_embeddings)
    motion = trackers
    takes_time = True

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _OurSession(tracker, recording, conditions)


class _OurSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        self._conditions = conditions
        self._tracker = create_tracker(name, recording.frame_rate, **dict(conditions.options))

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        seen = frame.detections if self._conditions.embeddings else frame.detections.with_embeddings(None)
        return seen, stamp, frame.camera_motion if self._conditions.camera_motion else None

    def update(self, *arguments: Any) -> Any:
        detections, stamp, camera_motion = arguments
        return self._tracker.update(detections, stamp=stamp, camera_motion=camera_motion)

    def read(self, output: Any) -> Tracks:
        tracks: Tracks = output
        return tracks


class Boxmot(Implementation):
    """boxmot's Python trackers, with the options of the YAML files it ships."""

    title, distribution, module = "boxmot", "boxmot", "boxmot"
    trackers = ("bytetrack", "ocsort", "botsort", "strongsort", "deepocsort")
    appearance = motion = ("botsort", "strongsort", "deepocsort")
    takes_time = True

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _BoxmotSession(tracker, recording, conditions)


class _BoxmotSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        import torch
        from boxmot import structures
        from boxmot.trackers.config import load_tracker_config
        from boxmot.trackers.factory import create_tracker as create
        from boxmot.trackers.specs import TrackerSpec

        torch.set_num_threads(1)
        self._torch, self._structures, self._conditions = torch, structures, conditions
        options = load_tracker_config(name)
        for key, value in (
            ("use_embeddings", conditions.embeddings),
            ("use_cmc", conditions.camera_motion),
            ("cmc_off", not conditions.camera_motion),
        ):
            if key in options:
                options[key] = value
        if conditions.real_time:
            options["variable_dt"] = True
        self._tracker = create(TrackerSpec(name=name, options=tuple(sorted(options.items()))))
        self._motion = _StoredMotion()
        if hasattr(self._tracker, "cmc"):
            self._tracker.cmc = self._motion if conditions.camera_motion else None
        needs = self._tracker.requirements
        self._needs_embeddings = needs.embeddings
        self._image = _black(recording) if needs.frame else None

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        self._motion.take(frame)
        seen, torch = frame.detections, self._torch
        stamp_s = stamp if self._conditions.real_time else None
        if not self._needs_embeddings:
            rows = np.column_stack([seen.boxes, seen.scores, seen.class_ids]).astype(np.float32)
            return rows.reshape(-1, 6), stamp_s
        looks = seen.embeddings if self._conditions.embeddings else None
        if looks is None:
            looks = np.full((len(seen), _LIKENESS_OF_ALL), _LIKENESS_OF_ALL**-0.5, np.float32)
        detections = self._structures.Detections(
            geometry=self._structures.Boxes(torch.from_numpy(seen.boxes)),
            scores=torch.from_numpy(seen.scores),
            class_ids=torch.from_numpy(seen.class_ids.astype(np.int64)),
            sample_id=str(frame.number),
            embeddings=torch.from_numpy(looks),
        )
        return detections, stamp_s

    def update(self, *arguments: Any) -> Any:
        detections, stamp_s = arguments
        return self._tracker.update(detections, self._image, timestamp_s=stamp_s)

    def read(self, output: Any) -> Tracks:
        if isinstance(output, np.ndarray):
            rows = output.reshape(len(output), -1)
            return _tracks(rows[:, 4], rows[:, :4], rows[:, 5]) if len(rows) else Tracks.empty()
        return _tracks(output.track_ids.numpy(), output.geometry.values.numpy(), output.scores.numpy())


class Roboflow(Implementation):
    """roboflow/trackers, with the defaults of its constructors and the recording's frame rate."""

    title, distribution, module = "roboflow", "trackers", "trackers"
    classes: ClassVar[dict[str, str]] = {
        "sort": "SORTTracker",
        "bytetrack": "ByteTrackTracker",
        "ocsort": "OCSORTTracker",
        "botsort": "BoTSORTTracker",
    }
    trackers = tuple(classes)
    motion = ("botsort",)
    takes_time = True

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _RoboflowSession(cls.classes[tracker], recording, conditions)


class _RoboflowSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        import supervision
        import trackers

        self._supervision, self._conditions = supervision, conditions
        cls = getattr(trackers, name)
        takes_motion = name == Roboflow.classes["botsort"]
        options = {"enable_cmc": conditions.camera_motion} if takes_motion else {}
        self._tracker = cls(frame_rate=recording.frame_rate, **options)
        self._motion, self._image = _StoredMotion(), None
        if takes_motion and conditions.camera_motion:
            self._tracker.cmc, self._image = self._motion, _black(recording)

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        self._motion.take(frame)
        seen = frame.detections
        detections = self._supervision.Detections(
            xyxy=seen.boxes, confidence=seen.scores, class_id=seen.class_ids.astype(int)
        )
        return detections, stamp if self._conditions.real_time else None

    def update(self, *arguments: Any) -> Any:
        detections, stamp = arguments
        return self._tracker.update(detections, self._image, timestamp=stamp)

    def read(self, output: Any) -> Tracks:
        if not len(output) or output.tracker_id is None:
            return Tracks.empty()
        known = output.tracker_id >= 0  # -1: not yet believed
        return _tracks(output.tracker_id[known], output.xyxy[known], output.confidence[known])


class Ultralytics(Implementation):
    """ultralytics' trackers, with the options of the YAML files it ships."""

    title, distribution, module = "ultralytics", "ultralytics", "ultralytics"
    trackers = ("bytetrack", "ocsort", "botsort", "deepocsort")
    appearance = motion = ("botsort", "deepocsort")

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _UltralyticsSession(tracker, recording, conditions)


class _UltralyticsSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        import torch
        from ultralytics.engine.results import Boxes
        from ultralytics.trackers.track import TRACKER_MAP
        from ultralytics.utils import YAML, IterableSimpleNamespace
        from ultralytics.utils.checks import check_yaml

        torch.set_num_threads(1)
        self._torch, self._boxes, self._conditions = torch, Boxes, conditions
        self._image = _black(recording)
        options = YAML.load(check_yaml(f"{name}.yaml"))
        options.update(
            {
                key: value
                for key, value in (("gmc_method", "none"), ("with_reid", conditions.embeddings))
                if key in options
            }
        )
        self._tracker = TRACKER_MAP[name](args=IterableSimpleNamespace(**options))
        self._motion = _StoredMotion()
        if conditions.camera_motion:
            self._tracker.gmc = self._motion

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        self._motion.take(frame)
        seen = frame.detections
        rows = np.column_stack([seen.boxes, seen.scores, seen.class_ids]).astype(np.float32).reshape(-1, 6)
        looks = None
        if self._conditions.embeddings and seen.embeddings is not None:
            looks = self._torch.from_numpy(seen.embeddings)
        return self._boxes(rows, self._image.shape[:2]), looks

    def update(self, *arguments: Any) -> Any:
        boxes, looks = arguments
        return self._tracker.update(boxes, self._image, looks)

    def read(self, output: Any) -> Tracks:
        rows = np.asarray(output).reshape(-1, 8)
        return _tracks(rows[:, 4], rows[:, :4], rows[:, 5])


def _black(recording: Recording) -> Any:
    return np.zeros((recording.height, recording.width, 3), np.uint8)


OURS = Ours.title
IMPLEMENTATIONS: dict[str, type[Implementation]] = {
    item.title: item for item in (Ours, Boxmot, Roboflow, Ultralytics)
}
PEERS = tuple(name for name in IMPLEMENTATIONS if name != OURS)


def quiet() -> None:
    """Keep chatter out of tables."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
