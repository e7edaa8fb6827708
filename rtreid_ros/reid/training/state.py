"""All that a training is at the end of an epoch, and how it gets into a checkpoint and back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.checkpoint_file import copied, fitting
from rtreid_ros.reid.data.fingerprint import check_same_pictures
from rtreid_ros.reid.losses import Recipe
from rtreid_ros.reid.models import ReIDModel
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.sides import Sides
from rtreid_ros.reid.training.averaging import WeightAverage
from rtreid_ros.reid.training.config import TrainingConfig
from rtreid_ros.reid.training.optimizer import restore_optimizer


@dataclass(slots=True)
class Course:
    """How it went so far.

    Attributes:
        epochs: done.
        best: figures of the best validation, by name; empty before the first.
        best_epoch: after which epoch that was.
        stale: validations since.
        history: what each epoch came to, as in ``log.jsonl``.
    """

    epochs: int = 0
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    stale: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def note(self, figures: dict[str, float]) -> bool:
        """Take in a validation after the last epoch; whether it is the best so far, by mAP."""
        better = not self.best or figures["map"] > self.best["map"]
        if better:
            self.best, self.best_epoch = dict(figures), self.epochs
        self.stale = 0 if better else self.stale + 1
        return better


@dataclass(slots=True)
class State:
    """Everything that changes in training.

    Attributes:
        model: the network that learns.
        average: its averaged weights; None where they are not averaged.
        optimizer: with its memories.
        recipe: the losses with theirs.
        course: how it went.
        sides: what the numbers of the side information stand for.
        pictures: the `fingerprint` of those learnt from, which `restore` compares.
    """

    model: ReIDModel
    average: WeightAverage | None
    optimizer: torch.optim.Optimizer
    recipe: Recipe
    course: Course
    sides: Sides = field(default_factory=Sides)
    pictures: dict[str, Any] = field(default_factory=dict)

    def judged(self) -> ReIDModel:
        """The network that is validated and kept, in evaluation mode."""
        if self.average is not None:
            average: ReIDModel = self.average.model
            return average
        self.model.eval()
        return self.model

    def checkpoint(self, config: TrainingConfig, figures: dict[str, float], *, whole: bool) -> Checkpoint:
        """The state as a file's content; `whole`: with all that resuming needs."""
        values = config.values()
        training: dict[str, Any] = {}
        if whole:
            training = {
                **self.learnt(),
                "recipe": self.recipe.state_dict(),
                "pictures": self.pictures,
                "best": self.course.best,
                "best_epoch": self.course.best_epoch,
                "stale": self.course.stale,
                "history": self.course.history,
            }
        kept = self.model if self.average is None else self.average.model
        return Checkpoint(
            model=config.model.name,
            options=network_options(config),
            classes=self.model.classes,
            cameras=self.model.cameras,
            size=(config.data.height, config.data.width),
            preprocessing=PRESETS[config.data.preprocessing],
            weights=copied(kept.state_dict()),
            epoch=self.course.epochs,
            figures=figures,
            config=values,
            training=training,
            sides=self.sides,
        )

    def restore(self, checkpoint: Checkpoint, config: TrainingConfig) -> None:
        """Become what a whole checkpoint holds.

        Raises:
            ModelError: it is that of another network, optimizer or data set, or cannot be resumed.
        """
        saved = checkpoint.training
        if not saved:
            raise ModelError("this checkpoint is for use alone and cannot be resumed; last.pt can")
        check_same_network(checkpoint, config, self.model)
        if len(checkpoint.sides) and checkpoint.sides != self.sides:  # older files do not say
            raise ModelError("the checkpoint's side information is of other cameras or views than here")
        check_same_pictures(saved.get("pictures"), self.pictures)
        with fitting("this configuration's network, optimizer or losses"):
            self.restore_learnt(checkpoint)
            self.recipe.load_state_dict(saved["recipe"])
        self.course = Course(
            checkpoint.epoch,
            dict(saved["best"]),
            saved["best_epoch"],
            saved["stale"],
            [dict(row) for row in saved["history"]],
        )

    def learnt(self) -> dict[str, Any]:
        """What resuming needs of network, average and optimizer, beside the weights that are kept."""
        return {
            "weights": {} if self.average is None else copied(self.model.state_dict()),
            "updates": 0 if self.average is None else self.average.updates,
            "optimizer": self.optimizer.state_dict(),
        }

    def restore_learnt(self, checkpoint: Checkpoint) -> None:
        """Take network, average and optimizer from what was `learnt`; see `fitting` for what does not fit.

        Options of the optimizer stay as they are configured now.

        Raises:
            ModelError: it is that of another optimizer.
        """
        saved = checkpoint.training
        self.model.load_state_dict(saved["weights"] or checkpoint.weights)
        if self.average is not None:
            self.average.restore(checkpoint.weights, saved["updates"])
        restore_optimizer(self.optimizer, saved["optimizer"], checkpoint.config["optimizer"]["name"])


def network_options(config: TrainingConfig) -> dict[str, Any]:
    """All options of the network itself, as plain values."""
    choice = {"name", "pretrained", "trainable"}
    return {key: value for key, value in config.values()["model"].items() if key not in choice}


def check_same_network(checkpoint: Checkpoint, config: TrainingConfig, model: ReIDModel) -> None:
    """Refuse a checkpoint of another network.

    Raises:
        ModelError: saying what differs.
    """
    here = {
        "model": (checkpoint.model, config.model.name),
        **{
            f"model.{key}": (checkpoint.options.get(key), value)
            for key, value in network_options(config).items()
        },
        "training identities": (checkpoint.classes, model.classes),
        "cameras": (checkpoint.cameras, model.cameras),
    }
    other = [
        f"{name} {there!r}, here {wanted!r}" for name, (there, wanted) in here.items() if there != wanted
    ]
    if other:
        raise ModelError(f"the checkpoint is of another network: {'; '.join(other)}")
