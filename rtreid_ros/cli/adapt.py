"""``rtreid adapt``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from rtreid_ros.reid.adaptation.config import AdaptationConfig
    from rtreid_ros.reid.checkpoint import Checkpoint

EXAMPLES = """\
CONFIG is a YAML file, or the name of a built-in configuration; SECTION.KEY=VALUE goes before it.
--print-config shows all of it, and is itself such a file. Sections:

  model       pretrained=best.pt, of rtreid train-reid: what is adapted
  data        the target: pictures nobody has labelled. dataset=tracklets for a folder or .tar file of
              rtreid harvest, dataset=unlabelled for any pictures, or a data set whose labels are not used
  source      labelled pictures to rehearse, so that they are not forgotten (optional)
  evaluation  labelled pictures that judge, for the report alone (optional). Who is judged must not be in
              data or source: that is checked, by identities and pixel by pixel
  clusters, sampler, augmentation, losses, optimizer, schedule, adaptation

Every round clusters the target by the averaged network and learns the clusters as if they were people. It
ends when clusters are stable or get worse. The folder of --output gets best.pt (the last network of good
clusters, told without labels), last.pt (to go on from), config.yaml, log.jsonl and report.html. Ctrl-C
finishes and saves the round; --resume FOLDER goes on. Needs the extra `train` (torch).

examples:
  rtreid adapt processor model.pretrained=best.pt data.dataset=tracklets data.root=out/harvest --output out/a
  rtreid adapt processor model.pretrained=best.pt data.root=market.tar data.split=cameras456 \\
      evaluation.dataset=market1501 evaluation.root=market.tar evaluation.split=cameras456 --output out/b
  rtreid adapt processor model.pretrained=best.pt source.dataset=folder source.root=people --print-config
  rtreid adapt --resume out/a
  rtreid export-reid out/a/best.pt --output people.onnx"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "words",
        nargs="*",
        metavar="CONFIG [SECTION.KEY=VALUE ...]",
        help="configuration, and options that differ from it",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--output", type=Path, metavar="FOLDER", help="new folder for what is made")
    where.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with what is in this folder")
    parser.add_argument("--print-config", action="store_true", help="show the whole configuration, and end")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no remarks")


def run(arguments: argparse.Namespace) -> int:
    """Read the configuration, adapt, and say what came out."""
    try:
        import torch  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"adapting needs torch ({error}); install it with: pip install 'rtreid_ros[train]'"
        ) from None
    from rtreid_ros.reid.adaptation.adapter import Adapter  # noqa: PLC0415
    from rtreid_ros.reid.adaptation.report import told  # noqa: PLC0415
    from rtreid_ros.reid.training.outputs import BEST, LAST  # noqa: PLC0415

    config, checkpoint = _read(arguments)
    if arguments.print_config:
        print(config.text(), end="")
        return 0
    folder = arguments.resume or arguments.output
    if folder is None:
        raise ConfigError("where to? give --output FOLDER, or --resume FOLDER to go on with an adaptation")
    if checkpoint is None and (folder / LAST).exists():
        raise ConfigError(f"{folder} holds an adaptation already: --resume it, or choose another --output")
    adapter = Adapter(config, folder, checkpoint, progress=not arguments.quiet)
    course = adapter.run()
    if not adapter.finished:
        raise KeyboardInterrupt
    if not arguments.quiet:
        for name, figures in (
            ("before", course.before),
            ("statistics", course.statistics),
            ("adapted", course.kept),
        ):
            if "map" in figures:
                print(f"{name:<10} {told({key: figures[key] for key in ('map', 'rank1')})}")
        print(f"after {course.rounds} rounds that of round {course.best_round} is kept: {folder / BEST}")
    return 0


def _read(arguments: argparse.Namespace) -> tuple[AdaptationConfig, Checkpoint | None]:
    """The configuration, and what to resume."""
    from rtreid_ros.reid.adaptation.config import KIND, read_adaptation  # noqa: PLC0415
    from rtreid_ros.reid.checkpoint import load_checkpoint  # noqa: PLC0415
    from rtreid_ros.reid.training.config import built_in_configs, find_config  # noqa: PLC0415
    from rtreid_ros.reid.training.outputs import LAST  # noqa: PLC0415

    words = list(arguments.words)
    name = words.pop(0) if words and "=" not in words[0] else None
    checkpoint = load_checkpoint(arguments.resume / LAST) if arguments.resume else None
    if name is not None:
        return read_adaptation(find_config(name, KIND), words), checkpoint
    if checkpoint is not None:
        return read_adaptation(checkpoint.config, words), checkpoint
    known = ", ".join(built_in_configs(KIND)) or "(none here)"
    raise ConfigError(f"which configuration? Give a YAML file, or one of {known}")
