"""``rtreid train-gan``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rtreid_ros.cli import configured

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
    configured.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the configuration, train, and say what came out."""
    configured.require_torch("training")
    from rtreid_ros.gan.training.trainer import GanTrainer  # noqa: PLC0415
    from rtreid_ros.reid.training.outputs import BEST  # noqa: PLC0415

    config, checkpoint = _read(arguments)
    if arguments.print_config:
        print(config.text(), end="")
        return 0
    folder = configured.folder_of(arguments)
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
    from rtreid_ros.gan.training.config import KIND, read_config  # noqa: PLC0415

    return configured.read(arguments, load_gan, read_config, KIND)
