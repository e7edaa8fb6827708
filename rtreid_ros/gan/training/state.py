"""All that a training is at the end of an epoch, and how it gets into a checkpoint and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from rtreid_ros.errors import ModelError
from rtreid_ros.gan.checkpoint import GanCheckpoint
from rtreid_ros.gan.groups import Groups
from rtreid_ros.gan.networks import Generator
from rtreid_ros.gan.objectives import Players
from rtreid_ros.gan.training.config import GanConfig
from rtreid_ros.reid.checkpoint_file import copied, fitting
from rtreid_ros.reid.data.fingerprint import check_same_pictures
from rtreid_ros.reid.training.averaging import WeightAverage
from rtreid_ros.reid.training.optimizer import restore_optimizer

Optimizers = dict[str, torch.optim.Optimizer]
"""By the name of the player."""


@dataclass(slots=True)
class Course:
    """How it went so far.

    Attributes:
        epochs: done.
        best: figures of the best judgement, by name; empty before the first.
        best_epoch: after which epoch that was.
        history: what each epoch came to, as in ``log.jsonl``.
    """

    epochs: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def note(self, figures: dict[str, float]) -> bool:
        """Take in a judgement after the last epoch; whether it is the best so far, by KID."""
        better = not self.best or figures["kid"] < self.best["kid"]
        if better:
            self.best, self.best_epoch = dict(figures), self.epochs
        return better


@dataclass(slots=True)
class State:
    """Everything that changes in training, and the groups, which are found once.

    Attributes:
        players: the networks.
        optimizers: with their memories.
        average: the generator's averaged weights; None where they are not averaged.
        groups: of the training pictures; None where the generator is not conditional.
        course: how it went.
        pictures: the `fingerprint` of those learnt from.
    """

    players: Players
    optimizers: Optimizers
    average: WeightAverage | None
    groups: Groups | None
    course: Course
    pictures: dict[str, Any]

    def judged(self) -> Generator:
        """The generator that is judged and kept, in evaluation mode."""
        generator: Generator = self.players.generator if self.average is None else self.average.model
        generator.eval()
        return generator

    @property
    def counts(self) -> tuple[int, ...]:
        """Training pictures of each group; empty where there are none."""
        return () if self.groups is None else self.groups.counts

    def checkpoint(self, config: GanConfig, figures: dict[str, float], *, whole: bool) -> GanCheckpoint:
        """The state as a file's content; `whole`: with all that resuming needs."""
        training: dict[str, Any] = {}
        if whole:
            training = {
                "players": {
                    name: copied(player.state_dict()) for name, player in self.players.named().items()
                },
                "optimizers": {name: item.state_dict() for name, item in self.optimizers.items()},
                "updates": 0 if self.average is None else self.average.updates,
                "labels": None if self.groups is None else torch.from_numpy(self.groups.labels),
                "centres": None if self.groups is None else torch.from_numpy(self.groups.centres),
                "pictures": self.pictures,
                "best": self.course.best,
                "best_epoch": self.course.best_epoch,
                "history": self.course.history,
            }
        kept = self.players.generator if self.average is None else self.average.model
        return GanCheckpoint(
            generator=config.generator.name,
            options=asdict(config.own["generator"]),
            size=(config.data.height, config.data.width),
            grouped=config.groups.by,
            counts=self.counts,
            weights=copied(kept.state_dict()),
            epoch=self.course.epochs,
            figures=figures,
            config=config.values(),
            training=training,
        )

    def restore(self, checkpoint: GanCheckpoint) -> None:
        """Become what a whole checkpoint holds; the groups are those it was made with.

        Raises:
            ModelError: it is that of other networks or of another optimizer.
        """
        saved, kind = checkpoint.training, checkpoint.config["optimizer"]["name"]
        with fitting("this configuration's networks or optimizer"):
            for name, player in self.players.named().items():
                player.load_state_dict(saved["players"][name])
                restore_optimizer(self.optimizers[name], saved["optimizers"][name], kind)
            if self.average is not None:
                self.average.restore(checkpoint.weights, saved["updates"])
        self.course = Course(
            checkpoint.epoch,
            dict(saved["best"]),
            saved["best_epoch"],
            [dict(row) for row in saved["history"]],
        )


def check_resumable(checkpoint: GanCheckpoint, config: GanConfig, pictures: Mapping[str, Any]) -> None:
    """Refuse a checkpoint that no training can go on from, or one of other pictures, groups or judgements.

    Args:
        checkpoint: to go on from.
        config: to go on with.
        pictures: the `fingerprint` of those to go on with.

    Raises:
        ModelError: saying which.
    """
    saved = checkpoint.training
    if not saved:
        raise ModelError("this checkpoint is for use alone and cannot be resumed; last.pt can")
    check_same_pictures(saved.get("pictures"), pictures)
    there, here = (_grouped_and_judged(values) for values in (checkpoint.config, config.values()))
    other = [f"{name}={there.get(name)}, here {here[name]}" for name in here if there.get(name) != here[name]]
    if other:
        raise ModelError(
            f"the checkpoint is of other groups or judgements ({'; '.join(other)}): what it has learnt of "
            "them and its best figures are of no use here: resume with those, or begin anew elsewhere"
        )


def _grouped_and_judged(config: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Of a configuration's plain values, those that groups and figures follow from."""
    groups = {key: value for key, value in config["groups"].items() if key == "by"}
    if groups["by"] == "appearance":
        groups["count"] = config["groups"]["count"]
    judging = {key: value for key, value in config["judging"].items() if key != "every"}
    judging["model"] = Path(judging["model"]).name  # wherever it lies
    parts = {"groups": groups, "judging": judging}
    return {f"{section}.{key}": value for section, part in parts.items() for key, value in part.items()}
