"""``rtreid train-aflink``."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

from rtreid_ros.cli.postprocess import add_options, read_options

EXAMPLES = """\
TRUTH is a MOTChallenge sequence (seqinfo.ini, gt/gt.txt), or a folder of sequences. Tracklets are cut
from it and spoiled as detectors and trackers do; no pictures are needed. A fifth of the people of each
sequence is kept from training, and the model is judged on pairs of them. The same command gives the
same weights. The file holds recipe and figures as metadata, and serves as
`rtreid postprocess --link-model`. Needs the extra `train` (torch).

examples:
  rtreid train-aflink MOT17/MOT17-02 MOT17/MOT17-04 --output aflink.onnx
  rtreid train-aflink MOT17 --frames first-half --output aflink.onnx --seed 0 --epochs 30"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    from rtreid_ros.postprocess.aflink.truth import FRAMES  # noqa: PLC0415
    from rtreid_ros.postprocess.options import TrainingOptions  # noqa: PLC0415

    parser.add_argument("truth", type=Path, nargs="+", metavar="TRUTH", help="sequences to learn from")
    parser.add_argument("--output", type=Path, required=True, metavar="ONNX", help="model file to write")
    parser.add_argument(
        "--frames",
        choices=FRAMES,
        default=FRAMES[0],
        help="part of each sequence to learn from, so that the rest may judge (default: all)",
    )
    add_options(parser, TrainingOptions)
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no report")


def run(arguments: argparse.Namespace) -> int:
    """Train, export, judge the exported file, report."""
    from rtreid_ros.errors import ConfigError, MissingDependencyError  # noqa: PLC0415
    from rtreid_ros.postprocess.aflink.truth import read_scenes  # noqa: PLC0415
    from rtreid_ros.postprocess.options import TrainingOptions  # noqa: PLC0415

    options = read_options(arguments, TrainingOptions)
    if arguments.output.suffix != ".onnx":
        raise ConfigError(f"--output must end in .onnx, got {str(arguments.output)!r}")
    scenes = read_scenes(arguments.truth, arguments.frames)
    try:
        from rtreid_ros.postprocess.aflink import training  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"training needs torch and onnx ({error}); install them with: pip install 'rtreid_ros[train]'"
        ) from None
    figures = training.make_model(
        scenes, arguments.output, options, frames=arguments.frames, progress=not arguments.quiet
    )
    if not arguments.quiet:
        print(json.dumps(figures, indent=2))
        print(f"written: {arguments.output}")
        print(f"use it:  rtreid postprocess RESULTS OUT --link-model {shlex.quote(str(arguments.output))}")
    return 0
