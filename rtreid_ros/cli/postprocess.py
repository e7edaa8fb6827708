"""``rtreid postprocess``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

EXAMPLES = """\
What StrongSORT++ does after tracking (Du et al., StrongSORT, 2023), over the results of any tracker:
  1. linking: where one track ends and another begins soon after nearby, a small network judges by
     their motion whether both are one person; those it is sure of get one id (AFLink);
  2. interpolation: gaps inside a track are filled; `gaussian` also takes the jitter out of all boxes
     (Gaussian-smoothed interpolation), `linear` leaves the boxes given as they are.
Filled boxes get scores between their neighbours'. Both need the future: this is for recordings.

RESULTS is a file in MOTChallenge format, a folder written by `rtreid track` (tracks.txt), or a folder
of many (NAME.txt, NAME/tracks.txt, NAME/NAME.txt, NAME/test.txt); OUT is a file, or a folder in which
`rtreid eval` finds each again. Frame rate and image size matter to linking: gaps are judged in seconds.

examples:
  rtreid postprocess out/track/street/tracks.txt street.txt --frame-rate 25 --size 1280x720
  rtreid postprocess results/ smooth/ --gt MOT17
  rtreid postprocess results/ filled/ --no-link --interpolate linear --max-gap 30
  rtreid postprocess results/ linked/ --interpolate none --link-model mine.onnx"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    from rtreid_ros.postprocess.options import PostprocessOptions  # noqa: PLC0415

    parser.add_argument("results", type=Path, metavar="RESULTS", help="tracks in MOTChallenge format")
    parser.add_argument("output", type=Path, metavar="OUT", help="file or folder to write")
    parser.add_argument(
        "--gt",
        "--sequences-from",
        type=Path,
        metavar="DIR",
        dest="sequences",
        help="a sequence, or a folder of sequences, whose seqinfo.ini say frame rate and image size",
    )
    add_options(parser, PostprocessOptions)
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def add_options(parser: argparse.ArgumentParser, cls: type) -> None:
    """A flag for each option of a dataclass, checked by its own rules; None where not given."""
    from rtreid_ros.options import describe  # noqa: PLC0415

    for item in describe(cls):
        flag = f"--{item.name.replace('_', '-')}"
        default = str(item.default).lower() if item.kind is bool else item.default
        text = item.help if item.default == "" else f"{item.help} (default: {default})"
        if item.kind is bool:
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=item.help)
        else:
            metavar = "|".join(item.choices) if item.choices else item.kind.__name__.upper()
            parser.add_argument(flag, default=None, metavar=metavar, help=text)


def read_options(arguments: argparse.Namespace, cls: type) -> Any:
    """The options given, checked.

    Raises:
        ConfigError: a value is not allowed.
    """
    from rtreid_ros.options import build, describe  # noqa: PLC0415

    given = {item: getattr(arguments, item.name) for item in describe(cls)}
    values = {
        item.name: item.parse(value) if isinstance(value, str) else value
        for item, value in given.items()
        if value is not None
    }
    return build(cls, values)


def run(arguments: argparse.Namespace) -> int:
    """Process, write, and say what changed."""
    from tqdm import tqdm  # noqa: PLC0415

    from rtreid_ros.errors import InputError  # noqa: PLC0415
    from rtreid_ros.evaluation.mot_text import read_mot, write_mot  # noqa: PLC0415
    from rtreid_ros.postprocess import Change, PostprocessOptions, Postprocessor  # noqa: PLC0415
    from rtreid_ros.postprocess.files import find_results  # noqa: PLC0415

    options = read_options(arguments, PostprocessOptions)
    process = Postprocessor(options)
    jobs = find_results(arguments.results, arguments.output, arguments.sequences)
    changes: dict[str, Change] = {}
    for job in tqdm(jobs, desc="postprocess", unit="sequence", disable=arguments.quiet):
        rate = size = None
        if job.info is not None:
            # what the user says overrules the file
            rate = job.info.frame_rate if arguments.frame_rate is None else None
            known = job.info.width > 0 and job.info.height > 0
            size = (job.info.width, job.info.height) if known and arguments.size is None else None
        try:
            table, changes[job.name] = process(read_mot(job.source), frame_rate=rate, size=size)
        except InputError as error:
            raise InputError(f"{job.source}: {error}") from None
        write_mot(job.target, table)
    if not arguments.quiet:
        _print(changes)
        print(f"written: {arguments.output}")
    return 0


def _print(changes: dict[str, Any]) -> None:
    width = max(map(len, [*changes, "sequence"]))
    print(f"{'sequence'.ljust(width)}  tracks  linked  left  boxes  filled")
    for name, change in changes.items():
        print(
            f"{name.ljust(width)}  {change.tracks:6}  {change.links:6}  {change.tracks_left:4}  "
            f"{change.boxes:5}  {change.filled:6}"
        )
