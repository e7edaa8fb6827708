"""Judging result files: many sequences, class by class, whole or in part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.judging import JUDGED, KITTI
from rtreid_ros.evaluation.kitti_text import looks_like_kitti, read_kitti
from rtreid_ros.evaluation.metrics import Evaluation, combine, evaluate, rules_for
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.recordings.selection import part_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rtreid_ros.evaluation.judging import Rules
    from rtreid_ros.evaluation.mot_folder import Job
    from rtreid_ros.evaluation.mot_text import MotTable


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Scores of one class.

    Attributes:
        class_name: ``car`` or ``pedestrian`` of KITTI; empty where a benchmark judges but one class.
        evaluations: one for each sequence.
        combined: of all of them.
    """

    class_name: str
    evaluations: tuple[Evaluation, ...]
    combined: Evaluation


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One class of one sequence, read and cut to the frames that count.

    Attributes:
        class_name: as `Verdict.class_name`.
        results: frames numbered from 1.
        truth: likewise.
        rules: preprocessing.
        length: frames.
    """

    class_name: str
    results: MotTable
    truth: MotTable
    rules: Rules
    length: int


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """One sequence: an evaluation for each set of rules, and how many result rows were outside."""

    evaluations: tuple[tuple[str, Evaluation], ...]
    outside: int


def judge_jobs(
    jobs: Sequence[Job], *, part: str = "all", rules: Rules | None = None, progress: bool = False
) -> tuple[list[Verdict], int]:
    """Judge every job.

    Args:
        jobs: sequences with their result files, whose frames are numbered as in the sequence also
            where they are only of a part of it.
        part: which frames count (see `part_frames`); rows of others are left out.
        rules: preprocessing; None: what each ground truth asks for.
        progress: show a bar over the sequences on standard error, if that is a terminal.

    Returns:
        One verdict for each class, and how many result rows lie outside the part.

    Raises:
        SourceError: a file is missing or wrong, or does not fit its ground truth.
        ConfigError: no such part, no job, or rules that are not for this ground truth.
        MissingDependencyError: TrackEval is not installed.
    """
    part_frames(part, 0)
    if not jobs:
        raise ConfigError("nothing to judge: no sequence")
    judged = list(_bar((_judge(job, part, rules) for job in jobs), jobs, progress))
    by_class: dict[str, list[Evaluation]] = {}
    for item in judged:
        for name, evaluation in item.evaluations:
            by_class.setdefault(name, []).append(evaluation)
    verdicts = [Verdict(name, tuple(items), combine(items)) for name, items in by_class.items()]
    return verdicts, sum(item.outside for item in judged)


def _bar(items: Iterable[_Judged], jobs: Sequence[Job], progress: bool) -> Iterable[_Judged]:
    from tqdm import tqdm  # noqa: PLC0415 (only here)

    # disable=None: not where standard error is no terminal
    silent = None if progress and len(jobs) > 1 else True
    bar: Iterable[_Judged] = tqdm(
        items, total=len(jobs), desc="judging", unit="sequence", disable=silent, leave=False
    )
    return bar


def _judge(job: Job, part: str, rules: Rules | None) -> _Judged:
    cases, outside = open_cases(job, part=part, rules=rules)
    judged = (
        (
            case.class_name,
            evaluate(case.results, case.truth, name=job.name, rules=case.rules, length=case.length),
        )
        for case in cases
    )
    return _Judged(tuple(judged), outside)


def open_cases(job: Job, *, part: str = "all", rules: Rules | None = None) -> tuple[list[Case], int]:
    """What there is to judge in a sequence: one case for each class, and how many result rows are outside.

    Raises:
        SourceError: a file is missing or wrong.
        ConfigError: no such part, or rules that are not for this ground truth.
    """
    if job.kitti:
        if rules is not None:
            raise ConfigError(f"{job.truth} is KITTI's, which has rules of its own, not {rules.name}")
        wanted = JUDGED[KITTI]
        truth, results = read_kitti(job.truth), _kitti_results(job)
    else:
        truth, results = read_mot(job.truth), read_mot(job.results)
        wanted = (rules or rules_for(truth, job.name),)
    length, outside = job.length, 0
    if part != "all":
        if length is None:
            raise SourceError(f"{job.name}: {part} of how many frames? No seqinfo.ini says")
        numbers = part_frames(part, length)
        truth, whole, results = truth.cut(numbers), results, results.cut(numbers)
        length, outside = len(numbers), len(whole) - len(results)
    if length is None:
        length = max(results.last_frame, truth.last_frame)
    return [Case(item.name if job.kitti else "", results, truth, item, length) for item in wanted], outside


def _kitti_results(job: Job) -> MotTable:
    if job.results.stat().st_size and not looks_like_kitti(job.results):
        raise SourceError(
            f"{job.results}: KITTI judges cars and pedestrians apart, so results must be in its format, with "
            "the class as third word, as `rtreid track` writes them for KITTI folders"
        )
    return read_kitti(job.results)
