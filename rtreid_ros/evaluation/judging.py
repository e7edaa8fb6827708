"""From boxes to what the metrics compare: preprocessing, similarities, contiguous ids.

The rules are those of the MOTChallenge evaluation (Dendorfer et al., "MOTChallenge: A Benchmark
for Single-Camera Multiple Target Tracking", IJCV 2021, section 4.1) and of the KITTI tracking
benchmark (Geiger et al., CVPR 2012), as TrackEval applies them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.boxes import iou
from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.kitti_text import CAR, DONT_CARE, PERSON_SITTING, VAN
from rtreid_ros.evaluation.kitti_text import PEDESTRIAN as KITTI_PEDESTRIAN
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
        judged: the ground-truth class that counts, where there are classes.
        apart: results have classes too: only those of class `judged` are looked at, and only truth
            of that class and of the distractors.
        region: ground-truth class whose boxes are regions in which unmatched results are forgiven.
        min_height: unmatched results up to this many pixels high are forgiven.
    """

    name: str
    distractors: tuple[int, ...] = ()
    forgive_ignored: bool = False
    judged: int = PEDESTRIAN
    apart: bool = False
    region: int | None = None
    min_height: float | None = None

    @property
    def has_classes(self) -> bool:
        """Whether only ground truth of one class counts."""
        return bool(self.distractors)


MOT15 = Rules("MOT15")
MOT17 = Rules("MOT17", distractors=(2, 7, 8, 12))  # MOT16, DanceTrack and SportsMOT alike
MOT20 = Rules("MOT20", distractors=(2, 6, 7, 8, 12))
PLAIN = Rules("plain", forgive_ignored=True)
"""For truth that comes with frames, such as the synthetic scene's: no classes, no malice."""

KITTI = "KITTI"
KITTI_CAR = Rules(
    "car",
    distractors=(VAN,),
    forgive_ignored=True,
    judged=CAR,
    apart=True,
    region=DONT_CARE,
    min_height=25,
)
KITTI_PERSON = replace(KITTI_CAR, name="pedestrian", distractors=(PERSON_SITTING,), judged=KITTI_PEDESTRIAN)

BENCHMARKS: dict[str, Rules] = {rules.name: rules for rules in (MOT15, MOT17, MOT20, PLAIN)}

JUDGED: dict[str, tuple[Rules, ...]] = {
    **{name: (rules,) for name, rules in BENCHMARKS.items()},
    KITTI: (KITTI_CAR, KITTI_PERSON),
}
"""Rules of each benchmark; more than one where it judges several classes, each by itself."""


@dataclass(frozen=True, slots=True, eq=False)
class FramePair:
    """Truth (M rows) and results (N rows) of one frame; boxes are float64 corners."""

    truth_ids: Int64
    truth_boxes: Float64
    truth_classes: Int64
    considered: Bool
    track_ids: Int64
    track_boxes: Float64
    track_classes: Int64 | None = None
    regions: Float64 | None = None


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
                truth.xyxy(t),
                truth.class_ids[t],
                considered[t],
                results.ids[r],
                results.xyxy(r),
                results.class_ids[r],
            )
        )
    return pairs


def judge(pairs: Sequence[FramePair], rules: Rules) -> dict[str, Any]:
    """What TrackEval's metrics read, after preprocessing.

    Beside that, ``gt_names`` and ``tracker_names`` are the ids that the contiguous ones stand for.

    Raises:
        SourceError: an id occurs twice in one frame, in the truth or in the results.
    """
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for number, whole in enumerate(pairs, start=1):
        pair = _of_class(whole, rules) if rules.apart else whole
        _check_unique(number, "ground truth", pair.truth_ids)
        _check_unique(number, "results", pair.track_ids)
        scores = iou(pair.truth_boxes, pair.track_boxes)
        judged = pair.considered.copy()
        if rules.has_classes:
            judged &= pair.truth_classes == rules.judged
        counted = ~_forgiven(pair, scores, rules)
        data["gt_ids"].append(pair.truth_ids[judged])
        data["tracker_ids"].append(pair.track_ids[counted])
        data["similarity_scores"].append(scores[judged][:, counted])
    for side in ("gt", "tracker"):
        data[f"{side}_ids"], names = _relabel(data[f"{side}_ids"])
        data[f"{side}_names"] = names
        data[f"num_{side}_ids"] = len(names)
        data[f"num_{side}_dets"] = sum(len(ids) for ids in data[f"{side}_ids"])
    data["num_timesteps"] = len(pairs)
    return data


def _check_unique(number: int, what: str, ids: Int64) -> None:
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise SourceError(f"{what}: id {values[counts.argmax()]} occurs twice in frame {number}")


def _of_class(pair: FramePair, rules: Rules) -> FramePair:
    """What matters for the judged class: its rows, the distractors', and the regions."""
    known = np.isin(pair.truth_classes, (rules.judged, *rules.distractors)) & (pair.truth_ids >= 0)
    own = (pair.track_classes == rules.judged) & (pair.track_ids >= 0)
    return FramePair(
        pair.truth_ids[known],
        pair.truth_boxes[known],
        pair.truth_classes[known],
        pair.considered[known],
        pair.track_ids[own],
        pair.track_boxes[own],
        regions=pair.truth_boxes[pair.truth_classes == rules.region],
    )


def _forgiven(pair: FramePair, scores: Float64, rules: Rules) -> Bool:
    """``(N,)``: results that are neither right nor wrong."""
    rows = np.isin(pair.truth_classes, rules.distractors)
    if rules.forgive_ignored:
        rows |= ~pair.considered
    forgiven = np.zeros(scores.shape[1], bool)
    if not (rows.any() or rules.apart) or not len(forgiven):
        return forgiven
    truth, result = _assign(scores)
    forgiven[result[rows[truth]]] = True
    if rules.apart:
        unmatched = np.ones(len(forgiven), bool)
        unmatched[result] = False
        forgiven |= unmatched & _negligible(pair, rules)
    return forgiven


def _assign(scores: Float64) -> tuple[Int64, Int64]:
    """The best assignment of truth to results with an IoU of 0.5 or more."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 (slow to import)

    admissible = np.where(scores < 0.5 - _EPSILON, 0.0, scores)
    truth, result = linear_sum_assignment(-admissible)
    real = admissible[truth, result] > _EPSILON
    return truth[real], result[real]


def _negligible(pair: FramePair, rules: Rules) -> Bool:
    """``(N,)``: results too small to be judged, or more than half inside a region."""
    boxes = pair.track_boxes
    small: Bool = np.zeros(len(boxes), bool)
    if rules.min_height is not None:
        small = boxes[:, 3] - boxes[:, 1] <= rules.min_height + _EPSILON
    if pair.regions is None or not len(pair.regions):
        return small
    low = np.maximum(boxes[:, None, :2], pair.regions[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], pair.regions[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)[:, None]
    share = np.divide(shared, area, out=np.zeros_like(shared), where=area > _EPSILON)
    inside: Bool = (share > 0.5 + _EPSILON).any(axis=1)
    return small | inside


def _relabel(per_frame: list[Int64]) -> tuple[list[Int64], Int64]:
    """Ids renamed to 0..n-1, and what those n were called."""
    known = np.unique(np.concatenate(per_frame)) if per_frame else np.zeros(0, np.int64)
    return [np.searchsorted(known, ids) for ids in per_frame], known
