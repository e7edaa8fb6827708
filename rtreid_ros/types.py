"""The vocabulary: what the stages hand to each other.

Everything is a structure of arrays with one row per object. Boxes are ``(N, 4) float32`` corners
``x1, y1, x2, y2`` in pixels of the original image; stamps are integer nanoseconds, because a
float64 of seconds since 1970 no longer resolves a microsecond.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]


class TrackState(IntEnum):
    """Life of a track; the values are those of the ``STATE_*`` constants of ``Track.msg``."""

    TENTATIVE = 1
    """Seen, but not often enough yet to be believed."""
    CONFIRMED = 2
    """Believed and matched to a detection in this very frame: what goes into results."""
    LOST = 3
    """Confirmed earlier, not matched in this frame; its box is a prediction."""


def _column(name: str, value: ArrayLike | None, dtype: type, length: int) -> Any:
    """`value` as a one-dimensional array of `length` rows; zeros when None."""
    if value is None:
        return np.zeros(length, dtype)
    array: NDArray[Any] = np.asarray(value, dtype).reshape(-1)
    if len(array) != length:
        raise ValueError(f"{name} has {len(array)} rows where boxes has {length}")
    return array


def _boxes(value: ArrayLike) -> Float32:
    boxes = np.asarray(value, np.float32)
    if boxes.size == 0:
        return np.zeros((0, 4), np.float32)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes must have shape (N, 4), got {boxes.shape}")
    return boxes


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector saw in one frame, N rows.

    Attributes:
        boxes: ``(N, 4) float32``, corners in pixels of the original image.
        scores: ``(N,) float32`` in [0, 1].
        class_ids: ``(N,) int32``, index into the detector's class names.
        embeddings: ``(N, D) float32`` rows of unit length, or None before the ReID stage. A row of zeros:
            nobody knows what it looks like.

    Raises:
        ValueError: the arrays disagree in shape. Values are not judged here; see `is_valid`.
    """

    boxes: Float32
    scores: Float32
    class_ids: Int32 = None  # type: ignore[assignment]  # zeros when not given
    embeddings: Float32 | None = None

    def __post_init__(self) -> None:
        boxes = _boxes(self.boxes)
        set_ = object.__setattr__
        set_(self, "boxes", boxes)
        set_(self, "scores", _column("scores", self.scores, np.float32, len(boxes)))
        set_(self, "class_ids", _column("class_ids", self.class_ids, np.int32, len(boxes)))
        if self.embeddings is not None:
            embeddings = np.asarray(self.embeddings, np.float32)
            if embeddings.ndim != 2 or len(embeddings) != len(boxes):
                raise ValueError(f"embeddings must have shape ({len(boxes)}, D), got {embeddings.shape}")
            set_(self, "embeddings", embeddings)

    @classmethod
    def empty(cls) -> Detections:
        """A frame in which nothing was seen."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> Detections:
        """The rows that a mask, an index array or a slice selects."""
        embeddings = None if self.embeddings is None else self.embeddings[rows]
        return Detections(self.boxes[rows], self.scores[rows], self.class_ids[rows], embeddings)

    def with_embeddings(self, embeddings: Float32 | None) -> Detections:
        """The same detections with an appearance vector each."""
        return replace(self, embeddings=embeddings)

    def is_valid(self) -> Bool:
        """``(N,) bool``: rows with finite numbers, a score in [0, 1] and a box of positive size."""
        boxes, scores = self.boxes, self.scores
        valid: Bool = np.isfinite(boxes).all(axis=1) & (scores >= 0) & (scores <= 1)
        valid &= (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        if self.embeddings is not None:
            valid &= np.isfinite(self.embeddings).all(axis=1)
        return valid


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Every live track after one update, ordered by id, N rows.

    Attributes:
        ids: ``(N,) int64``, from 1, unique per tracker instance.
        boxes: ``(N, 4) float32``, corners in pixels.
        scores: ``(N,) float32``, score of the last matched detection.
        class_ids: ``(N,) int32``.
        states: ``(N,) uint8`` of `TrackState`.
        ages: ``(N,) float32``, seconds since the track's first detection.
        time_since_update: ``(N,) float32``, seconds since its last matched detection (0 if now).
        detection_index: ``(N,) int64``, row of the matched detection in this frame's input, or -1.
        velocities: ``(N, 2) float32``, of the box centre, pixels per second.
        embeddings: ``(N, D) float32`` rows of unit length, or None if the tracker keeps none.
    """

    ids: Int64
    boxes: Float32
    scores: Float32
    class_ids: Int32
    states: UInt8
    ages: Float32
    time_since_update: Float32
    detection_index: Int64
    velocities: Float32
    embeddings: Float32 | None = None

    @classmethod
    def empty(cls) -> Tracks:
        """No track at all."""

        def none(dtype: type) -> Any:
            return np.zeros(0, dtype)

        return cls(
            ids=none(np.int64),
            boxes=np.zeros((0, 4), np.float32),
            scores=none(np.float32),
            class_ids=none(np.int32),
            states=none(np.uint8),
            ages=none(np.float32),
            time_since_update=none(np.float32),
            detection_index=none(np.int64),
            velocities=np.zeros((0, 2), np.float32),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Any) -> Tracks:
        """The rows that a mask, an index array or a slice selects."""
        return Tracks(
            self.ids[rows],
            self.boxes[rows],
            self.scores[rows],
            self.class_ids[rows],
            self.states[rows],
            self.ages[rows],
            self.time_since_update[rows],
            self.detection_index[rows],
            self.velocities[rows],
            None if self.embeddings is None else self.embeddings[rows],
        )

    def confirmed(self) -> Tracks:
        """The tracks that go into results: confirmed and matched in this frame."""
        return self[self.states == TrackState.CONFIRMED]


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """Who really is where in one frame, N rows.

    Attributes:
        ids: ``(N,) int64`` identities.
        boxes: ``(N, 4) float32``, corners in pixels, of the whole body, also where it is hidden.
        class_ids: ``(N,) int32`` in the numbering of the data set (MOTChallenge: 1 = pedestrian).
        visibility: ``(N,) float32`` in [0, 1], share of the body not hidden.
        considered: ``(N,) bool``, False where the data set says not to judge this row.
    """

    ids: Int64
    boxes: Float32
    class_ids: Int32
    visibility: Float32
    considered: Bool

    def __len__(self) -> int:
        return len(self.ids)

    def as_tracks(self) -> Tracks:
        """As it travels in a TrackArray: visibility as score, TENTATIVE where not to be judged."""
        count = len(self)
        states = np.where(self.considered, TrackState.CONFIRMED, TrackState.TENTATIVE)
        return Tracks(
            ids=self.ids,
            boxes=self.boxes,
            scores=self.visibility,
            class_ids=self.class_ids,
            states=states.astype(np.uint8),
            ages=np.zeros(count, np.float32),
            time_since_update=np.zeros(count, np.float32),
            detection_index=np.full(count, -1, np.int64),
            velocities=np.zeros((count, 2), np.float32),
        )

    @classmethod
    def from_tracks(cls, tracks: Tracks) -> GroundTruth:
        """The inverse of `as_tracks`."""
        considered = tracks.states == TrackState.CONFIRMED
        return cls(tracks.ids, tracks.boxes, tracks.class_ids, tracks.scores, considered)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        image: ``(H, W, 3) uint8``, BGR.
        index: position in the source, from 0; gaps mean lost frames.
        stamp_ns: capture time in nanoseconds, on the source's own clock.
        truth: ground truth, where the source has it.
        camera: name of the camera (the ``frame_id`` of ROS headers).
    """

    image: UInt8
    index: int
    stamp_ns: int
    truth: GroundTruth | None = None
    camera: str = "camera"

    @property
    def stamp(self) -> float:
        """Capture time in seconds."""
        return self.stamp_ns * 1e-9
