"""Who was followed by which track, frame by frame, with the errors CLEAR MOT counts.

Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics", 2008, section 2.1.3: a correspondence that still holds goes on; what is left is assigned
by overlap. Sums over all frames are therefore those of the evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.evaluation.judging import judge

if TYPE_CHECKING:
    from rtreid_ros.evaluation.judging import FramePair, Rules
    from rtreid_ros.types import Bool, Float64, Int64

ABSENT, MISSED = -2, -1
"""In `Course.partner`: not in the frame, or there but not found."""

_LEAST_OVERLAP = 0.5 - np.finfo(np.float64).eps
_LOYALTY = 1000.0
"""Weight of going on with the same track: more than all overlaps of a frame together."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What became of every person of one sequence; T identities, F frames.

    Attributes:
        name: of the sequence.
        truth_ids: ``(T,) int64``.
        track_ids: ``(K,) int64``, the ids that `partner` indexes.
        partner: ``(T, F) int32``, index of the track that followed, or `MISSED`, or `ABSENT`.
        switched: ``(T, F) bool``, found by another track than the last time it was found.
        false_positives: ``(F,) int64``.
    """

    name: str
    truth_ids: Int64
    track_ids: Int64
    partner: Any
    switched: Bool
    false_positives: Int64

    @property
    def frames(self) -> int:
        """How many there are."""
        return int(self.partner.shape[1])

    @property
    def false_negatives(self) -> Int64:
        """``(F,) int64``."""
        missed: Int64 = (self.partner == MISSED).sum(axis=0)
        return missed

    def stretches(self, row: int) -> Iterator[tuple[int, int, int]]:
        """Runs of frames of one identity: partner, first frame, frame after the last (from 0)."""
        partner = self.partner[row]
        edges = np.flatnonzero(np.diff(partner)) + 1
        starts = np.concatenate([[0], edges]).tolist()
        for start, end in zip(starts, [*starts[1:], len(partner)], strict=True):
            if partner[start] != ABSENT:
                yield int(partner[start]), start, end


def follow(pairs: Sequence[FramePair], rules: Rules, name: str = "sequence") -> Course:
    """The course of everyone who is judged.

    Raises:
        SourceError: an id twice in a frame.
    """
    data = judge(pairs, rules)
    truth, tracks = data["gt_names"], data["tracker_names"]
    partner = np.full((len(truth), len(pairs)), ABSENT, np.int32)
    switched = np.zeros(partner.shape, bool)
    false_positives = np.zeros(len(pairs), np.int64)
    before = np.full(len(truth), MISSED, np.int32)  # who followed in the frame before
    last = before.copy()  # who followed last
    for index, (people, found, overlap) in enumerate(
        zip(data["gt_ids"], data["tracker_ids"], data["similarity_scores"], strict=True)
    ):
        rows, columns = _correspondences(before[people, None] == found[None, :], overlap)
        matched = people[rows]
        partner[people, index] = MISSED
        partner[matched, index] = found[columns]
        switched[matched, index] = (last[matched] != MISSED) & (last[matched] != found[columns])
        last[matched] = found[columns]
        if len(people) and len(found):  # TrackEval, too, remembers over frames in which one side is empty
            before[:] = MISSED
            before[matched] = found[columns]
        false_positives[index] = len(found) - len(columns)
    return Course(name, truth, tracks, partner, switched, false_positives)


def _correspondences(loyal: Bool, overlap: Float64) -> tuple[Int64, Int64]:
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 (slow to import)

    worth = np.where(overlap >= _LEAST_OVERLAP, _LOYALTY * loyal + overlap, 0.0)
    rows, columns = linear_sum_assignment(-worth)
    real = worth[rows, columns] > np.finfo(np.float64).eps
    return rows[real], columns[real]
