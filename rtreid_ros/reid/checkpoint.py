"""Checkpoint files of appearance networks: weights and all it takes to use or go on training them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from rtreid_ros.reid.checkpoint_file import read_content, rebuilt, understood, write_content
from rtreid_ros.reid.models import ReIDModel, create_model
from rtreid_ros.reid.preprocessing import Preprocessing
from rtreid_ros.reid.sides import Sides

FORMAT = "rtreid-reid-1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint file holds.

    Attributes:
        model: name in ``MODELS``.
        options: its options, all of them.
        classes: training identities.
        cameras: cameras of the side information.
        size: ``(height, width)`` it was trained at.
        preprocessing: how it wants its pixels.
        weights: its state dictionary: the averaged weights where the training averaged them.
        epoch: epochs done.
        figures: what validation measured, by name; ``map`` among them.
        config: the training's whole configuration, as plain values.
        training: what resuming needs (optimiser, schedule, losses, random states, raw weights); empty in
            files meant for use alone.
        sides: what the numbers of the side information stand for; older files do not say.
    """

    model: str
    options: dict[str, Any]
    classes: int
    cameras: int
    size: tuple[int, int]
    preprocessing: Preprocessing
    weights: dict[str, torch.Tensor]
    epoch: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    sides: Sides = field(default_factory=Sides)

    def create_model(self) -> ReIDModel:
        """The network with its weights, in evaluation mode, on the CPU.

        Raises:
            ModelError: the weights are those of another architecture, or no finite numbers.
        """
        return rebuilt(
            lambda: create_model(self.model, self.classes, self.cameras, **self.options),
            self.weights,
            self.model,
        )


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a file in one piece: if that fails, what was there before is untouched.

    Raises:
        SinkError: it cannot be written.
    """
    content = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    content |= {name: asdict(content[name]) for name in ("preprocessing", "sides")}
    write_content({**content, "format": FORMAT}, path)


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a file that `save_checkpoint` wrote. Nothing in it is executed.

    Raises:
        ModelError: it is missing, damaged or something else.
    """
    content = read_content(path, FORMAT, "rtreid train-reid")
    with understood(path):
        values = content.pop("preprocessing")
        values.update({name: tuple(values[name]) for name in ("mean", "std")})
        content["size"] = tuple(content["size"])
        sides = Sides(**content.pop("sides", {}))
        return Checkpoint(preprocessing=Preprocessing(**values), sides=sides, **content)
