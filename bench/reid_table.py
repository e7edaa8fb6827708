r"""Networks by one recipe from scratch: what they cost, and who they find again.

    python bench/reid_table.py --root market1501_bounding_box_train.tar           # all, printed
    python bench/reid_table.py --root market.tar --seeds 0 1 2 --output docs/reid.md
    python bench/reid_table.py --root market.tar --models osnet_x0_25 seresnet18_ibn:width=0.5 \
        --config osnet_x0_25 --set training.threads=2                             # small ones, 128x64
    python bench/reid_table.py --kept --output docs/reid.md                       # what is known by now

Every network trains by the configuration --config, in which nothing but the network is changed, on four
fifths of the training identities, and searches among the rest (split mod5). Only the last weights are
judged: what judges them must not choose them. Each training has its folder below --results, and its figures
in a JSON file beside it: run the command again after an interruption, or for more seeds, and it goes on.
Figures are measured anew when the recipe changes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.machine import machine
from bench.results import digest_of
from bench.sections import shown, table, write_section
from rtreid_ros.options import describe
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.cost import model_cost
from rtreid_ros.reid.training.config import find_config, read_config
from rtreid_ros.reid.training.options import SyntheticOptions
from rtreid_ros.reid.training.outputs import BEST, LAST
from rtreid_ros.reid.training.placement import Placement, device_name
from rtreid_ros.reid.training.sections import TrainingConfig
from rtreid_ros.reid.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ("seresnet18_ibn", "resnet18", "resnet50", "osnet_x0_25", "osnet_x1_0")
RATIOS = {"rank1": "Rank-1", "map": "mAP", "minp": "mINP"}
_BATCH, _SECONDS, _CLASSES = 64, 3.0, 751
"""Of the measurement of speed: images at once, how long it is repeated, identities to learn."""


def plan(args: argparse.Namespace) -> list[tuple[str, TrainingConfig]]:
    """Name and configuration of each network and seed."""
    given = [*args.set, "data.split=mod5", "training.validate_every=0"]
    given += [f"data.root={args.root}"] if args.root else []
    given += [f"training.epochs={args.epochs}"] if args.epochs else []
    return [
        (name, read_config(find_config(args.config), [*given, *network(name), f"training.seed={seed}"]))
        for seed in args.seeds
        for name in args.models
    ]


def network(name: str) -> list[str]:
    """What ``NAME:key=value,key=value`` asks of a configuration."""
    model, _, options = name.partition(":")
    return [f"model.name={model}", *(f"model.{option}" for option in options.split(",") if option)]


def digest(config: TrainingConfig, *, without: Sequence[str]) -> str:
    """A short name for all that a training learns by, but for these sections or ``section.key``."""
    values: dict[str, Any] = config.values()
    for section, key, default in LATER:  # so that figures of before stay what they are
        if values[section].get(key) == default:
            del values[section][key]
    return digest_of(values, without=without)


LATER = (
    ("augmentation", "background", 0.0),
    ("sampler", "base", 0),
    *(("synthetic", item.name, item.default) for item in describe(SyntheticOptions)),
)
"""Options that came after the first figures, and the defaults by which they change nothing."""

ELSEWHERE = ("data.root", "training.device", "training.threads", "training.tensorboard")
"""What does not count: where data lie and where it runs."""


def key_of(config: TrainingConfig) -> str:
    """The name of a training."""
    return f"{config.model.name}-seed{config.training.seed}-{digest(config, without=ELSEWHERE)}"


def recipe_of(config: TrainingConfig) -> str:
    """What figures must have in common to stand in one table."""
    return digest(config, without=(*ELSEWHERE, "model", "training.seed"))


def measure(name: str, config: TrainingConfig, folder: Path, *, quiet: bool) -> dict[str, Any]:
    """Train, or go on with it, and measure the network."""
    last = folder / LAST
    trainer = Trainer(config, folder, load_checkpoint(last) if last.exists() else None, progress=not quiet)
    course = trainer.run()
    if not trainer.finished:
        raise KeyboardInterrupt
    device = Placement(config.training).device
    best = load_checkpoint(folder / BEST)
    deployed = create_model(best.model, classes=0, cameras=0, **best.options)
    cost = model_cost(deployed, best.size)
    return {
        "model": name,
        "seed": config.training.seed,
        "epochs": course.epochs,
        "size": list(best.size),
        "recipe": recipe_of(config),
        "parameters": cost.parameters,
        "gflops": cost.gflops,
        "training_minutes": sum(row["seconds"] for row in course.history) / 60,
        "figures": best.figures,
        "device": device_name(device),
        "machine": machine("torch"),
    }


def speeds(config: TrainingConfig) -> tuple[float, float]:
    """Images per second in training (forward, backward) and in use, of a network on the machine we are on.

    All networks of a table are measured in one run, so that their ratios hold.
    """
    placement = Placement(config.training)
    size = (config.data.height, config.data.width)
    model = create_model(config.model.name, _CLASSES, **asdict(config.network))
    model = model.to(placement.device, memory_format=torch.channels_last)
    images = torch.rand(_BATCH, 3, *size, device=placement.device)
    images = images.contiguous(memory_format=torch.channels_last)

    def learn() -> None:
        with placement.autocast():
            logits = model(images).logits
        logits.float().logsumexp(1).mean().backward()

    def use() -> None:
        with torch.inference_mode():
            model(images)

    with placement.settings(config.training.threads):
        model.train()
        training = _repeated(learn, placement.device)
        model.eval()
        return training, _repeated(use, placement.device)


def _repeated(step: Callable[[], None], device: torch.device) -> float:
    """Images per second of a function that takes a batch."""
    for _ in range(3):
        step()
    _wait(device)
    done, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < _SECONDS:
        step()
        _wait(device)
        done += 1
    return done * _BATCH / (time.perf_counter() - begin)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def summary(
    results: Sequence[dict[str, Any]], order: Iterable[str], speed_of: Mapping[str, tuple[float, float]]
) -> str:
    """The table: a row for each network, mean and spread over seeds."""
    rows = []
    for name in order:
        runs = [item for item in results if item["model"] == name]
        if not runs:
            continue
        first = runs[0]
        rows.append(
            [
                name,
                f"{first['parameters'] / 1e6:.2f}",
                f"{first['gflops']:.3f}",
                *(f"{speed:.0f}" for speed in speed_of[name]),
                *(spread([100 * item["figures"][ratio] for item in runs]) for ratio in RATIOS),
                str(len(runs)),
            ]
        )
    header = ["network", "parameters, M", "GFLOPs", "images/s, training", "images/s, in use"]
    return table([*header, *RATIOS.values(), "seeds"], rows, text_columns=1)


def spread(values: Sequence[float], sign: str = "") -> str:
    """Mean, and standard deviation where there are several; `sign` as in a format."""
    mean = format(statistics.fmean(values), f"{sign}.1f")
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def section(
    results: Sequence[dict[str, Any]],
    order: Sequence[str],
    speed_of: Mapping[str, tuple[float, float]],
    command: str,
) -> str:
    """The table and what it belongs to."""
    height, width = results[0]["size"]
    return "\n".join(
        [
            summary(results, order, speed_of),
            "",
            f"Input {height}x{width}, {results[0]['epochs']} epochs from scratch, last weights, split mod5, "
            "single-query protocol with nothing added, in percent; ± is the standard deviation over seeds. "
            "Parameters and multiply-adds (10^9) without the classifier. Speeds: forward and backward, and "
            f"forward alone; on {results[0]['device']} ({results[0]['machine']}).",
            "",
            f"```\n$ {command}\n```",
        ]
    )


def read_results(folder: Path, models: Sequence[str], recipe: str) -> list[dict[str, Any]]:
    """Figures kept of these networks by this recipe."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [item for item in found if item["model"] in models and item["recipe"] == recipe]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--root", help="Market-1501: its folder, or a .tar file (needed unless --kept)")
    add(
        "--config",
        default="seresnet18_ibn",
        help="the recipe: a YAML file or a built-in name (seresnet18_ibn)",
    )
    add(
        "--models",
        nargs="+",
        default=list(NETWORKS),
        metavar="NAME[:KEY=VALUE,...]",
        help=f"({' '.join(NETWORKS)})",
    )
    add("--seeds", nargs="+", type=int, default=[0], metavar="N", help="(0)")
    add("--epochs", type=int, default=0, help="(as the recipe says)")
    add("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="what differs from the recipe")
    add("--results", type=Path, default=ROOT / "out/bench/reid", help="where trainings and figures are kept")
    add("--kept", action="store_true", help="train nothing; the table of what is kept")
    add("--output", type=Path, help="document whose table is written, docs/reid.md")
    add("--quiet", action="store_true", help="no progress bars")
    args = parser.parse_args()
    if not args.kept and not args.root:
        parser.error("--root is needed to train")
    return args


def main() -> int:
    """Run it."""
    args = _arguments()
    configs = plan(args)
    for name, config in configs:
        key = key_of(config)
        path = args.results / f"{key}.json"
        if args.kept or path.exists():
            continue
        print(key, file=sys.stderr, flush=True)
        found = measure(name, config, args.results / key, quiet=args.quiet)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    results = read_results(args.results, args.models, recipe_of(configs[0][1]))
    if not results:
        print("nothing is known of this recipe", file=sys.stderr)
        return 1
    known = {item["model"] for item in results}
    speed_of = {name: speeds(config) for name, config in configs if name in known}
    text = section(results, args.models, speed_of, f"python bench/reid_table.py {shown(sys.argv[1:])}")
    print(text)
    if args.output:
        write_section(args.output, "networks", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
