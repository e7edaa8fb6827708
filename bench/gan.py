r"""Generators of people's pictures by built-in configurations: how good, how fast.

    python bench/gan.py --root market1501.tar --features osnet_x0_25_msmt17.onnx --output docs/gan.md
    python bench/gan.py --root market1501.tar --features osnet_x0_25_msmt17.onnx \
        --configs groups dcgan small --pictures 622000 --seeds 0 1 --set training.threads=1
    python bench/gan.py --kept --features osnet_x0_25_msmt17.onnx --output docs/gan.md   # what is known

Every configuration of --configs learns from the training part of split mod5 until it has been shown about
--pictures pictures (whole epochs). The network of --features compares what is made with pictures of that
same part: those whom tables of appearance models judge are not touched, and a network that has learnt from
other people flatters no generator. It finds the groups, too. The generator of the lowest KID counts. Each
training has its folder below --results, and its figures in a JSON file beside it: run the command again
after an interruption, or for more seeds, and it goes on. Figures are measured anew when a configuration
changes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.machine import machine
from bench.results import digest_of
from bench.sections import shown, table, write_section
from rtreid_ros.configuration import find_config
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.gan.checkpoint import load_gan
from rtreid_ros.gan.distances import frechet_distance, kernel_distance
from rtreid_ros.gan.features import FeatureNetwork
from rtreid_ros.gan.generation import generate_files
from rtreid_ros.gan.training.config import KIND, GanConfig, read_config
from rtreid_ros.gan.training.pictures import load_pictures
from rtreid_ros.gan.training.trainer import GanTrainer
from rtreid_ros.reid.training.options import TrainingOptions as PlaceOptions
from rtreid_ros.reid.training.outputs import BEST, LAST
from rtreid_ros.reid.training.placement import Placement, device_name
from rtreid_ros.types import Float32

ROOT = Path(__file__).resolve().parents[1]
FIGURES = {"kid": "KID", "fid": "FID", "variety": "variety", "group_accuracy": "group accuracy"}
DIGITS = {"kid": 3, "fid": 1, "variety": 2, "group_accuracy": 2}
ELSEWHERE = ("data.root", "training.device", "training.threads", "training.tensorboard")
"""What does not count: where data lie and where it runs."""
_COLUMNS = 8
"""Judgements of a course that are shown."""


def plan(name: str, seed: int, args: argparse.Namespace) -> GanConfig:
    """The training of a configuration and a seed; of one epoch, until `lengthened`."""
    place = [f"data.root={args.root}"] if args.root else []
    fixed = ["data.split=mod5", "judging.reference=train", f"judging.model={args.features}"]
    words = [*place, *fixed, *args.set, "training.epochs=1", f"training.seed={seed}"]
    return read_config(find_config(name, KIND), words)


def lengthened(config: GanConfig, pictures: int) -> GanConfig:
    """The same, for as many whole epochs as show about so many pictures."""
    epochs = max(round(pictures / max(pictures_of(config), 1)), 1)
    return read_config(config.values(), [f"training.epochs={epochs}"])


def pictures_of(config: GanConfig) -> int:
    """How many an epoch shows: whole batches."""
    data = config.data
    train = open_identities(data.dataset, data.root, data.split, ("train",), **asdict(config.dataset)).train
    return len(train) // config.training.batch * config.training.batch


def recipe_of(config: GanConfig, args: argparse.Namespace) -> str:
    """What figures must have in common to stand in one row."""
    values = config.values()
    values["judging"]["model"] = Path(args.features).name  # wherever it lies
    values["measured"] = {"pictures": args.pictures, "generated": args.generated}
    return digest_of(values, without=(*ELSEWHERE, "training.seed"))


def measure(name: str, config: GanConfig, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Train, or go on with it, and measure what came of it."""
    last = folder / LAST
    config = lengthened(config, args.pictures)
    trainer = GanTrainer(config, folder, load_gan(last) if last.exists() else None, progress=not args.quiet)
    course = trainer.run()
    if not trainer.finished:
        raise KeyboardInterrupt
    seconds = sum(row["seconds"] for row in course.history)
    shown = pictures_of(config) * config.training.epochs
    placement = Placement(PlaceOptions(device=config.training.device))
    with placement.settings(config.training.threads):
        return {
            "config": name,
            "seed": config.training.seed,
            "recipe": recipe_of(plan(name, config.training.seed, args), args),
            "size": [config.data.height, config.data.width],
            "pictures": shown,
            "hours": seconds / 3600,
            "images_per_second": shown / seconds,
            "best_epoch": course.best_epoch,
            "figures": course.best,
            "course": [{"epoch": row["epoch"], **_figures(row)} for row in course.history if "kid" in row],
            "generating": generating(folder / BEST, args.generated, placement.device),
            "scale": scale(config, placement.device),
            "judged": asdict(config.judging) | {"model": Path(args.features).name},
            "threads": config.training.threads or torch.get_num_threads(),
            "device": device_name(placement.device),
            "machine": machine("torch"),
        }


