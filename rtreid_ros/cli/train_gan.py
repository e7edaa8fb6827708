"""``rtreid train-gan``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from rtreid_ros.gan.checkpoint import GanCheckpoint
    from rtreid_ros.gan.training.config import GanConfig

EXAMPLES = """\
CONFIG is a YAML file, or the name of a built-in configuration. Its sections are data, groups, generator,
discriminator, encoder, objective, views, optimizer, schedule, judging and training; whatever it leaves out
has its default, and SECTION.KEY=VALUE goes before it. --print-config shows all of it, each option with
what it does, and is itself such a file.

The folder of --output gets best.pt (lowest KID of the averaged generator), last.pt (to go on from),
samples/ (sheets over time), config.yaml, log.jsonl (a line for each epoch), report.html and TensorBoard
events. Ctrl-C finishes and saves the epoch; --resume FOLDER goes on as if nothing had been. Only training
pictures are learnt from. Needs the extra `train` (torch).

examples:
  rtreid train-gan small data.root=Market-1501 data.split=mod5 --output out/gan
  rtreid train-gan small data.root=market.tar groups.by=appearance groups.count=8 --output out/groups
  rtreid train-gan dcgan data.dataset=folder data.root=people objective.name=non_saturating --output out/p
  rtreid train-gan --resume out/gan
  rtreid generate out/gan/best.pt --count 1000 --output pictures"""


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
    where.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the training in this folder")
    parser.add_argument("--print-config", action="store_true", help="show the whole configuration, and end")
    parser.add_argument("--quiet", action="store_true", help="no progress bar and no remarks")


def run(arguments: argparse.Namespace) -> int:
    """Read the configuration, train, and say what came out."""
    try:
        import torch  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"training needs torch ({error}); install it with: pip install 'rtreid_ros[train]'"
        ) from None
    from rtreid_ros.gan.training.trainer import GanTrainer  # noqa: PLC0415
    from rtreid_ros.reid.training.outputs import BEST, LAST  # noqa: PLC0415

    config, checkpoint = _read(arguments)
    if arguments.print_config:
        print(config.text(), end="")
        return 0
    folder = arguments.resume or arguments.output
    if folder is None:
        raise ConfigError("where to? give --output FOLDER, or --resume FOLDER to go on with a training")
    if checkpoint is None and (folder / LAST).exists():
        raise ConfigError(f"{folder} holds a training already: --resume it, or choose another --output")
    trainer = GanTrainer(config, folder, checkpoint, progress=not arguments.quiet)
    course = trainer.run()
    if not trainer.finished:
        raise KeyboardInterrupt
    if not arguments.quiet:
        best = course.best
        print(f"best: KID {best['kid']:.4f}, FID {best['fid']:.2f} after epoch {course.best_epoch}")
        print(f"written: {folder / BEST}")
    return 0


def _read(arguments: argparse.Namespace) -> tuple[GanConfig, GanCheckpoint | None]:
    """The configuration, and what to resume."""
    from rtreid_ros.gan.checkpoint import load_gan  # noqa: PLC0415
    from rtreid_ros.gan.training.config import built_in_configs, find_config, read_config  # noqa: PLC0415
    from rtreid_ros.reid.training.outputs import LAST  # noqa: PLC0415

    words = list(arguments.words)
    name = words.pop(0) if words and "=" not in words[0] else None
    checkpoint = load_gan(arguments.resume / LAST) if arguments.resume else None
    if name is not None:
        return read_config(find_config(name), words), checkpoint
    if checkpoint is not None:
        return read_config(checkpoint.config, words), checkpoint
    raise ConfigError(
        f"which configuration? Give a YAML file, or one of {', '.join(built_in_configs()) or '(none here)'}"
    )
