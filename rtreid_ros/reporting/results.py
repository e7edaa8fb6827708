"""What a report tells of one result: scores, courses, times."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.evaluation.batch import judge_jobs, open_cases
from rtreid_ros.evaluation.judging import pair_tables
from rtreid_ros.histogram import Histogram
from rtreid_ros.reporting.courses import Course, follow

if TYPE_CHECKING:
    from rtreid_ros.evaluation.batch import Verdict
    from rtreid_ros.evaluation.judging import Rules
    from rtreid_ros.evaluation.mot_folder import Job

STAGES = {
    "tracker, per update": ("tracking_ms", "update_ms"),
    "all stages, per frame": ("total_ms",),
}
"""What is timed, and what a run's summary calls it: with pictures, and on stored detections."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Tracks of one tracker over some sequences, judged.

    Attributes:
        name: of the result.
        verdicts: scores, one for each class.
        courses: of each class, one for each sequence.
        latency: histograms of milliseconds by stage, as far as known.
    """

    name: str
    verdicts: Sequence[Verdict]
    courses: Mapping[str, Sequence[Course]]
    latency: Mapping[str, Histogram] = field(default_factory=dict)


def judge_result(
    name: str,
    jobs: Sequence[Job],
    *,
    part: str = "all",
    rules: Rules | None = None,
    verdicts: Sequence[Verdict] | None = None,
) -> Result:
    """Everything a report tells of one result.

    Args:
        name: of the result.
        jobs: its sequences.
        part: which frames count.
        rules: preprocessing; None: what each ground truth asks for.
        verdicts: the scores, where they are known already.

    Raises:
        SourceError: as `judge_jobs`.
        ConfigError: likewise.
        MissingDependencyError: likewise.
    """
    if verdicts is None:
        verdicts, _ = judge_jobs(jobs, part=part, rules=rules, progress=True)
    courses: dict[str, list[Course]] = {}
    for job in jobs:
        for case in open_cases(job, part=part, rules=rules)[0]:
            pairs = pair_tables(case.results, case.truth, case.length)
            courses.setdefault(case.class_name, []).append(follow(pairs, case.rules, job.name))
    latency = {stage: total for stage in STAGES if (total := _latency(jobs, stage)).total}
    return Result(name, verdicts, courses, latency)


def _latency(jobs: Sequence[Job], stage: str) -> Histogram:
    """Times of a stage from the summaries that ``rtreid track`` left beside the results."""
    return Histogram.sum(
        _histogram(job.results.parent / "summary.json", job.name, STAGES[stage]) for job in jobs
    )


def _histogram(path: Path, sequence: str, keys: Sequence[str]) -> Histogram:
    """Of one sequence; empty where no summary of ours tells, for times are an addition."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if "sequences" in content:
            content = content["sequences"][sequence]
        return Histogram.from_dict(next(content[key] for key in keys if key in content)["histogram"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return Histogram.of([])