def _figures(row: dict[str, Any]) -> dict[str, float]:
    return {name: row[name] for name in FIGURES if name in row}


def generating(best: Path, count: int, device: torch.device) -> float:
    """Seconds for 1,000 pictures, made and written to a .tar file, by `count` of them; start not included."""
    checkpoint = load_gan(best)
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        generate_files(checkpoint, Path(folder) / "made.tar", range(count), device=device, progress=False)
        return (time.perf_counter() - begin) / count * 1000


def scale(config: GanConfig, device: torch.device) -> dict[str, dict[str, float]]:
    """Figures of what is no generator: real pictures against others of them, and noise."""
    train, _ = load_pictures(config, device, progress=False)
    network, judging = FeatureNetwork(config.features, config.training.threads), config.judging
    count = min(judging.images, len(train) // 2)
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.permutation(len(train))[: 2 * count]).to(train.images.device)
    real, other = (network.of(train.images[part].cpu()) for part in rows.split(count))
    noise = torch.from_numpy(rng.integers(0, 256, (count, *train.images.shape[1:]), np.uint8))

    def against(features: Float32) -> dict[str, float]:
        size = min(judging.subset_size, count)
        kid = kernel_distance(real, features, subsets=judging.subsets, size=size)
        return {"kid": kid.mean, "fid": frechet_distance(real, features)}

    return {"real": against(other), "noise": against(network.of(noise))}


def section(results: Sequence[dict[str, Any]], order: Sequence[str], command: str) -> str:
    """The tables and what they belong to."""
    first = results[0]
    judged, (height, width) = first["judged"], first["size"]
    runs_of = {name: [item for item in results if item["config"] == name] for name in order}
    runs_of = {name: runs for name, runs in runs_of.items() if runs}
    rows = [_row(name, runs) for name, runs in runs_of.items()]
    for kind, title in (("real", "real pictures, others than compared with"), ("noise", "noise")):
        figures = [f"{first['scale'][kind][name]:.{DIGITS[name]}f}" for name in ("kid", "fid")]
        rows.append([title, "", *figures, "", "", "", "", "", "", ""])
    header = ["", "size", *FIGURES.values(), "after epoch", "pictures learnt from", "hours", "pictures/s"]
    parts = [table([*header, "s for 1,000"], rows, text_columns=2)]
    parts += [f"`{name}` after each of these epochs:\n\n{_course(runs)}" for name, runs in runs_of.items()]
    seeds = sorted({item["seed"] for item in results})
    parts.append(
        f"{judged['images']} generated pictures against as many of those trained on (market1501, split mod5; "
        f"nobody whom tables of appearance models judge), on features of {judged['model']}; real pictures "
        f"and noise at {height}x{width}. Variety: the variance of features as a share of that of real "
        "pictures, in the least varied group; 0 is always the same picture. The generator of the lowest KID "
        "counts; ± is the standard deviation over seeds "
        f"({', '.join(map(str, seeds))}). Training without judging; making and writing pictures, "
        f"start not included; on {first['device']} with {first['threads']} "
        f"thread{'s' if first['threads'] > 1 else ''} ({first['machine']})."
    )
    return "\n\n".join([*parts, f"```\n$ {command}\n```"])


