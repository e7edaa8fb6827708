"""What an ablation of a recipe changes, row by row."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.reid_table import ELSEWHERE, digest
from rtreid_ros.datasets.identities.store import open_store
from rtreid_ros.options import describe
from rtreid_ros.reid.losses import LOSSES
from rtreid_ros.reid.losses.identification import Identification
from rtreid_ros.reid.training.config import find_config, read_config
from rtreid_ros.reid.training.outputs import BEST
from rtreid_ros.reid.training.sections import TrainingConfig

BASELINE = "baseline"
PAIRS = ("triplet", "semi_hard_triplet", "weighted_triplet", "circle", "ranked_list")
MADE = {"generated": ("synthetic.root", "synthetic.model"), "street": ("model.pretrained",)}
"""Paths of what a row needs: the name of a training holds instead what lies there; see `Plan.key`."""
Changes = Callable[["Plan", int], list[str] | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing changed.

    Attributes:
        words: of the table.
        changes: ``section.key=value`` for a seed; None where the recipe has nothing to change.
        needs: ``generated`` pictures, the ``baseline`` of the seed, or the ``street``.
    """

    words: str
    changes: Changes
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for.

    Attributes:
        args: see the command.
        baseline: the recipe, by seed.
        pictures: a short name for the generated pictures; empty = there are none.
    """

    args: argparse.Namespace
    baseline: Mapping[int, TrainingConfig]
    pictures: str

    @property
    def recipe(self) -> TrainingConfig:
        """The baseline, whatever its seed."""
        return next(iter(self.baseline.values()))

    def config(self, row: str, seed: int) -> TrainingConfig | None:
        """The configuration of a row; None where the recipe has nothing to change."""
        changes = ROWS[row].changes(self, seed)
        return None if changes is None else self.read(seed, changes)

    def read(self, seed: int, changes: Sequence[str] = ()) -> TrainingConfig:
        """The recipe with changes."""
        return read_config(
            find_config(self.args.config), [*given(self.args), *changes, f"training.seed={seed}"]
        )

    def street(self, seed: int) -> TrainingConfig:
        """The training on the synthetic street that another begins with."""
        words = ["data.dataset=synthetic", f"data.scenes={self.args.street_scenes}"]
        epochs = f"training.epochs={self.args.street_epochs}"
        return self.read(seed, [*words, epochs])

    def key(self, row: str, config: TrainingConfig) -> str:
        """The name of a training: all that it learns by, generated pictures and what it begins with too."""
        needs = ROWS[row].needs if row in ROWS else ()
        what = digest(config, without=(*ELSEWHERE, *(path for need in needs for path in MADE.get(need, ()))))
        made = [self.pictures] if "generated" in needs else []
        made += [digest(self.street(config.training.seed), without=ELSEWHERE)] if "street" in needs else []
        if made:
            what = hashlib.sha256("".join([what, *made]).encode()).hexdigest()[:8]
        return f"{row}-seed{config.training.seed}-{what}"

    def folder(self, row: str, config: TrainingConfig) -> Path:
        """Where a training lies."""
        return Path(self.args.results) / self.key(row, config)

    def group(self) -> str:
        """What rows must have in common to stand in one table."""
        return digest(self.recipe, without=(*ELSEWHERE, "training.seed"))


def given(args: argparse.Namespace) -> list[str]:
    """What all trainings have in common."""
    words = [*args.set, "data.split=mod5", "training.validate_every=0"]
    words += [f"data.root={args.root}"] if args.root else []
    return words + ([f"training.epochs={args.epochs}"] if args.epochs else [])


def make_plan(args: argparse.Namespace) -> Plan:
    """Read the recipe.

    Raises:
        ConfigError: it cannot be read.
        SourceError: there are no generated pictures where they are said to be.
    """
    recipe = find_config(args.config)
    baseline = {seed: read_config(recipe, [*given(args), f"training.seed={seed}"]) for seed in args.seeds}
    return Plan(args, baseline, fingerprint(args.generated) if args.generated else "")


def fingerprint(root: str) -> str:
    """A short name for all pictures below a folder or in a tar file."""
    store, whole = open_store(root), hashlib.sha256()
    for path in store.pictures(""):
        whole.update(path.encode())
        whole.update(store.read(path))
    return whole.hexdigest()[:8]


def fixed(*changes: str) -> Changes:
    """The same changes whatever the recipe."""
    return lambda _plan, _seed: list(changes)


def lsro(ratio: float) -> Changes:
    """Generated pictures without a label: the recipe's loss of logits becomes lsro, as smooth as it was."""

    def changes(plan: Plan, _seed: int) -> list[str] | None:
        losses = plan.recipe.losses
        if "cross_entropy" not in losses:
            return None
        options = [
            f"losses.lsro.{item.name}={getattr(losses['cross_entropy'], item.name)}"
            for item in describe(LOSSES["lsro"].Options)
        ]
        generated = [f"synthetic.root={plan.args.generated}", f"synthetic.ratio={ratio:g}"]
        return ["losses.cross_entropy=off", *options, *generated]

    return changes


