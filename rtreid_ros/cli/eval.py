"""``rtreid eval``."""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = """\
RESULTS and GT are both a file, or both a folder of many sequences. Ground truth is found as gt/gt.txt
or gt.txt of a sequence; results as NAME.txt, NAME/tracks.txt, NAME/NAME.txt or NAME/test.txt, or as
tracks.txt in a folder written by `rtreid track`. Ratios in the table are percent.

examples:
  rtreid eval out/track/MOT17-02/tracks.txt --gt MOT17/MOT17-02/gt/gt.txt
  rtreid eval out/track/MOT17-02 --gt MOT17/MOT17-02 --json scores.json
  rtreid eval out/track --gt MOT17 --sequences MOT17-02,MOT17-04"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("results", type=Path, metavar="RESULTS", help="tracks in MOTChallenge format")
    parser.add_argument("--gt", type=Path, required=True, metavar="GT", help="ground truth")
    parser.add_argument("--sequences", default="", metavar="A,B", help="only these of a folder")
    parser.add_argument(
        "--rules",
        choices=("auto", "MOT15", "MOT17", "MOT20", "plain"),
        default="auto",
        help="preprocessing; auto goes by the ground truth's columns and name. MOT17 (MOT16 and DanceTrack "
        "too) and MOT20 forgive matches with distractors; plain forgives matches with rows not to be judged",
    )
    parser.add_argument(
        "--json", type=Path, metavar="PATH", help="write all figures there too; ratios from 0 to 1"
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge, print, write."""
    from rtreid_ros.errors import SinkError  # noqa: PLC0415
    from rtreid_ros.evaluation.judging import BENCHMARKS  # noqa: PLC0415
    from rtreid_ros.evaluation.metrics import combine, evaluate  # noqa: PLC0415
    from rtreid_ros.evaluation.mot_folder import find_jobs  # noqa: PLC0415
    from rtreid_ros.evaluation.mot_text import read_mot  # noqa: PLC0415
    from rtreid_ros.evaluation.report import table, to_json  # noqa: PLC0415

    only = tuple(filter(None, map(str.strip, arguments.sequences.split(","))))
    jobs = find_jobs(arguments.results, arguments.gt, only)
    rules = BENCHMARKS.get(arguments.rules)
    evaluations = [
        evaluate(read_mot(job.results), read_mot(job.truth), name=job.name, rules=rules, length=job.length)
        for job in jobs
    ]
    combined = combine(evaluations)
    print(table([*evaluations, combined] if len(evaluations) > 1 else evaluations))
    if arguments.json is not None:
        try:
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(to_json(evaluations, combined), encoding="utf-8")
        except OSError as error:
            raise SinkError(f"{arguments.json}: cannot be written ({error})") from None
    return 0
