"""``rtreid recrop``."""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = """\
Every picture below SOURCE, a folder or an uncompressed .tar file, is written to OUTPUT under its own name,
cut to the surest detection. What shows little but the person, or nobody, is copied byte by byte, and counted.
The index of a harvest goes along. OUTPUT must be new or empty.

examples:
  rtreid recrop loose/crops tight/crops --detector yolox.onnx
  rtreid recrop people.tar tight --detector yolox.onnx --least 0.7"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("source", metavar="SOURCE", help="folder or .tar file of pictures of one person each")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="folder for what is cut")
    parser.add_argument("--detector", required=True, metavar="FILE", help="model, as of rtreid track")
    parser.add_argument(
        "--least", type=float, default=0.5, metavar="SCORE", help="surest detection at least (default: 0.5)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no count")


def run(arguments: argparse.Namespace) -> int:
    """Detect, cut, write, count."""
    from rtreid_ros.detection import DetectorOptions, create_detector  # noqa: PLC0415
    from rtreid_ros.detection.recrop import recrop_all  # noqa: PLC0415
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415

    if not 0 < arguments.least <= 1:
        raise ConfigError(f"--least must be above 0 and at most 1, got {arguments.least:g}")
    detector = create_detector(DetectorOptions(model=arguments.detector))
    done = recrop_all(
        arguments.source, arguments.output, detector, arguments.least, progress=not arguments.quiet
    )
    if not arguments.quiet:
        print(
            f"{arguments.output}: {done.cut} pictures cut anew, {done.tight} copied that were tight, "
            f"{done.missed} copied with nobody found, {done.unreadable} left out because they cannot be read"
        )
    return 0