def pseudo(ratio: float) -> Changes:
    """Generated pictures labelled by the baseline of the same seed."""

    def changes(plan: Plan, seed: int) -> list[str]:
        model = plan.folder(BASELINE, plan.baseline[seed]) / BEST
        generated = [f"synthetic.root={plan.args.generated}", f"synthetic.ratio={ratio:g}"]
        return [*generated, "synthetic.labels=pseudo", f"synthetic.model={model}"]

    return changes


def longer(plan: Plan, _seed: int) -> list[str]:
    """Half as many epochs again: as many pictures as the rows of one generated for two real ones see."""
    return [f"training.epochs={round(1.5 * plan.recipe.training.epochs)}"]


def street_people(plan: Plan, _seed: int) -> list[str]:
    """People of the synthetic street as further identities."""
    words = ["synthetic.dataset=synthetic", "synthetic.labels=own", "synthetic.ratio=0.5"]
    return [*words, f"synthetic.scenes={plan.args.street_scenes}"]


def pretrained(plan: Plan, seed: int) -> list[str]:
    """Weights of a training on the synthetic street."""
    return [f"model.pretrained={plan.folder('street', plan.street(seed)) / BEST}"]


def no_erasing(plan: Plan, _seed: int) -> list[str] | None:
    """Pictures without rectangles cut out."""
    return ["augmentation.erasing=0"] if plan.recipe.augmentation.erasing else None


def no_pairs(plan: Plan, _seed: int) -> list[str] | None:
    """Losses of logits alone."""
    return [f"losses.{name}=off" for name in PAIRS if name in plan.recipe.losses] or None


def no_smoothing(plan: Plan, _seed: int) -> list[str] | None:
    """Targets that are not smoothed."""
    losses = plan.recipe.losses.items()
    smooth = [name for name, options in losses if getattr(options, "smoothing", 0)]
    return [
        f"losses.{name}.smoothing=0" for name in smooth if issubclass(LOSSES[name], Identification)
    ] or None


def no_ibn(plan: Plan, _seed: int) -> list[str] | None:
    """Batch norm alone, where the network says so by an option."""
    return ["model.ibn=false"] if getattr(plan.recipe.network, "ibn", False) else None


def centre(plan: Plan, _seed: int) -> list[str] | None:
    """The loss of centres, or none of them where the recipe has it."""
    return ["losses.centre=off" if "centre" in plan.recipe.losses else "losses.centre=on"]


ROWS: dict[str, Row] = {
    BASELINE: Row("baseline", fixed()),
    "lsro-0.25": Row("+ generated, 1 for 4 real ones, LSRO", lsro(0.25), ("generated",)),
    "lsro-0.5": Row("+ generated, 1 for 2, LSRO", lsro(0.5), ("generated",)),
    "lsro-1": Row("+ generated, 1 for 1, LSRO", lsro(1), ("generated",)),
    "pseudo-0.5": Row("+ generated, 1 for 2, pseudo-labels", pseudo(0.5), ("generated", "baseline")),
    "pseudo-1": Row("+ generated, 1 for 1, pseudo-labels", pseudo(1), ("generated", "baseline")),
    "longer": Row("half as many epochs again", longer),
    "street-people": Row("+ people of the synthetic street, 1 for 2", street_people),
    "pretrained": Row("+ pretraining on the synthetic street", pretrained, ("street",)),
    "no-erasing": Row("without random erasing", no_erasing),
    "no-smoothing": Row("without label smoothing", no_smoothing),
    "centre": Row("+ loss of centres", centre),
    "no-pairs": Row("without losses of pairs (triplet)", no_pairs),
    "no-ibn": Row("without IBN", no_ibn),
    "balance": Row("+ equally many pictures of everybody", fixed("sampler.balance=true")),
    "background": Row("+ other surroundings", fixed("augmentation.background=0.5")),
}
"""Rows by name, in the order of the table."""
