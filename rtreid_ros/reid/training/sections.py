"""The sections of a training's configuration, and all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import yaml

from rtreid_ros.datasets.identities import IdentityOptions
from rtreid_ros.options import Option, describe
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

OPEN = ("data", "model")
"""Sections in which the options of what is named there stand, too."""

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
        sections = {name: _plain(getattr(self, name)) for name in SECTIONS}
        for name, options in self._open().items():
            sections[name] |= _plain(options)
        losses = {"losses": {name: _plain(options) for name, options in self.losses.items()}}
        return {**sections, **losses}

    def text(self) -> str:
        """The same as YAML; each option with what it does as a comment."""
        lines = []
        for section, values in self.values().items():
            lines.append(f"{section}:")
            if section == "losses":
                for name, options in values.items():
                    lines.append(f"  {name}:")
                    lines += _commented(describe(type(self.losses[name])), options, 4)
            else:
                lines += _commented(describe(SECTIONS[section]), values, 2)
                if section in self._open():
                    lines += _commented(describe(type(self._open()[section])), values, 2)
        return "\n".join(lines) + "\n"

    def _open(self) -> dict[str, Any]:
        """Options that stand in a section because of a name in it."""
        return {"data": self.dataset, "model": self.network}


def _plain(options: Any) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options).items()
    }


def _commented(described: Iterable[Option], values: Mapping[str, Any], indent: int) -> list[str]:
    lines = []
    for item in described:
        allowed = f" ({', '.join(item.choices)})" if item.choices else ""
        value = yaml.safe_dump([values[item.name]], default_flow_style=True, width=10_000).strip()[1:-1]
        lines += [f"{' ' * indent}# {item.help}{allowed}", f"{' ' * indent}{item.name}: {value}"]
    return lines
