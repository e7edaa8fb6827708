"""What every tracker is: one `update` per frame."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.options import option
from rtreid_ros.tracking.association import Matching, load_solver
from rtreid_ros.tracking.clock import Clock
from rtreid_ros.tracking.kalman import BoxFilter
from rtreid_ros.tracking.rows import TrackRows
from rtreid_ros.types import Bool, Detections, Float32, Float64, Int64, Tracks, TrackState

logger = logging.getLogger(__name__)

_FARTHEST = 1e9
"""Boxes with a coordinate beyond this many pixels are nonsense, and their areas might overflow."""


@dataclass(frozen=True, slots=True)
class TrackerOptions:
    """Options every tracker has; its own, and the published defaults, stand in its module."""

    max_lost: float = option(
        1.0, "a track not seen for longer than this is dropped, seconds", ge=0, search=(0.3, 3.0), live=True
    )
    min_hits: int = option(3, "detections that confirm a new track", ge=1, search=[1, 2, 3, 4, 5], live=True)
    report: str = option(
        "detection",
        "box given for a matched track: the matched detection's, unchanged, or the Kalman filter's, smoother",
        choices=("detection", "filter"),
        search=[],
        live=True,
    )
    per_class: bool = option(
        False, "whether only detections of a track's own class can continue it", search=[], live=True
    )


class Tracker(ABC):
    """Turns the detections of consecutive frames into tracks.

    One instance serves one thread at a time; instances share nothing. A subclass brings its
    options, its filter and `_associate`, and may extend the other underscored steps of `update`.

    Attributes:
        rejected: invalid detections dropped so far (see `Detections.is_valid`).
        resets: times stamps ran backwards so far.
    """

    Options: ClassVar[type[TrackerOptions]]
    Rows: ClassVar[type[TrackRows]] = TrackRows
    filter: ClassVar[BoxFilter]
    uses_embeddings: ClassVar[bool] = False
    """Whether the detections should come with embeddings."""
    borrows: ClassVar[bool] = True
    """Whether a track's own embedding of a moment ago may stand in for that of its next detection."""
    camera_motion: ClassVar[str] = "none"
    """How the paper estimates camera motion, a name in `rtreid_ros.camera_motion`. Every tracker takes
    camera motion into account if told."""
    tentative_survives: ClassVar[bool] = False
    """Whether a track not yet believed outlives being missed (it must then begin again to convince)."""

    options: TrackerOptions
    tracks: TrackRows

    def __init__(self, frame_rate: float = 30.0, options: TrackerOptions | None = None) -> None:
        if not 0 < frame_rate < np.inf:
            raise ConfigError(f"frame_rate must be a positive number, frames per second, got {frame_rate!r}")
        load_solver()
        self.options = self.Options() if options is None else options
        self.frame_rate = frame_rate
        self._max_lost = self.options.max_lost * frame_rate
        self.rejected = 0
        self.resets = 0
        self._clock = Clock(frame_rate)
        self.reset()

    @property
    def least_score(self) -> float:
        """Detections scored below this leave no trace in it: what they look like need not be known."""
        return 0.0

    def reset(self) -> None:
        """Start anew: no tracks, ids from 1, no last stamp. Counters go on."""
        self._clock.reset()
        self._before = 0.0  # time of the update before the current one, in nominal frames
        self._next_id = 1
        self._updates = 0
        self.tracks = self._new_tracks(Detections.empty())

    def adjust(self, options: TrackerOptions) -> None:
        """Go on with other options, which may differ in those marked `live`; between two updates."""
        self.options = options
        self._max_lost = options.max_lost * self.frame_rate

    def update(
        self,
        detections: Detections,
        stamp: float | None = None,
        camera_motion: ArrayLike | None = None,
    ) -> Tracks:
        """Take in one frame, also one in which nothing was detected.

        Args:
            detections: what was seen. Invalid rows are dropped and counted in `rejected`.
            stamp: time in seconds, on any clock; None: one nominal frame after the last. An equal
                stamp is a second look at the same moment: nothing moves or ages in between. An
                earlier one means that a recording began again: the tracker resets and warns.
            camera_motion: ``(2, 3)`` affine in pixels from the previous frame to this one.

        Returns:
            Every live track, ordered by id.

        Raises:
            InputError: the stamp is not finite, the camera motion is not an invertible affine, or
                embeddings have another length than before. The tracker is as if not called.
        """
        affine = None if camera_motion is None else _affine(camera_motion)
        self._check(detections)
        if self._clock.is_backwards(stamp):
            logger.warning(
                "stamp %s s lies before the last one, %s s: tracks are reset", stamp, self._clock.stamp
            )
            self.resets += 1
            self.reset()
        self._before = self._clock.now
        step = self._clock.advance(stamp)
        self._updates += 1

        valid = detections.is_valid() & (np.abs(detections.boxes) < _FARTHEST).all(axis=1)
        source = np.flatnonzero(valid)
        if len(source) < len(detections):
            self.rejected += len(detections) - len(source)
            detections = detections[source]

        # Who ran out of time before this frame was due must not be found in it, however late it is.
        self._drop_lost(self._max_lost + 1)
        if affine is not None:
            self._warp(affine)
        self._predict(step)

        self._prepare(detections)
        matching = Matching(self.tracks.class_ids, detections.class_ids, self.options.per_class)
        self._associate(detections, matching)
        self.tracks.detection_index = matching.detection_of
        matched = matching.detection_of >= 0
        if matched.any():
            rows = np.flatnonzero(matched)
            self._continue(rows, detections[matching.detection_of[rows]])
        self._judge(matched)
        self._drop_lost(self._max_lost)
        newcomers = matching.free_detections(self._can_begin(detections))
        if len(newcomers):
            self._begin(detections, newcomers)
        self._finish()
        return self._report(source)

    # --------------------------------------------------------- steps of an update

    def _check(self, detections: Detections) -> None:  # noqa: B027 (a step that may be empty)
        """Raise InputError if `detections` do not fit those before."""

    def _warp(self, affine: Float64) -> None:
        """Carry what is remembered in pixels from the camera's last frame into this one."""
        self.filter.warp(self.tracks.motion, affine)

    def _predict(self, step: float) -> None:
        """Move all tracks `step` nominal frames on."""
        self.filter.predict(self.tracks.motion, step)

    def _prepare(self, detections: Detections) -> None:  # noqa: B027 (a step that may be empty)
        """Make ready for valid `detections`."""

    @abstractmethod
    def _associate(self, detections: Detections, matching: Matching) -> None:
        """Match the predicted tracks with the detections, stage by stage."""

    @abstractmethod
    def _can_begin(self, detections: Detections) -> Bool:
        """``(N,) bool``: detections good enough for a new track."""

    def _grace(self) -> int:
        """How many updates from the start believe every new track at once."""
        return 0

    def _noise_scale(self, scores: Float32) -> Float64 | None:
        """Factor on the measurement noise of each matched detection; None = 1."""
        return None

    def _new_tracks(self, detections: Detections, **more: Any) -> TrackRows:
        """One tentative track per detection; `more` are the columns a subclass adds."""
        count = len(detections)
        return self.Rows(
            ids=np.arange(self._next_id, self._next_id + count),
            states=np.full(count, TrackState.TENTATIVE, np.uint8),
            motion=self.filter.initiate(self.filter.measure(detections.boxes.astype(np.float64))),
            boxes=detections.boxes.copy(),
            scores=detections.scores.copy(),
            class_ids=detections.class_ids.copy(),
            born=np.full(count, self._clock.now),
            seen=np.full(count, self._clock.now),
            hits=np.ones(count, np.int32),
            detection_index=np.full(count, -1, np.int64),
            **{"features": np.zeros((count, 0), np.float32), **more},
        )

    def _continue(self, rows: Int64, detections: Detections) -> None:
        """Take one detection each into the tracks `rows`."""
        tracks = self.tracks
        measured = self.filter.measure(detections.boxes.astype(np.float64))
        self.filter.update(tracks.motion, rows, measured, self._noise_scale(detections.scores))
        tracks.boxes[rows] = detections.boxes
        tracks.scores[rows] = detections.scores
        tracks.class_ids[rows] = detections.class_ids
        tracks.seen[rows] = self._clock.now
        tracks.hits[rows] += 1

    def _judge(self, matched: Bool) -> None:
        """Settle the state of every track."""
        tracks = self.tracks
        believed = (tracks.states != TrackState.TENTATIVE) | (tracks.hits >= self.options.min_hits)
        tracks.states[believed] = np.where(matched[believed], TrackState.CONFIRMED, TrackState.LOST)
        doubted = ~(believed | matched)
        if doubted.any():
            if self.tentative_survives:
                tracks.hits[doubted] = 0
            else:
                tracks.keep(~doubted)

    def _begin(self, detections: Detections, rows: Int64) -> None:
        """New tracks from the detections `rows`."""
        born = self._new_tracks(detections[rows])
        born.detection_index[:] = rows
        if self.options.min_hits == 1 or self._updates <= self._grace():
            born.states[:] = TrackState.CONFIRMED
        self._next_id += len(born)
        self.tracks.extend(born)

    def _finish(self) -> None:  # noqa: B027 (a step that may be empty)
        """Tidy up once every track has its state."""

    # ------------------------------------------------------------- shared by them

    def _boxes(self) -> Float32:
        """Corners of the tracks' filtered boxes, as precise as those of detections."""
        return self.filter.corners(self.tracks.motion.position).astype(np.float32)

    def _drop_lost(self, frames: float) -> None:
        # Half a frame of tolerance: with a constant rate this is the papers' comparison of integers.
        keep = self._clock.now - self.tracks.seen <= frames + 0.5
        if not keep.all():
            self.tracks.keep(keep)

    def _report(self, source: Int64) -> Tracks:
        tracks, rate = self.tracks, self.frame_rate
        boxes = self._boxes()
        matched = tracks.detection_index >= 0
        if self.options.report == "detection":
            boxes[matched] = tracks.boxes[matched]
        index = tracks.detection_index.copy()
        index[matched] = source[index[matched]]
        return Tracks(
            ids=tracks.ids.copy(),
            boxes=boxes,
            scores=tracks.scores.copy(),
            class_ids=tracks.class_ids.copy(),
            states=tracks.states.copy(),
            ages=((self._clock.now - tracks.born) / rate).astype(np.float32),
            time_since_update=((self._clock.now - tracks.seen) / rate).astype(np.float32),
            detection_index=index,
            velocities=(tracks.motion.velocity[:, :2] * rate).astype(np.float32),
            embeddings=tracks.features.copy() if tracks.features.shape[1] else None,
        )


def _affine(camera_motion: ArrayLike) -> Float64:
    affine = np.asarray(camera_motion, np.float64)
    if affine.shape != (2, 3) or not np.isfinite(affine).all() or np.linalg.det(affine[:, :2]) == 0:
        raise InputError(f"camera_motion must be an invertible 2x3 affine in pixels, got {camera_motion!r}")
    return affine
