"""Checkpoint files of appearance networks: weights and all it takes to use or go on training them."""

from __future__ import annotations

import os
import pickle
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from rtreid_ros.errors import ModelError, SinkError
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
            ModelError: the weights are those of another architecture.
        """
        with torch.random.fork_rng(devices=[]):  # first weights are drawn, only to be replaced
            model = create_model(self.model, self.classes, self.cameras, **self.options)
        try:
            model.load_state_dict(self.weights)
        except RuntimeError as error:
            raise ModelError(f"the weights do not fit {self.model}: {error}") from error
        model.eval()
        return model


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a file in one piece: if that fails, what was there before is untouched.

    Raises:
        SinkError: it cannot be written.
    """
    content = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    content |= {name: asdict(content[name]) for name in ("preprocessing", "sides")}
    write_content({**content, "format": FORMAT}, path)


def write_content(content: dict[str, Any], path: Path) -> None:
    """Write what `read_content` reads, in one piece: if that fails, what was there before is untouched.

    Raises:
        SinkError: it cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise SinkError(f"cannot write {path}: {error}") from error


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a file that `save_checkpoint` wrote. Nothing in it is executed.

    Raises:
        ModelError: it is missing, damaged or something else.
    """
    content = read_content(path, FORMAT, "rtreid train-reid")
    values = content.pop("preprocessing")
    values.update({name: tuple(values[name]) for name in ("mean", "std")})
    content["size"] = tuple(content["size"])
    sides = Sides(**content.pop("sides", {}))
    return Checkpoint(preprocessing=Preprocessing(**values), sides=sides, **content)


def read_content(path: Path, format_: str, maker: str) -> dict[str, Any]:
    """What `write_content` wrote with that format, which only `maker` makes. Nothing in it is executed.

    Raises:
        ModelError: it is missing, damaged or something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise ModelError(f"no checkpoint {path}") from None
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} is no checkpoint: {error}") from error
    if not isinstance(content, dict) or content.pop("format", None) != format_:
        raise ModelError(f"{path} is no checkpoint of {maker}")
    return content
