r"""What each part of a recipe adds, generated pictures among them: one training for each row and seed.

    python bench/reid_ablation.py --root market.tar --config osnet_x0_25 --generated out/gan/pictures \
        --seeds 0 1 2 --output docs/reid_synthetic.md                        # all rows
    python bench/reid_ablation.py --root market.tar --rows no-erasing        # one, beside the baseline
    python bench/reid_ablation.py --root market.tar --estimate               # only how long it would take
    python bench/reid_ablation.py --kept --output docs/reid_synthetic.md     # what is known by now

The baseline is the configuration --config; every other row changes one thing. Training and judgement are
those of `reid_table.py`: four fifths of the training identities, search among the rest (split mod5), last
weights.
A row that needs something has it made or is left out with a word: pseudo-labels are those of the baseline of
the same seed, pretraining on the synthetic street is a training of its own, and generated pictures are those
of --generated. Run the command again after an interruption, or for more seeds, and it goes on. How long it
will take is measured and said before it starts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.ablation_rows import BASELINE, ROWS, Plan, make_plan
from bench.reid_table import RATIOS, ROOT, measure, speeds, spread
from bench.sections import shown, table, write_section
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import RtreidError
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.training.outputs import LAST
from rtreid_ros.reid.training.sections import TrainingConfig
from rtreid_ros.reid.training.trainer import Trainer

_STREET_PICTURES = 500
"""Pictures of a scene of the street, more or less: only for the estimate."""


@dataclass(frozen=True, slots=True)
class Job:
    """A training: a row of the table, or what one begins with."""

    row: str
    config: TrainingConfig
    folder: Path

    @property
    def done(self) -> bool:
        """Whether its figures are there, or, of what has none, its weights."""
        if self.row in ROWS:
            return self.folder.with_name(f"{self.folder.name}.json").exists()
        last = self.folder / LAST
        return last.exists() and load_checkpoint(last).epoch >= self.config.training.epochs


def jobs(plan: Plan, say: Callable[[str], None]) -> list[Job]:
    """All trainings, what is needed before what needs it; rows that cannot be are left out with a word."""
    made: dict[Path, Job] = {}

    def add(row: str, config: TrainingConfig) -> None:
        job = Job(row, config, plan.folder(row, config))
        made.setdefault(job.folder, job)

    left: dict[str, str] = {}
    for seed in plan.args.seeds:
        for name in plan.args.rows:
            needs, config = ROWS[name].needs, None
            if "generated" in needs and not plan.pictures:
                left[name] = "it needs --generated"
            elif (config := plan.config(name, seed)) is None:
                left[name] = f"{plan.args.config} has nothing of the kind"
            if config is None:
                continue
            if "baseline" in needs:
                add(BASELINE, plan.baseline[seed])
            if "street" in needs:
                add("street", plan.street(seed))
            add(name, config)
    for name, reason in left.items():
        say(f"{name} is left out: {reason}")
    return list(made.values())


def estimate(plan: Plan, todo: Sequence[Job]) -> float:
    """Seconds that trainings will take, by the speed of forward and backward measured now."""
    data = plan.recipe.data
    real = len(open_identities(data.dataset, data.root, data.split, ("train",)).train)
    speed, total = speeds(plan.recipe)[0], 0.0
    for job in todo:
        last = job.folder / LAST
        epochs = job.config.training.epochs - (load_checkpoint(last).epoch if last.exists() else 0)
        pictures = _STREET_PICTURES * plan.args.street_scenes if job.row == "street" else real
        total += epochs * pictures * (1 + job.config.synthetic.ratio) / speed
    return total


def train(plan: Plan, job: Job) -> None:
    """Train, or go on, and keep the figures of a row."""
    if job.row in ROWS:
        found = measure(job.row, job.config, job.folder, quiet=plan.args.quiet) | {"group": plan.group()}
        path = job.folder.with_name(f"{job.folder.name}.json")
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        return
    last = job.folder / LAST
    resume = load_checkpoint(last) if last.exists() else None
    trainer = Trainer(job.config, job.folder, resume, progress=not plan.args.quiet)
    trainer.run()
    if not trainer.finished:
        raise KeyboardInterrupt


def known(plan: Plan) -> list[dict[str, Any]]:
    """Figures kept of rows of this recipe, of these seeds."""
    found = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(plan.args.results.glob("*.json"))
    ]
    return [
        item
        for item in found
        if item.get("group") == plan.group()
        and item["model"] in plan.args.rows
        and item["seed"] in plan.args.seeds
    ]


def summary(results: Sequence[dict[str, Any]]) -> str:
    """The table: mean and spread over seeds, and by how much the mAP of the same seeds changed."""
    base = {item["seed"]: item["figures"]["map"] for item in results if item["model"] == BASELINE}
    rows = []
    for name, row in ROWS.items():
        runs = [item for item in results if item["model"] == name]
        if not runs:
            continue
        changes = [
            100 * (item["figures"]["map"] - base[item["seed"]]) for item in runs if item["seed"] in base
        ]
        change = "" if name == BASELINE or not changes else spread(changes, sign="+")
        ratios = (spread([100 * item["figures"][ratio] for item in runs]) for ratio in RATIOS)
        minutes = sum(item["training_minutes"] for item in runs) / len(runs)
        rows.append([name, row.words, *ratios, change, f"{minutes:.0f}", str(len(runs))])
    header = ["row", "what", *RATIOS.values(), "change of mAP", "minutes", "seeds"]
    return table(header, rows, text_columns=2)


def section(plan: Plan, results: Sequence[dict[str, Any]], command: str) -> str:
    """The table and what it belongs to."""
    first, config = results[0], plan.recipe
    height, width = first["size"]
    return "\n".join(
        [
            summary(results),
            "",
            f"{config.model.name}, input {height}x{width}, {first['epochs']} epochs, last weights, split "
            "mod5, single-query protocol with nothing added, in percent; ± is the standard deviation over "
            "seeds, that of the change over pairs with the baseline of the same seed. "
            f"Minutes of training on {first['device']} ({first['machine']}).",
            "",
            f"```\n$ {command}\n```",
        ]
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--root", default="", help="Market-1501: its folder, or a .tar file (needed unless --kept)")
    add("--config", default="osnet_x0_25", help="the baseline: a YAML file or a built-in name (osnet_x0_25)")
    add(
        "--rows", nargs="+", default=list(ROWS), choices=list(ROWS), metavar="ROW", help=f"({' '.join(ROWS)})"
    )
    add("--seeds", nargs="+", type=int, default=[0], metavar="N", help="(0)")
    add("--epochs", type=int, default=0, help="(as the recipe says)")
    add("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="what differs from the recipe")
    add("--generated", default="", metavar="PATH", help="folder or .tar file of generated pictures")
    add("--street-scenes", type=int, default=20, metavar="N", help="scenes of the synthetic street (20)")
    add("--street-epochs", type=int, default=10, metavar="N", help="of pretraining on it (10)")
    add("--results", type=Path, default=ROOT / "out/bench/reid_ablation", help="trainings and figures")
    add("--kept", action="store_true", help="train nothing; the table of what is kept")
    add("--estimate", action="store_true", help="train nothing; how long it would take")
    add("--output", type=Path, help="document whose table is written, docs/reid_synthetic.md")
    add("--section", default="ablation", metavar="NAME", help="which table of it (ablation)")
    add("--quiet", action="store_true", help="no progress bars")
    args = parser.parse_args()
    if not args.kept and not args.root:
        parser.error("--root is needed to train")
    return args


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _run(args: argparse.Namespace) -> int:
    plan = make_plan(args)
    if not args.kept:
        todo = [job for job in jobs(plan, _say) if not job.done]
        seconds = estimate(plan, todo) if todo else 0.0
        _say(f"{len(todo)} trainings to do: about {seconds / 3600:.1f} hours, as fast as this machine is now")
        if args.estimate:
            return 0
        for job in todo:
            _say(job.folder.name)
            train(plan, job)
    results = known(plan)
    if not results:
        _say("nothing is known of this recipe")
        return 1
    text = section(plan, results, f"python bench/reid_ablation.py {shown(sys.argv[1:])}")
    print(text)
    if args.output:
        write_section(args.output, args.section, text)
    return 0


def main() -> int:
    """Run it."""
    try:
        return _run(_arguments())
    except RtreidError as error:
        _say(f"reid_ablation: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
