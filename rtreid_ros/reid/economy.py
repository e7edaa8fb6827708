"""Which detections need their looks taken, and which may borrow those of the track they continue.

Most detections of most frames continue a track that nobody else is near: position alone tells whose
they are, and the track's embedding of a moment ago is as good as a new one. What is left to embed are
detections that may be somebody else's, that are new, and now and then one of each track.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rtreid_ros.affine import transform
from rtreid_ros.boxes import iou
from rtreid_ros.options import option
from rtreid_ros.types import Bool, Detections, Float32, Float64, Int64, Tracks, TrackState

_MOMENTUM = 0.5
"""Share of its old looks a track keeps here when it is embedded.

Trackers keep 0.9 of theirs at each match, which at 30 frames per second halves what is older than
0.22 s. Here half is kept once in a refresh time of 0.25 s: the same memory. Borrowed looks come as
often as a track is matched, so what a tracker knows follows what is lent without more delay.
"""
_GOLDEN = 0.6180339887498949
"""Multiples of it spread evenly over [0, 1), however many there are."""
_TOLERANCE_S = 1e-3
"""By which stamps that are multiples of a frame's time miss them, and ages in float32 their value."""


@dataclass(frozen=True, slots=True)
class EconomyOptions:
    """When a detection is not embedded but given what is known of its track."""

    enabled: bool = option(
        True,
        "embed only detections that are new, may be several tracks', or whose track is due for it",
        live=True,
    )
    refresh: float = option(
        0.25,
        "a track is embedded again when its last embedding is older than this, seconds",
        ge=0,
        le=60,
        live=True,
    )
    recent: float = option(
        0.25,
        "only tracks seen no longer ago than this lend their embedding, seconds",
        ge=0,
        le=5,
        live=True,
    )
    least_likeness: float = option(
        0.6,
        "a track lends its embedding only if its last one was like those before: least cosine of the two",
        ge=-1,
        le=1,
        live=True,
    )
    least_overlap: float = option(
        0.6, "least IoU of a detection with the place where its track is expected", ge=0, le=1, live=True
    )
    crowd_overlap: float = option(
        0.2,
        "a detection or track that overlaps another by this IoU is not told by its place",
        ge=0.01,
        le=1,
        live=True,
    )


class Need(IntEnum):
    """Why a detection should be embedded, the most important first."""

    AMBIGUOUS = 0
    """Several tracks, or several detections of one track, are near."""
    NEW = 1
    """No track is near."""
    LOST = 2
    """Only tracks are near that are lost."""
    REFRESH = 3
    """It is clear whose it is, but those looks are old."""
    NONE = 4
    """It is clear whose it is."""
    IGNORED = 5
    """The tracker does not look at detections of so low a score."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingPlan:
    """What is to happen to the N detections of one frame.

    Attributes:
        needs: ``(N,) int64`` of `Need`.
        rows: ``(K,) int64``, ascending: to be embedded.
        borrowed: ``(B,) int64``, ascending: given the looks of their track.
        looks: ``(B, D) float32``, those looks.
        postponed: detections that should be embedded and are not, because no more may be.
    """

    needs: Int64
    rows: Int64
    borrowed: Int64
    looks: Float32
    postponed: int = 0

    def __len__(self) -> int:
        return len(self.needs)

    @property
    def left_out(self) -> int:
        """Detections that should have been embedded, but there was no time and nobody to borrow from."""
        return len(self) - len(self.rows) - len(self.borrowed) - self.ignored

    @property
    def ignored(self) -> int:
        """Detections that nobody will look at, and are not embedded for that."""
        idle = self.needs == Need.IGNORED
        idle[self.rows] = False
        return int(idle.sum())

    def complete(self, vectors: Float32) -> Float32:
        """Embeddings of all detections from those of `rows`, ``(K, D)``.

        Returns:
            ``(N, D) float32``: unit rows, and zeros where nothing is known, which are at a cosine
            distance of 1 from everybody.
        """
        if len(self.rows) == len(self):
            return vectors
        embeddings = np.zeros((len(self), vectors.shape[1]), np.float32)
        embeddings[self.rows] = vectors
        if len(self.borrowed):
            embeddings[self.borrowed] = self.looks
        return embeddings


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What was reported last, a row per track, by ascending id."""

    stamp: float
    tracks: Tracks
    embedded: Float64
    """``(T,)`` stamp of the last embedding; -inf where there is none."""
    likeness: Float32
    """``(T,)`` cosine of the last embedding and the looks before it; -inf before the second."""
    looks: Float32
    """``(T, D)`` smoothed embeddings; zeros where there is none."""