def _row(name: str, runs: Sequence[dict[str, Any]]) -> list[str]:
    """What a configuration came to."""
    height, width = runs[0]["size"]
    figures = [
        spread([item["figures"][key] for item in runs], DIGITS[key]) if key in runs[0]["figures"] else ""
        for key in FIGURES
    ]
    return [
        f"`{name}`",
        f"{height}x{width}",
        *figures,
        spread([item["best_epoch"] for item in runs], 0),
        f"{statistics.fmean(item['pictures'] for item in runs):,.0f}",
        spread([item["hours"] for item in runs], 2),
        spread([item["images_per_second"] for item in runs], 0),
        spread([item["generating"] for item in runs], 1),
    ]


def _course(runs: Sequence[dict[str, Any]]) -> str:
    """Figures over time, means over seeds."""
    epochs = [item["epoch"] for item in runs[0]["course"]]
    chosen = epochs[::-1][:: -(-len(epochs) // _COLUMNS)][::-1]
    at = {
        epoch: [row for item in runs for row in item["course"] if row["epoch"] == epoch] for epoch in chosen
    }
    rows = [
        [title, *(f"{statistics.fmean(row[key] for row in at[epoch]):.{DIGITS[key]}f}" for epoch in chosen)]
        for key, title in FIGURES.items()
        if key in runs[0]["course"][0]
    ]
    return table(["epoch", *map(str, chosen)], rows, text_columns=1)


def spread(values: Sequence[float], digits: int) -> str:
    """Mean, and standard deviation where there are several."""
    mean = f"{statistics.fmean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--root", help="Market-1501: its folder, or a .tar file (needed unless --kept)")
    add("--features", required=True, metavar="MODEL", help="embedder that has not learnt from these people")
    add("--configs", nargs="+", default=["groups"], metavar="NAME", help="built-in names or files (groups)")
    add("--pictures", type=int, default=622_000, help="shown to each in training (622000)")
    add("--seeds", nargs="+", type=int, default=[0], metavar="N", help="(0)")
    add("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="what differs from all of them")
    add("--generated", type=int, default=1000, help="pictures made to see how long it takes (1000)")
    add("--results", type=Path, default=ROOT / "out/bench/gan", help="where trainings and figures are kept")
    add("--kept", action="store_true", help="train nothing; the tables of what is kept")
    add("--output", type=Path, help="document whose tables are written, docs/gan.md")
    add("--quiet", action="store_true", help="no progress bars")
    args = parser.parse_args(words)
    if not args.kept and not args.root:
        parser.error("--root is needed to train")
    return args


def main(words: Sequence[str] | None = None) -> int:
    """Run it."""
    args = arguments(words)
    results = []
    for seed in args.seeds:
        for name in args.configs:
            config = plan(name, seed, args)
            key = f"{Path(name).stem}-seed{seed}-{recipe_of(config, args)}"
            path = args.results / f"{key}.json"
            if not path.exists() and not args.kept:
                print(key, file=sys.stderr, flush=True)
                found = measure(Path(name).stem, config, args.results / key, args)
                path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            if path.exists():
                results.append(json.loads(path.read_text(encoding="utf-8")))
    if not results:
        print("nothing is known of these configurations", file=sys.stderr)
        return 1
    command = f"python bench/gan.py {shown(sys.argv[1:] if words is None else words)}"
    text = section(results, [Path(name).stem for name in args.configs], command)
    print(text)
    if args.output:
        write_section(args.output, "generators", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
