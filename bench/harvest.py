r"""A day in a new building, without a label: what the built-in embedder of real people learns from tracks.

    python bench/harvest.py                                    # ten minutes of one core; printed
    python bench/harvest.py --output docs/adaptation.md        # and written
    python bench/harvest.py --streets 2 --set adaptation.rounds=2

The building is the synthetic street, which the embedder has never seen: `rtreid harvest` follows people with
the built-in detector through streets of both cameras, `rtreid adapt` learns from the tracklets, and people of
other streets, who were never harvested, are searched for from one camera in the other. Everything lies below
--results; what is there is not made again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.machine import machine
from bench.sections import shown, table, write_section
from rtreid_ros.cli.main import main as rtreid
from rtreid_ros.reid.adaptation.adapter import Adapter
from rtreid_ros.reid.adaptation.config import KIND, read_adaptation
from rtreid_ros.reid.backends import PEOPLE
from rtreid_ros.reid.training.config import find_config

ROOT = Path(__file__).resolve().parents[1]
FIRST = 7_000_000
"""Seed of the first street; those of the data set `synthetic` are others."""
STEPS = {"before": "before", "statistics": "statistics of the target (AdaBN)", "kept": "adapted"}
RATIOS = {"rank1": "Rank-1", "map": "mAP", "told_apart": "told-apart"}


def harvest(folder: Path, streets: int, frames: int, *, quiet: bool) -> None:
    """Gather tracklets of so many streets, both cameras of each, unless they are there."""
    if folder.exists():
        return
    sources = [
        f"synthetic:seed={FIRST + street},camera={camera},frames={frames}"
        for street in range(streets)
        for camera in (0, 1)
    ]
    if rtreid(["harvest", *sources, "--output", str(folder), *(["--quiet"] if quiet else [])]):
        raise SystemExit("the harvest has failed")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Harvest and adapt."""
    begin = time.perf_counter()
    gathered = args.results / f"harvest-{args.streets}x{args.frames}"
    harvest(gathered, args.streets, args.frames, quiet=args.quiet)
    harvested = time.perf_counter()
    words = [
        *(f"model.pretrained={PEOPLE}", "data.dataset=tracklets", f"data.root={gathered}"),
        *("evaluation.dataset=synthetic", *args.set, f"adaptation.seed={args.seed}"),
    ]
    config = read_adaptation(find_config(args.adapt, KIND), words)
    adapter = Adapter(config, args.results / f"adapted-seed{args.seed}", progress=not args.quiet)
    course = adapter.run()
    if not adapter.finished:
        raise KeyboardInterrupt
    lines = (gathered / "index.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        "tracklets": len(lines),
        "crops": sum(len(json.loads(line)["crops"]) for line in lines),
        "rounds": course.rounds,
        "steps": config.adaptation.steps,
        "minutes": [(harvested - begin) / 60, (time.perf_counter() - harvested) / 60],
        **{step: getattr(course, step) for step in STEPS},
        "machine": machine("torch"),
    }


def section(found: dict[str, Any], args: argparse.Namespace, command: str) -> str:
    """The table and what it belongs to."""
    rows = [[name, *(f"{100 * found[step][ratio]:.1f}" for ratio in RATIOS)] for step, name in STEPS.items()]
    harvesting, adapting = found["minutes"]
    return "\n".join(
        [
            table([f"`{PEOPLE}`", *RATIOS.values()], rows, text_columns=1),
            "",
            f"{found['tracklets']} tracklets, {found['crops']} crops of {args.streets} streets by two "
            f"cameras, {args.frames} frames each, in {harvesting:.0f} min; {found['rounds']} rounds of "
            f"{found['steps']} batches in {adapting:.0f} min. Judged on people of other streets, from one "
            f"camera to the other; percent. {found['machine']}.",
            "",
            f"```\n$ {command}\n```",
        ]
    )


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--streets", type=int, default=6, metavar="N", help="streets that are harvested (6)")
    add("--frames", type=int, default=200, metavar="N", help="frames of each camera (200)")
    add("--seed", type=int, default=0, metavar="N", help="of the adaptation (0)")
    add("--adapt", default="processor", help="recipe: a file or a built-in name (processor)")
    add("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="what differs from it")
    add("--results", type=Path, default=ROOT / "out/bench/harvest", help="where all is kept")
    add("--output", type=Path, help="document whose table is written, docs/adaptation.md")
    add("--quiet", action="store_true", help="no progress bars")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Run it."""
    args = arguments(words)
    found = measure(args)
    text = section(found, args, f"python bench/harvest.py {shown(sys.argv[1:] if words is None else words)}")
    print(text)
    if args.output:
        write_section(args.output, "harvest", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
