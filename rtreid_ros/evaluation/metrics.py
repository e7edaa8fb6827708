"""HOTA, CLEAR and Identity through TrackEval's own metric classes.

Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021;
Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics", 2008; Ristani et al., "Performance Measures and a Data Set for Multi-Target,
Multi-Camera Tracking", 2016 (IDF1).
"""

from __future__ import annotations

import importlib.util
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ConfigError, MissingDependencyError
from rtreid_ros.evaluation.judging import MOT15, MOT17, MOT20, PLAIN, FramePair, Rules, judge, pair_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.evaluation.mot_text import MotTable
    from rtreid_ros.types import GroundTruth, Tracks

NEEDED = "judging tracks needs TrackEval: pip install trackeval"
"""What to say where it is not there."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The figures people quote: ratios from 0 to 1 (MOTA may be negative), and counts.

    HOTA and its parts are means over the localisation thresholds 0.05 to 0.95; everything else
    counts a match from an IoU of 0.5.
    """

    hota: float
    det_a: float
    ass_a: float
    loc_a: float
    mota: float
    motp: float
    recall: float
    precision: float
    idf1: float
    idp: float
    idr: float
    id_switches: int
    fragmentations: int
    mostly_tracked: int
    mostly_lost: int
    true_positives: int
    false_positives: int
    false_negatives: int
    truth_boxes: int
    result_boxes: int
    truth_ids: int
    result_ids: int
    frames: int

    def as_dict(self) -> dict[str, float | int]:
        """Plain numbers by name, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One sequence, judged: its scores, and TrackEval's raw results, which combine exactly."""

    name: str
    scores: Scores
    raw: dict[str, dict[str, Any]]
    counts: dict[str, int]


def rules_for(truth: MotTable, name: str = "") -> Rules:
    """The benchmark rules a ground-truth file asks for by its columns and its sequence's name."""
    if not truth.has_classes:
        return MOT15
    return MOT20 if name.upper().startswith("MOT20") else MOT17


def evaluate(
    results: MotTable,
    truth: MotTable,
    *,
    name: str = "sequence",
    rules: Rules | None = None,
    length: int | None = None,
) -> Evaluation:
    """Judge the results of one sequence.

    Args:
        results: boxes of all frames; their class column is not looked at.
        truth: ground truth.
        name: of the sequence.
        rules: preprocessing; None goes by the ground truth's columns (`rules_for`).
        length: frames in the sequence; None takes the last frame of either table.

    Raises:
        SourceError: an id twice in a frame, or rows after the last frame.
        MissingDependencyError: TrackEval is not installed.
    """
    frames = max(results.last_frame, truth.last_frame) if length is None else length
    return evaluate_pairs(pair_tables(results, truth, frames), rules or rules_for(truth, name), name=name)


def evaluate_frames(
    truth: Sequence[GroundTruth],
    tracks: Sequence[Tracks],
    *,
    name: str = "sequence",
    rules: Rules = PLAIN,
) -> Evaluation:
    """Judge the confirmed tracks of frames in memory; ``tracks[i]`` belongs to ``truth[i]``.

    Raises:
        ConfigError: not one `Tracks` for each `GroundTruth`.
        SourceError: an id twice in a frame.
        MissingDependencyError: TrackEval is not installed.
    """
    if len(truth) != len(tracks):
        raise ConfigError(f"{len(truth)} frames of ground truth, {len(tracks)} of tracks")
    pairs = []
    for real, seen in zip(truth, tracks, strict=True):
        kept = seen.confirmed()
        pairs.append(
            FramePair(
                real.ids,
                real.boxes.astype(np.float64),
                real.class_ids.astype(np.int64),
                real.considered,
                kept.ids,
                kept.boxes.astype(np.float64),
            )
        )
    return evaluate_pairs(pairs, rules, name=name)


def evaluate_pairs(pairs: Sequence[FramePair], rules: Rules, *, name: str = "sequence") -> Evaluation:
    """Judge frames that are paired already (see `evaluate`)."""
    data = judge(pairs, rules)
    raw = {key: family.eval_sequence(data) for key, family in _families().items()}
    counts = {
        "truth_boxes": data["num_gt_dets"],
        "result_boxes": data["num_tracker_dets"],
        "truth_ids": data["num_gt_ids"],
        "result_ids": data["num_tracker_ids"],
        "frames": data["num_timesteps"],
    }
    return Evaluation(name, _scores(raw, counts), raw, counts)


def combine(evaluations: Sequence[Evaluation], name: str = "COMBINED") -> Evaluation:
    """All boxes of several sequences judged as one set: sums of counts, not a mean of ratios.

    Raises:
        ConfigError: no evaluation at all.
    """
    if not evaluations:
        raise ConfigError("nothing to combine: no sequence was evaluated")
    raw = {
        key: family.combine_sequences({str(index): item.raw[key] for index, item in enumerate(evaluations)})
        for key, family in _families().items()
    }
    counts = {key: sum(item.counts[key] for item in evaluations) for key in evaluations[0].counts}
    return Evaluation(name, _scores(raw, counts), raw, counts)


def can_judge() -> bool:
    """Whether TrackEval is there, without the time it takes to import it."""
    return importlib.util.find_spec("trackeval") is not None


def require_judging() -> None:
    """Nothing if tracks can be judged.

    Raises:
        MissingDependencyError: TrackEval is not installed.
    """
    if not can_judge():
        raise MissingDependencyError(NEEDED)


def _families() -> dict[str, Any]:
    try:
        import trackeval  # noqa: PLC0415 (optional, slow to import)
    except ImportError as error:
        raise MissingDependencyError(f"{NEEDED} ({error})") from error
    quiet = {"PRINT_CONFIG": False}
    metrics = trackeval.metrics
    return {"HOTA": metrics.HOTA(), "CLEAR": metrics.CLEAR(quiet), "Identity": metrics.Identity(quiet)}


def _scores(raw: dict[str, dict[str, Any]], counts: dict[str, int]) -> Scores:
    hota, clear, identity = raw["HOTA"], raw["CLEAR"], raw["Identity"]
    return Scores(
        hota=float(np.mean(hota["HOTA"])),
        det_a=float(np.mean(hota["DetA"])),
        ass_a=float(np.mean(hota["AssA"])),
        loc_a=float(np.mean(hota["LocA"])),
        mota=float(clear["MOTA"]),
        motp=float(clear["MOTP"]),
        recall=float(clear["CLR_Re"]),
        precision=float(clear["CLR_Pr"]),
        idf1=float(identity["IDF1"]),
        idp=float(identity["IDP"]),
        idr=float(identity["IDR"]),
        id_switches=int(clear["IDSW"]),
        fragmentations=int(clear["Frag"]),
        mostly_tracked=int(clear["MT"]),
        mostly_lost=int(clear["ML"]),
        true_positives=int(clear["CLR_TP"]),
        false_positives=int(clear["CLR_FP"]),
        false_negatives=int(clear["CLR_FN"]),
        **counts,
    )
