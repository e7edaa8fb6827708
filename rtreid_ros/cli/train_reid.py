"""``rtreid train-reid``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rtreid_ros.cli import configured

if TYPE_CHECKING:
    from rtreid_ros.reid.checkpoint import Checkpoint
    from rtreid_ros.reid.training.config import TrainingConfig

EXAMPLES = """\
CONFIG is a YAML file, or the name of a built-in configuration. Its sections are data, model, sampler,
augmentation, losses, optimizer, schedule and training; whatever it leaves out has its default, and
SECTION.KEY=VALUE goes before it. --print-config shows all of it, each option with what it does, and is
itself such a file. Losses are taken out with losses.NAME=off, and in with losses.NAME=on.

The folder of --output gets best.pt (best mAP in validation), last.pt (to go on from), config.yaml,
log.jsonl (a line for each epoch), report.html (curves, pictures) and TensorBoard events. Ctrl-C finishes
and saves the epoch; --resume FOLDER goes on as if nothing had been. For several GPUs put
`accelerate launch -m rtreid_ros.cli.main` in the place of `rtreid`. Needs the extra `train` (torch).

examples:
  rtreid train-reid osnet_x0_25 data.root=Market-1501 --output out/osnet
  rtreid train-reid bag_of_tricks data.root=market.tar data.split=mod5 training.epochs=60 --output out/bot
  rtreid train-reid osnet_x0_25 data.dataset=folder data.root=people model.pretrained=best.pt --output out/p
  rtreid train-reid osnet_x0_25 losses.centre=on losses.triplet.margin=0.5 --print-config
  rtreid train-reid --resume out/osnet"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    configured.add_arguments(parser)
    parser.add_argument("--cost", action="store_true", help="show what the network costs in use, and end")


def run(arguments: argparse.Namespace) -> int:
    """Read the configuration, train, and say what came out."""
    configured.require_torch("training")
    from rtreid_ros.reid.training.outputs import BEST  # noqa: PLC0415
    from rtreid_ros.reid.training.trainer import Trainer  # noqa: PLC0415

    config, checkpoint = _read(arguments)
    if arguments.print_config:
        print(config.text(), end="")
        return 0
    if arguments.cost:
        print(_cost(config))
        return 0
    folder = configured.folder_of(arguments)
    trainer = Trainer(config, folder, checkpoint, progress=not arguments.quiet)
    course, best = trainer.run(), folder / BEST
    if not trainer.finished:
        raise KeyboardInterrupt
    if trainer.main and not arguments.quiet and best.exists():
        if course.best:
            print(
                f"best: mAP {100 * course.best['map']:.2f}, Rank-1 {100 * course.best['rank1']:.2f} "
                f"after epoch {course.best_epoch}"
            )
        print(f"written: {best}")
    return 0


def _cost(config: TrainingConfig) -> str:
    """Size, arithmetic and time of the network in use, which has no classifier."""
    from rtreid_ros.reid.models import create_model  # noqa: PLC0415
    from rtreid_ros.reid.models.cost import latency, model_cost  # noqa: PLC0415
    from rtreid_ros.reid.training.placement import Placement  # noqa: PLC0415
    from rtreid_ros.reid.training.state import network_options  # noqa: PLC0415

    model = create_model(config.model.name, classes=0, **network_options(config))
    size, frames = (config.data.height, config.data.width), config.data.frames
    cost = model_cost(model, size, frames)
    with Placement(config.training).settings(config.training.threads):
        milliseconds = latency(model, size, frames)
    what = f"{frames} frames of {size[0]}x{size[1]}" if frames else f"{size[0]}x{size[1]}"
    return (
        f"{config.model.name}, {what}: {cost.parameters / 1e6:.2f} M parameters, {cost.megabytes:.2f} MB, "
        f"{cost.gflops:.3f} GFLOPs, {milliseconds:.1f} ms for one on the processor"
    )


def _read(arguments: argparse.Namespace) -> tuple[TrainingConfig, Checkpoint | None]:
    """The configuration, and what to resume."""
    from rtreid_ros.reid.checkpoint import load_checkpoint  # noqa: PLC0415
    from rtreid_ros.reid.training.config import KIND, read_config  # noqa: PLC0415

    return configured.read(arguments, load_checkpoint, read_config, KIND)
