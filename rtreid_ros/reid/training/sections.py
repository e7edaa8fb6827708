"""The sections of a training's configuration, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtreid_ros.configuration import option_lines, plain_values
from rtreid_ros.datasets.identities import IdentityOptions
from rtreid_ros.reid.data.augmentation import AugmentationOptions
from rtreid_ros.reid.data.sampler import SamplerOptions
from rtreid_ros.reid.losses import LossOptions
from rtreid_ros.reid.models import ModelOptions
from rtreid_ros.reid.training.options import (
    DataOptions,
    ModelChoice,
    OptimizerOptions,
    ScheduleOptions,
    SyntheticOptions,
    TrainingOptions,
)

SECTIONS: Mapping[str, type] = {
    "data": DataOptions,
    "model": ModelChoice,
    "sampler": SamplerOptions,
    "synthetic": SyntheticOptions,
    "augmentation": AugmentationOptions,
    "optimizer": OptimizerOptions,
    "schedule": ScheduleOptions,
    "training": TrainingOptions,
}
"""Sections with fixed names; ``losses`` is one more, a mapping of losses to their options."""

DEFAULT_LOSSES: Mapping[str, Mapping[str, Any]] = {"cross_entropy": {}, "triplet": {}}
"""Where a configuration names none."""


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """A checked configuration.

    Attributes:
        data: which pictures.
        dataset: the data set's own options, an instance of ``DATASETS[data.dataset].Options``.
        model: which network.
        network: its own options, an instance of ``MODELS[model.name].cls.Options``.
        sampler: batches.
        synthetic: generated pictures in them.
        augmentation: what is done to pictures.
        losses: options of each loss by its name.
        optimizer: steps.
        schedule: learning rate.
        training: the loop.
    """

    data: DataOptions
    dataset: IdentityOptions
    model: ModelChoice
    network: ModelOptions
    sampler: SamplerOptions
    synthetic: SyntheticOptions
    augmentation: AugmentationOptions
    losses: Mapping[str, LossOptions]
    optimizer: OptimizerOptions
    schedule: ScheduleOptions
    training: TrainingOptions

    def values(self) -> dict[str, dict[str, Any]]:
        """Everything as plain values, which `read_config` reads back to the same configuration."""
        sections = {name: plain_values(*self._options(name)) for name in SECTIONS}
        losses = {"losses": {name: plain_values(options) for name, options in self.losses.items()}}
        return {**sections, **losses}

    def text(self) -> str:
        """The same as YAML; each option with what it does as a comment."""
        lines = []
        for section, values in self.values().items():
            lines.append(f"{section}:")
            if section == "losses":
                for name, options in values.items():
                    lines += [f"  {name}:", *option_lines(options, type(self.losses[name]), indent=4)]
            else:
                lines += option_lines(values, *map(type, self._options(section)))
        return "\n".join(lines) + "\n"

    def _options(self, section: str) -> list[Any]:
        """What makes up a section: its own options, and those of what is named in it."""
        named: dict[str, list[Any]] = {"data": [self.dataset], "model": [self.network]}
        return [getattr(self, section), *named.get(section, [])]
