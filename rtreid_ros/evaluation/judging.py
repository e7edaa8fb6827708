"""From boxes to what the metrics compare: preprocessing, similarities, contiguous ids.

The rules are those of the MOTChallenge evaluation (Dendorfer et al., "MOTChallenge: A Benchmark
for Single-Camera Multiple Target Tracking", IJCV 2021, section 4.1) as TrackEval applies them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.boxes import iou, ltwh_to_xyxy
from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.mot_text import PEDESTRIAN, MotTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.types import Bool, Float64, Int64

_EPSILON = np.finfo(np.float64).eps


@dataclass(frozen=True, slots=True)
class Rules:
    """What a benchmark does before it counts.

    Attributes:
        name: the benchmark.
        distractors: ground-truth classes such that a result matching one of them is neither right
            nor wrong; empty where the ground truth has no classes.
        forgive_ignored: a result matching a row that is not considered is neither right nor wrong;
            MOTChallenge counts it as a false positive.
    """

    name: str
    distractors: tuple[int, ...] = ()
    forgive_ignored: bool = False

    @property
    def has_classes(self) -> bool:
        """Whether only ground truth of class pedestrian counts."""
        return bool(self.distractors)


MOT15 = Rules("MOT15")
MOT17 = Rules("MOT17", distractors=(2, 7, 8, 12))  # MOT16, DanceTrack and SportsMOT alike
MOT20 = Rules("MOT20", distractors=(2, 6, 7, 8, 12))
PLAIN = Rules("plain", forgive_ignored=True)
"""For truth that comes with frames, such as the synthetic scene's: no classes, no malice."""

BENCHMARKS: dict[str, Rules] = {rules.name: rules for rules in (MOT15, MOT17, MOT20, PLAIN)}


@dataclass(frozen=True, slots=True, eq=False)
class FramePair:
    """Truth (M rows) and results (N rows) of one frame; boxes are float64 corners."""

    truth_ids: Int64
    truth_boxes: Float64
    truth_classes: Int64
    considered: Bool
    track_ids: Int64
    track_boxes: Float64


def pair_tables(results: MotTable, truth: MotTable, length: int) -> list[FramePair]:
    """One pair for each of the `length` frames.

    Raises:
        SourceError: a table has rows after the last frame.
    """
    for what, table in (("ground truth", truth), ("results", results)):
        if table.last_frame > length:
            raise SourceError(f"{what} go on to frame {table.last_frame}, the sequence has {length} frames")
    none = slice(0, 0)
    truth_rows, result_rows = dict(truth.by_frame()), dict(results.by_frame())
    considered = truth.considered
    pairs = []
    for number in range(1, length + 1):
        t, r = truth_rows.get(number, none), result_rows.get(number, none)
        pairs.append(
            FramePair(
                truth.ids[t],
                ltwh_to_xyxy(truth.boxes[t]),
                truth.class_ids[t],
                considered[t],
                results.ids[r],
                ltwh_to_xyxy(results.boxes[r]),
            )
        )
    return pairs


def judge(pairs: Sequence[FramePair], rules: Rules) -> dict[str, Any]:
    """What TrackEval's metrics read, after preprocessing.

    Raises:
        SourceError: an id occurs twice in one frame, in the truth or in the results.
    """
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for number, pair in enumerate(pairs, start=1):
        _check_unique(number, "ground truth", pair.truth_ids)
        _check_unique(number, "results", pair.track_ids)
        scores = iou(pair.truth_boxes, pair.track_boxes)
        judged = pair.considered.copy()
        if rules.has_classes:
            judged &= pair.truth_classes == PEDESTRIAN
        forgiving = np.isin(pair.truth_classes, rules.distractors)
        if rules.forgive_ignored:
            forgiving |= ~pair.considered
        counted = ~_matches_of(forgiving, scores)
        data["gt_ids"].append(pair.truth_ids[judged])
        data["tracker_ids"].append(pair.track_ids[counted])
        data["similarity_scores"].append(scores[judged][:, counted])
    for side in ("gt", "tracker"):
        data[f"{side}_ids"], data[f"num_{side}_ids"] = _relabel(data[f"{side}_ids"])
        data[f"num_{side}_dets"] = sum(len(ids) for ids in data[f"{side}_ids"])
    data["num_timesteps"] = len(pairs)
    return data


def _check_unique(number: int, what: str, ids: Int64) -> None:
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise SourceError(f"{what}: id {values[counts.argmax()]} occurs twice in frame {number}")


def _matches_of(rows: Bool, scores: Float64) -> Bool:
    """``(N,)``: results whose best assignment (IoU >= 0.5, over all truth) is one of `rows`."""
    matched = np.zeros(scores.shape[1], bool)
    if not rows.any() or not scores.shape[1]:
        return matched
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 (slow to import)

    admissible = np.where(scores < 0.5 - _EPSILON, 0.0, scores)
    truth, result = linear_sum_assignment(-admissible)
    real = (admissible[truth, result] > _EPSILON) & rows[truth]
    matched[result[real]] = True
    return matched


def _relabel(per_frame: list[Int64]) -> tuple[list[Int64], int]:
    """Ids renamed to 0..n-1, and n."""
    known = np.unique(np.concatenate(per_frame)) if per_frame else np.zeros(0, np.int64)
    return [np.searchsorted(known, ids) for ids in per_frame], len(known)