class EmbeddingEconomy:
    """Plans what to embed of each frame of one camera, from the tracks of frames before.

    It works beside any tracker, from what that reports. For each frame: `plan`, embed ``plan.rows``,
    `EmbeddingPlan.complete`, update the tracker, `observe`. Reports may come some frames late, as
    they do when the tracker is another process.

    Attributes:
        embedded: detections planned to be embedded so far.
        borrowed: detections so far given the looks of their track.
        ignored: detections so far not embedded because the tracker does not look at them.
        left_out: detections so far given nothing, because there was no time for them.
    """

    def __init__(self, options: EconomyOptions | None = None) -> None:
        self.options = EconomyOptions() if options is None else options
        self.embedded = 0
        self.borrowed = 0
        self.ignored = 0
        self.left_out = 0
        self._known: _Known | None = None

    def reset(self) -> None:
        """Forget all tracks, when the tracker does or the embedder changes. Counters go on."""
        self._known = None

    def counts(self) -> dict[str, int]:
        """How many detections so far were ``embedded``, ``borrowed``, ``ignored`` and ``left_out``."""
        return {
            "embedded": self.embedded,
            "borrowed": self.borrowed,
            "ignored": self.ignored,
            "left_out": self.left_out,
        }

    def plan(
        self,
        detections: Detections,
        stamp: float,
        camera_motion: Float64 | None = None,
        *,
        least_score: float = 0.0,
        lend: bool = True,
        most: int | None = None,
    ) -> EmbeddingPlan:
        """What to do with the detections of a frame.

        Args:
            detections: of the frame, N rows.
            stamp: its time in seconds.
            camera_motion: ``(2, 3)`` affine in pixels from the frame observed last to this one;
                None: the camera stood still, or nobody knows.
            least_score: detections scored below this are nothing to the tracker.
            lend: whether to lend to others than those for whom no time is left.
            most: detections that may be embedded at most; the least important are not. None: all.
        """
        needs = np.full(len(detections), Need.IGNORED, np.int64)
        lender = np.full(len(detections), -1, np.int64)
        rows = np.flatnonzero(detections.scores >= least_score)
        needs[rows], lender[rows] = self._judge(detections[rows], stamp, camera_motion)
        if not lend:
            needs[needs == Need.NONE] = Need.REFRESH
        wanted = np.flatnonzero(needs < Need.NONE) if self.options.enabled else np.arange(len(needs))
        postponed = 0 if most is None else max(len(wanted) - most, 0)
        if postponed:
            wanted = np.sort(self._by_importance(wanted, needs, detections, lender)[:most])
        spared = np.ones(len(detections), bool)
        spared[wanted] = False
        borrowed = np.flatnonzero(spared & (lender >= 0))
        looks = np.zeros((0, 0), np.float32)
        if self._known is not None and len(borrowed):
            looks = self._known.looks[lender[borrowed]]
        plan = EmbeddingPlan(needs, wanted, borrowed, looks, postponed)
        self.embedded += len(wanted)
        self.borrowed += len(borrowed)
        self.ignored += plan.ignored
        self.left_out += plan.left_out
        return plan

    def observe(self, tracks: Tracks, embeddings: Float32, plan: EmbeddingPlan, stamp: float) -> None:
        """Take in what the tracker made of a planned frame.

        Args:
            tracks: all live tracks after the update, by ascending id.
            embeddings: ``(N, D)``, those of the frame's detections, as completed.
            plan: of that frame.
            stamp: its time in seconds; one before the last observed means a new beginning.
        """
        known = self._known
        if known is not None and stamp < known.stamp:
            known = None
        embedded = np.full(len(tracks), -np.inf)
        likeness = np.full(len(tracks), -np.inf, np.float32)
        looks = np.zeros((len(tracks), embeddings.shape[1]), np.float32)
        if known is not None and len(known.tracks):
            # An id younger than the last report is somebody else's who had it before a reset.
            place = np.searchsorted(known.tracks.ids, tracks.ids).clip(max=len(known.tracks) - 1)
            same = known.tracks.ids[place] == tracks.ids
            same &= tracks.ages >= stamp - known.stamp - _TOLERANCE_S
            place = place[same]
            embedded[same], likeness[same] = known.embedded[place], known.likeness[place]
            looks[same] = known.looks[place]
        taken = np.zeros(len(plan), bool)
        taken[plan.rows] = True
        matched = np.flatnonzero(tracks.detection_index >= 0)
        fresh = matched[taken[tracks.detection_index[matched]]]
        if len(fresh):
            new = embeddings[tracks.detection_index[fresh]]
            before, again = looks[fresh], np.isfinite(embedded[fresh])
            likeness[fresh] = np.where(again, np.einsum("kd,kd->k", before, new), -np.inf)
            mixed = np.where(again[:, None], _MOMENTUM * before + (1 - _MOMENTUM) * new, new)
            length = np.linalg.norm(mixed, axis=1, keepdims=True)
            looks[fresh] = np.divide(mixed, length, out=np.zeros_like(mixed), where=length > 0)
            embedded[fresh] = stamp
        self._known = _Known(stamp, tracks, embedded, likeness, looks)

    # ------------------------------------------------------------------------- judging

    def _judge(
        self, detections: Detections, stamp: float, camera_motion: Float64 | None
    ) -> tuple[Int64, Int64]:
        """The `Need` of each detection, and the row of the track that can lend to it, or -1."""
        needs = np.full(len(detections), Need.NEW, np.int64)
        lender = np.full(len(detections), -1, np.int64)
        known = self._known
        if known is None or len(known.tracks) == 0 or len(detections) == 0 or stamp < known.stamp:
            return needs, lender
        options = self.options
        expected = _expected(known, stamp, camera_motion)
        boxes = np.where(detections.is_valid()[:, None], detections.boxes, 0).astype(np.float64)
        overlap = iou(expected, boxes)
        near = overlap >= options.crowd_overlap
        confirmed = known.tracks.states == TrackState.CONFIRMED
        confirmed &= stamp - known.stamp <= options.recent + _TOLERANCE_S
        lost = known.tracks.states == TrackState.LOST

        # One track and one detection, and nobody else near either.
        alone = near & (near.sum(axis=0) == 1) & (near.sum(axis=1) == 1)[:, None]
        alone &= ~_crowded(boxes, options.crowd_overlap) & ~_crowded(expected, options.crowd_overlap)[:, None]
        alone &= (overlap >= options.least_overlap) & (confirmed & np.isfinite(known.embedded))[:, None]
        alone &= known.tracks.class_ids[:, None] == detections.class_ids

        needs[near.any(axis=0)] = Need.AMBIGUOUS
        needs[near[lost].any(axis=0) & ~near[~lost].any(axis=0)] = Need.LOST
        tracks, rows = np.nonzero(alone)
        lender[rows] = tracks
        due = known.likeness[tracks] < options.least_likeness
        due |= stamp - known.embedded[tracks] >= self._periods(known.tracks.ids[tracks]) - _TOLERANCE_S
        needs[rows] = np.where(due, Need.REFRESH, Need.NONE)
        return needs, lender

    def _periods(self, ids: Int64) -> Float64:
        """Seconds after which each track is embedded again.

        Between half and all of `refresh`, by id: people who came together shall not be due together.
        """
        return np.asarray(self.options.refresh * (0.5 + 0.5 * (ids * _GOLDEN % 1)))

    def _by_importance(self, rows: Int64, needs: Int64, detections: Detections, lender: Int64) -> Int64:
        """`rows`, the most important first: by need, then the surest detection or the oldest looks."""
        second = -detections.scores[rows].astype(np.float64)
        if self._known is not None:
            due = lender[rows] >= 0
            second[due] = self._known.embedded[lender[rows[due]]]
        return rows[np.lexsort((second, needs[rows]))]


def _expected(known: _Known, stamp: float, camera_motion: Float64 | None) -> Float64:
    """``(T, 4)`` corners of where the tracks are expected: moved by their velocity and the camera's."""
    boxes = known.tracks.boxes.astype(np.float64)
    centre, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    centre = centre + known.tracks.velocities * (stamp - known.stamp)
    if camera_motion is not None:
        centre = transform(camera_motion, centre)
        half *= np.sqrt(abs(np.linalg.det(camera_motion[:, :2])))
    expected: Float64 = np.concatenate([centre - half, centre + half], axis=1)
    return expected


def _crowded(boxes: Float64, limit: float) -> Bool:
    """``(N,) bool``: boxes that overlap another of them by an IoU of `limit` or more."""
    crowded: Bool = (iou(boxes, boxes) >= limit).sum(axis=1) > 1
    return crowded
