r"""Transfer without labels: who is found before adaptation, after the statistics alone, and after it.

    python bench/adaptation.py --root market1501_bounding_box_train.tar                    # all, printed
    python bench/adaptation.py --root market.tar --protocols cameras --seeds 0 1 2 --output docs/adaptation.md
    python bench/adaptation.py --root market.tar --train osnet_x0_25 --adapt processor \
        --set-train training.epochs=12 --set-adapt adaptation.rounds=6                     # on a processor
    python bench/adaptation.py --kept --output docs/adaptation.md                          # what is known

Protocols, none of which shows the adaptation a label, or anybody by whom it is judged:

    cameras    Market-1501, cameras 1 to 3 to cameras 4 to 6 (splits cameras123 and cameras456). Source:
               identities that leave 1 or 2 when divided by five; target, unlabelled: 3 or 4; judged: those
               divisible, by cameras 4 to 6.
    tuning     the same source and cameras, for choosing a recipe without those who judge it: target,
               unlabelled: identities that leave 3; judged: 4. Only where --protocols names it.
    synthetic  people of the synthetic street to Market-1501 (split mod5). Target, unlabelled: identities not
               divisible by five; judged: the others.

Each network is judged on people of the source, too, whom no training has seen: what it has forgotten. That is
why it is adapted a second time without rehearsal.

Each seed trains a source model and adapts it with that seed. Trainings and adaptations have folders below
--results, figures are kept in JSON files beside them: run the command again after an interruption, or for
more seeds, and it goes on. Figures are measured anew when a recipe changes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.machine import machine
from bench.reid_table import ELSEWHERE, digest, spread
from bench.sections import shown, table, write_section
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.evaluation.retrieval import SearchPlan, search
from rtreid_ros.reid.adaptation.adapter import Adapter
from rtreid_ros.reid.adaptation.config import KIND, AdaptationConfig, read_adaptation
from rtreid_ros.reid.adaptation.course import AdaptationCourse
from rtreid_ros.reid.base import EmbedderOptions
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.models.session import open_checkpoint
from rtreid_ros.reid.training.config import find_config, read_config
from rtreid_ros.reid.training.outputs import BEST, LAST
from rtreid_ros.reid.training.sections import TrainingConfig
from rtreid_ros.reid.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
PROTOCOLS = {
    "cameras": ("Market-1501, cameras 1-3 to 4-6", "market1501", "cameras123", "cameras456"),
    "tuning": ("the same, for choosing", "market1501", "cameras123", "cameras456_tuning"),
    "synthetic": ("synthetic street to Market-1501", "synthetic", "official", "mod5"),
}
"""Title, data set and split of the source, split of Market-1501 that is target and judges."""
STEPS = {
    "before": "before",
    "statistics": "statistics of the target (AdaBN)",
    "kept": "adapted",
    "alone": "adapted without rehearsal",
}
RATIOS = {"rank1": "Rank-1", "map": "mAP"}
MACHINE = ("adaptation.device", "adaptation.threads", "adaptation.tensorboard")
"""What does not count: where an adaptation runs."""


def source_config(protocol: str, seed: int, args: argparse.Namespace) -> TrainingConfig:
    """How the source model is trained."""
    _, dataset, split, _ = PROTOCOLS[protocol]
    place = [f"data.root={args.root}"] if dataset == "market1501" and args.root else []
    fixed = [f"data.dataset={dataset}", f"data.split={split}", "training.validate_every=0"]
    overrides = [*fixed, *place, *args.set_train, f"training.seed={seed}"]
    return read_config(find_config(args.train), overrides)


def adaptation_config(
    protocol: str,
    seed: int,
    start: Path,
    source: TrainingConfig,
    args: argparse.Namespace,
    *,
    rehearsal: bool = True,
) -> AdaptationConfig:
    """How it is adapted."""
    _, dataset, split, target = PROTOCOLS[protocol]
    rehearsed = [
        *(f"source.dataset={dataset}", f"source.root={source.data.root}", f"source.split={split}"),
        *([f"source.scenes={source.dataset.scenes}"] if dataset == "synthetic" else []),  # type: ignore[attr-defined]
    ]
    words = [
        *(f"model.pretrained={start}", "data.dataset=market1501", f"data.root={args.root}"),
        *(f"data.split={target}", "evaluation.dataset=market1501", f"evaluation.root={args.root}"),
        *(f"evaluation.split={target}", "adaptation.compare_labels=true"),
        *(rehearsed if rehearsal else []),
    ]
    return read_adaptation(
        find_config(args.adapt, KIND), [*words, *args.set_adapt, f"adaptation.seed={seed}"]
    )


def recipe_of(source: TrainingConfig, args: argparse.Namespace) -> str:
    """What figures must have in common to stand in one table."""
    learnt = digest(source, without=(*ELSEWHERE, "training.seed"))
    text = json.dumps([args.adapt, find_config(args.adapt, KIND).read_text(encoding="utf-8"), learnt])
    kept = [word for word in args.set_adapt if not word.startswith(MACHINE)]
    return hashlib.sha256("\n".join([text, *kept]).encode()).hexdigest()[:8]


def measure(protocol: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """Train and adapt, or go on with it."""
    source = source_config(protocol, seed, args)
    trained = args.results / f"source-{digest(source, without=ELSEWHERE)}"
    if not finished(trained, source.training.epochs):
        last = trained / LAST
        trainer = Trainer(
            source, trained, load_checkpoint(last) if last.exists() else None, progress=not args.quiet
        )
        trainer.run()
        if not trainer.finished:
            raise KeyboardInterrupt
    recipe = recipe_of(source, args)
    folder = args.results / f"{protocol}-adapted-seed{seed}-{recipe}"
    without = folder.with_name(f"{folder.name}-alone")
    config = adaptation_config(protocol, seed, trained / BEST, source, args)
    course = adapted(config, folder, args)
    alone = adapted(
        adaptation_config(protocol, seed, trained / BEST, source, args, rehearsal=False), without, args
    )
    networks = {"before": trained, "kept": folder, "alone": without}
    return {
        "protocol": protocol,
        "seed": seed,
        "recipe": recipe,
        "network": config.learning.model.name,
        "size": [config.learning.data.height, config.learning.data.width],
        "epochs": source.training.epochs,
        "rounds": course.rounds,
        "steps": config.adaptation.steps,
        "best_round": course.best_round,
        "minutes": sum(row["seconds"] for row in course.history) / 60,
        **{step: getattr(course, step) for step in ("before", "statistics", "kept")},
        "alone": alone.kept,
        "source": {step: judged_on_source(source, place / BEST) for step, place in networks.items()},
        "history": course.history,
        "machine": machine("torch"),
    }


def adapted(config: AdaptationConfig, folder: Path, args: argparse.Namespace) -> AdaptationCourse:
    """Adapt, or go on with it."""
    last = folder / LAST
    adapter = Adapter(
        config, folder, load_checkpoint(last) if last.exists() else None, progress=not args.quiet
    )
    course = adapter.run()
    if not adapter.finished:
        raise KeyboardInterrupt
    return course


def judged_on_source(source: TrainingConfig, network: Path) -> float:
    """The mAP on people held out of the source."""
    data = open_identities(
        *(source.data.dataset, source.data.root, source.data.split, ("query", "gallery")),
        **asdict(source.dataset),
    )
    embedder = open_checkpoint(network, EmbedderOptions())
    found = search(network.name, embedder, data.query, data.gallery, SearchPlan(), progress=False)
    return found.steps[0].map


def finished(folder: Path, epochs: int) -> bool:
    """Whether a training is over."""
    return (folder / BEST).exists() and load_checkpoint(folder / LAST).epoch >= epochs


def section(results: Sequence[dict[str, Any]], command: str) -> str:
    """The table and what it belongs to."""
    rows = []
    for protocol, (title, *_) in PROTOCOLS.items():
        runs = [item for item in results if item["protocol"] == protocol]
        if not runs:
            continue
        for step, name in STEPS.items():
            ratios = (spread([100 * item[step][ratio] for item in runs]) for ratio in RATIOS)
            gain = spread([100 * (item[step]["map"] - item["before"]["map"]) for item in runs])
            there = [100 * item["source"][step] for item in runs if step in item["source"]]
            cells = [*ratios, "" if step == "before" else gain, spread(there) if there else ""]
            rows.append([title, name, *cells, str(len(runs))])
    first, counted = results[0], [item["rounds"] for item in results]
    height, width = first["size"]
    rounds = " to ".join(str(count) for count in sorted({min(counted), max(counted)}))
    return "\n".join(
        [
            table(
                ["transfer", "", *RATIOS.values(), "gain of mAP", "mAP on the source", "seeds"],
                rows,
                text_columns=2,
            ),
            "",
            f"{first['network']} at {height}x{width}, {first['epochs']} epochs on the source, {rounds} "
            f"rounds of {first['steps']} batches; single-query protocol with nothing "
            "added, in percent, on people never seen in training or adaptation; ± is the standard deviation "
            f"over seeds. {first['machine']}.",
            "",
            f"```\n$ {command}\n```",
        ]
    )


def read_results(folder: Path, args: argparse.Namespace) -> list[dict[str, Any]]:
    """Figures kept of these protocols by these recipes."""
    recipes = {protocol: recipe_of(source_config(protocol, 0, args), args) for protocol in args.protocols}
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    return [item for item in found if recipes.get(item["protocol"]) == item["recipe"]]


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--root", help="Market-1501: its folder, or a .tar file (needed unless --kept)")
    add(
        "--protocols",
        nargs="+",
        default=["cameras", "synthetic"],
        choices=PROTOCOLS,
        help="(cameras synthetic)",
    )
    add("--seeds", nargs="+", type=int, default=[0], metavar="N", help="(0)")
    add(
        "--train", default="osnet_x0_25", help="recipe of the source: a file or a built-in name (osnet_x0_25)"
    )
    add("--adapt", default="processor", help="recipe of the adaptation: likewise (processor)")
    add("--set-train", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="what differs from it")
    add("--set-adapt", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="likewise")
    add("--results", type=Path, default=ROOT / "out/bench/adaptation", help="where all is kept")
    add("--kept", action="store_true", help="train nothing; the table of what is kept")
    add("--output", type=Path, help="document whose table is written, docs/adaptation.md")
    add("--quiet", action="store_true", help="no progress bars")
    args = parser.parse_args(words)
    if not args.kept and not args.root:
        parser.error("--root is needed to train")
    return args


def main(words: Sequence[str] | None = None) -> int:
    """Run it."""
    args = arguments(words)
    for seed in args.seeds:
        for protocol in () if args.kept else args.protocols:
            recipe = recipe_of(source_config(protocol, seed, args), args)
            path = args.results / f"{protocol}-seed{seed}-{recipe}.json"
            if path.exists():
                continue
            print(path.stem, file=sys.stderr, flush=True)
            found = measure(protocol, seed, args)
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    results = read_results(args.results, args)
    if not results:
        print("nothing is known of these recipes", file=sys.stderr)
        return 1
    command = f"python bench/adaptation.py {shown(sys.argv[1:] if words is None else words)}"
    text = section(results, command)
    print(text)
    if args.output:
        write_section(args.output, f"transfer {' '.join(args.protocols)}", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
