"""``rtreid eval``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rtreid_ros.options import as_items

EXAMPLES = """\
RESULTS and GT are both a file, or both a folder of many sequences: MOTChallenge, DanceTrack or KITTI
tracking. Ground truth is found as gt/gt.txt or gt.txt of a sequence, or as label_02/NAME.txt; results
as NAME.txt, NAME/tracks.txt, NAME/NAME.txt or NAME/test.txt, or as tracks.txt in a folder written by
`rtreid track`. Ratios in the table are percent.

examples:
  rtreid eval out/track/MOT17-02/tracks.txt --gt MOT17/MOT17-02/gt/gt.txt
  rtreid eval out/track/MOT17-02 --gt MOT17/MOT17-02 --json scores.json
  rtreid eval out/track/MOT17 --gt MOT17 --sequences MOT17-02,MOT17-04 --part second-half
  rtreid eval out/track/kitti --gt KITTI/training
  rtreid eval out/track/MOT17 --gt MOT17 --report out/report.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="tracks in MOTChallenge format")
    add_selection(parser)
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="write all figures there too; ratios from 0 to 1"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="PATH",
        help="write an HTML report with plots there too; `rtreid report` compares several results",
    )


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Declare what is judged, and how."""
    parser.add_argument("--gt", type=Path, required=True, metavar="GT", help="ground truth")
    parser.add_argument("--sequences", default="", metavar="A,B", help="only these of a folder")
    parser.add_argument(
        "--part",
        choices=("all", "first-half", "second-half"),
        default="all",
        help="frames to judge; second-half is the val-half of publications, frames after length // 2 + 1. "
        "Results may be of the whole sequence or of the part, numbered as in the sequence",
    )
    parser.add_argument(
        "--rules",
        choices=("auto", "MOT15", "MOT17", "MOT20", "plain"),
        default="auto",
        help="preprocessing; auto goes by the ground truth's format, columns and name. MOT17 (MOT16 and "
        "DanceTrack too) and MOT20 forgive matches with distractors; plain those with rows not to be judged",
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, write."""
    from rtreid_ros.evaluation.batch import judge_jobs  # noqa: PLC0415
    from rtreid_ros.evaluation.judging import BENCHMARKS  # noqa: PLC0415
    from rtreid_ros.evaluation.mot_folder import find_jobs  # noqa: PLC0415
    from rtreid_ros.evaluation.report import table, to_json  # noqa: PLC0415

    only = as_items(arguments.sequences)
    jobs = find_jobs(arguments.results, arguments.gt, only)
    rules = BENCHMARKS.get(arguments.rules)
    verdicts, outside = judge_jobs(jobs, part=arguments.part, rules=rules, progress=True)
    if outside:
        print(f"note: {outside} result boxes outside {arguments.part} are not judged", file=sys.stderr)
    for verdict in verdicts:
        if verdict.class_name:
            print(f"{verdict.class_name}:")
        rows = verdict.evaluations
        print(table([*rows, verdict.combined] if len(rows) > 1 else rows))
    if arguments.json is not None:
        write_text(arguments.json, to_json(verdicts))
    if arguments.report is not None:
        from rtreid_ros.cli.report import names_of, report_text  # noqa: PLC0415
        from rtreid_ros.reporting.results import judge_result  # noqa: PLC0415

        (name,) = names_of([arguments.results])
        result = judge_result(name, jobs, part=arguments.part, rules=rules, verdicts=verdicts)
        write_text(arguments.report, report_text([result], arguments.part, rules))
    return 0


def write_text(path: Path, text: str) -> None:
    """Write a file, its folders too.

    Raises:
        SinkError: it cannot be written.
    """
    from rtreid_ros.errors import SinkError  # noqa: PLC0415

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
