"""Checkpoint files of generators: weights and all it takes to use or go on training them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch

from rtreid_ros.gan.networks import Generator, create_generator
from rtreid_ros.reid.checkpoint_file import read_content, rebuilt, understood, write_content

FORMAT = "rtreid-gan-1"


@dataclass(frozen=True, slots=True)
class GanCheckpoint:
    """What a checkpoint file holds.

    Attributes:
        generator: name in ``GENERATORS``.
        options: its options, all of them.
        size: ``(height, width)`` of its pictures.
        grouped: what groups are of: ``none``, ``appearance`` or ``camera``.
        counts: training pictures of each group; empty where it is not conditional.
        weights: the generator's: the averaged ones, statistics of norms included, where they were averaged.
        epoch: epochs done.
        figures: what judging measured, by name; ``kid`` among them.
        config: the training's whole configuration, as plain values.
        training: what resuming needs; empty in files meant for use alone.
    """

    generator: str
    options: dict[str, Any]
    size: tuple[int, int]
    grouped: str
    counts: tuple[int, ...]
    weights: dict[str, torch.Tensor]
    epoch: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)

    def create_generator(self) -> Generator:
        """The network with its weights, in evaluation mode, on the processor.

        Raises:
            ModelError: the weights are those of another architecture, or no finite numbers.
        """
        return rebuilt(
            lambda: create_generator(self.generator, self.size, len(self.counts), **self.options),
            self.weights,
            self.generator,
        )


def save_gan(checkpoint: GanCheckpoint, path: Path) -> None:
    """Write a file in one piece: if that fails, what was there before is untouched.

    Raises:
        SinkError: it cannot be written.
    """
    content = {item.name: getattr(checkpoint, item.name) for item in fields(checkpoint)}
    write_content({**content, "format": FORMAT}, path)


def load_gan(path: Path) -> GanCheckpoint:
    """Read a file that `save_gan` wrote. Nothing in it is executed.

    Raises:
        ModelError: it is missing, damaged or something else.
    """
    content = read_content(path, FORMAT, "rtreid train-gan")
    with understood(path):
        content["size"], content["counts"] = tuple(content["size"]), tuple(content["counts"])
        return GanCheckpoint(**content)
