"""``rtreid report``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.options import as_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtreid_ros.evaluation.judging import Rules
    from rtreid_ros.reporting.results import Result

EXAMPLES = """\
Judges each RESULTS as `rtreid eval` does and writes one HTML file: scores, HOTA over the localisation
threshold, bars by sequence, who was followed by which track, errors over time, and, where a run left
a summary.json, milliseconds. The file needs no network and no scripts.

examples:
  rtreid report out/bytetrack out/ocsort --gt MOT17 --part second-half
  rtreid report a.txt b.txt --gt MOT17/MOT17-02 --names "with camera motion,without" --output report.html"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    from rtreid_ros.cli import eval as judging  # noqa: PLC0415

    parser.add_argument(
        "results", type=Path, nargs="+", metavar="RESULTS", help="tracks, as for `rtreid eval`"
    )
    parser.add_argument("--names", default="", metavar="A,B", help="of the results; default: of their files")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("out/report.html"),
        metavar="PATH",
        help="default: out/report.html",
    )
    judging.add_selection(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge, draw, write."""
    from rtreid_ros.cli.eval import write_text  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.evaluation.judging import BENCHMARKS  # noqa: PLC0415
    from rtreid_ros.evaluation.mot_folder import find_jobs  # noqa: PLC0415
    from rtreid_ros.reporting.results import judge_result  # noqa: PLC0415

    names = [name.strip() for name in arguments.names.split(",")] if arguments.names else []
    if names and len(names) != len(arguments.results):
        raise ConfigError(f"{len(arguments.results)} results, but {len(names)} names: {', '.join(names)}")
    only = as_items(arguments.sequences)
    rules = BENCHMARKS.get(arguments.rules)
    jobs = [find_jobs(path, arguments.gt, only) for path in arguments.results]  # complain before judging
    results = [
        judge_result(name, items, part=arguments.part, rules=rules)
        for name, items in zip(names or names_of(arguments.results), jobs, strict=True)
    ]
    write_text(arguments.output, report_text(results, arguments.part, rules))
    print(arguments.output)
    return 0


def report_text(results: Sequence[Result], part: str, rules: Rules | None) -> str:
    """The page, with a line that says how it was judged."""
    from rtreid_ros.reporting.evaluation import evaluation_page  # noqa: PLC0415

    frames = "all frames" if part == "all" else f"the {part.replace('-', ' ')} of each sequence"
    rule = rules.name if rules is not None else "those the ground truth asks for"
    return evaluation_page(results, f"Judged on {frames}; rules: {rule}.")


def names_of(paths: Sequence[Path]) -> list[str]:
    """Names by which results differ: of the file or folder, with as many parents as that takes."""
    parts = [path.resolve().with_suffix("").parts if path.suffix == ".txt" else path.resolve().parts
             for path in paths]  # fmt: skip
    # in tracks.txt the folder says more than the file
    parts = [item[:-1] if item[-1] == "tracks" and len(item) > 2 else item for item in parts]
    depth = 1
    while depth < max(map(len, parts)) and len({item[-depth:] for item in parts}) < len(parts):
        depth += 1
    return ["/".join(item[-depth:]) for item in parts]
