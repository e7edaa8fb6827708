"""Judging ids across cameras: Identity over all cameras as one timeline, and how many links are right.

IDF1 was defined for exactly this (Ristani et al., "Performance Measures and a Data Set for
Multi-Target, Multi-Camera Tracking", 2016): the cameras' frames follow one another as one sequence
in which people keep their identity.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from rtreid_ros.boxes import iou
from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.judging import PLAIN, FramePair, Rules
from rtreid_ros.evaluation.metrics import combine, evaluate_pairs
from rtreid_ros.types import GroundTruth, Int64, Tracks, TrackState

_MATCH = 0.5
"""Least IoU of a track and whom it shows."""


@dataclass(frozen=True, slots=True, eq=False)
class CameraRun:
    """One camera's frames: ``truth[i]``, ``tracks[i]`` and ``global_ids[i]`` (a row for each track)."""

    truth: Sequence[GroundTruth]
    tracks: Sequence[Tracks]
    global_ids: Sequence[Int64]


@dataclass(frozen=True, slots=True)
class GlobalScores:
    """Ratios from 0 to 1, and counts.

    Attributes:
        idf1: with global ids, over all cameras as one timeline. What has none (0) counts as somebody
            of its own, one for each local track.
        idf1_apart: the same timeline with every camera's local ids kept apart: what there is without
            a gallery.
        idf1_local: every camera by itself with its local ids, together: what trackers alone are worth.
        link_precision: of all pairs of local tracks with one global id, those that show one person.
        link_recall: of all pairs of local tracks that show one person, those with one global id.
        links: pairs of local tracks with one global id.
        identified: share of confirmed boxes with a global id.
        people: in the truth.
        identities: different global ids.
    """

    idf1: float
    idf1_apart: float
    idf1_local: float
    link_precision: float
    link_recall: float
    links: int
    identified: float
    people: int
    identities: int

    def as_dict(self) -> dict[str, float | int]:
        """Plain numbers by name, for JSON."""
        return asdict(self)


def judge_global_ids(cameras: Mapping[str, CameraRun], rules: Rules = PLAIN) -> GlobalScores:
    """Judge confirmed tracks whose true identities are common to all cameras.

    Raises:
        ConfigError: a camera's frames do not pair, or there is none.
        SourceError: an id occurs twice in a frame.
        MissingDependencyError: TrackEval is not installed.
    """
    if not cameras:
        raise ConfigError("nothing to judge: no camera")
    for name, run in cameras.items():
        if not len(run.truth) == len(run.tracks) == len(run.global_ids):
            raise ConfigError(
                f"{name}: {len(run.truth)} frames of ground truth, {len(run.tracks)} of tracks, "
                f"{len(run.global_ids)} of global ids"
            )
    local, apart, joined = [], [], []
    shows: dict[tuple[int, int], Counter[int]] = {}
    given: dict[tuple[int, int], Counter[int]] = {}
    boxes = identified = 0
    for number, run in enumerate(cameras.values()):
        pairs = []
        for truth, tracks, global_ids in zip(run.truth, run.tracks, run.global_ids, strict=True):
            kept = tracks.states == TrackState.CONFIRMED
            mine, ids = tracks[kept], np.asarray(global_ids)[kept]
            own = -1 - (number + len(cameras) * mine.ids)  # below 0: never a global id
            boxes, identified = boxes + len(ids), identified + int(np.count_nonzero(ids))
            pairs.append(_pair(truth, mine, mine.ids))
            apart.append(_pair(truth, mine, own))
            joined.append(_pair(truth, mine, np.where(ids != 0, ids, own)))
            _count(shows, given, number, truth, mine, ids)
        local.append(evaluate_pairs(pairs, rules))
    right, links, real = _links(shows, given)
    return GlobalScores(
        idf1=evaluate_pairs(joined, rules).scores.idf1,
        idf1_apart=evaluate_pairs(apart, rules).scores.idf1,
        idf1_local=combine(local).scores.idf1,
        link_precision=right / links if links else 1.0,
        link_recall=right / real if real else 1.0,
        links=links,
        identified=identified / boxes if boxes else 0.0,
        people=len({id_ for run in cameras.values() for truth in run.truth for id_ in truth.ids.tolist()}),
        identities=len({id_ for ids in given.values() for id_ in ids if id_}),
    )


def _pair(truth: GroundTruth, tracks: Tracks, ids: Int64) -> FramePair:
    return FramePair(
        truth.ids,
        truth.boxes.astype(np.float64),
        truth.class_ids.astype(np.int64),
        truth.considered,
        ids,
        tracks.boxes.astype(np.float64),
    )


def _count(
    shows: dict[tuple[int, int], Counter[int]],
    given: dict[tuple[int, int], Counter[int]],
    camera: int,
    truth: GroundTruth,
    tracks: Tracks,
    global_ids: Int64,
) -> None:
    """Add one frame: whom each local track shows, and what global id it has."""
    if not len(tracks) or not len(truth):
        return
    overlap = iou(tracks.boxes, truth.boxes)
    best = overlap.argmax(axis=1)
    for row in np.flatnonzero(overlap.max(axis=1) >= _MATCH).tolist():
        key = (camera, int(tracks.ids[row]))
        shows.setdefault(key, Counter())[int(truth.ids[best[row]])] += 1
        given.setdefault(key, Counter())[int(global_ids[row])] += 1


def _links(
    shows: Mapping[tuple[int, int], Counter[int]], given: Mapping[tuple[int, int], Counter[int]]
) -> tuple[int, int, int]:
    """Right links, links, and pairs of tracks that show one person.

    A local track counts by whom it shows most, and by the global id it has most of the time that it
    has one.
    """
    person = {key: counts.most_common(1)[0][0] for key, counts in shows.items()}
    named: dict[tuple[int, int], int] = {}
    for key, counts in given.items():
        some = Counter({id_: count for id_, count in counts.items() if id_})
        if some:
            named[key] = some.most_common(1)[0][0]
    links = _pairs_within(named.values())
    right = _pairs_within((named[key], person[key]) for key in named)
    return right, links, _pairs_within(person[key] for key in named)


def _pairs_within(labels: Iterable[object]) -> int:
    """How many pairs have one label."""
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())
