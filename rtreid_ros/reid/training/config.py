"""The configuration of a training, read from a YAML file and ``section.key=value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rtreid_ros import configuration
from rtreid_ros.configuration import (
    Choosing,
    Typed,
    as_mapping,
    build_choice,
    build_chosen,
    build_section,
    read_override,
    read_sections,
)
from rtreid_ros.datasets.identities import DATASETS
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import describe
from rtreid_ros.reid.losses import LOSSES
from rtreid_ros.reid.models import MODELS
from rtreid_ros.reid.training.options import DataOptions, ModelChoice
from rtreid_ros.reid.training.sections import DEFAULT_LOSSES, SECTIONS, TrainingConfig

__all__ = ["KIND", "TrainingConfig", "find_config", "read_config"]

KIND = "reid"
"""Folder of the built-in configurations."""

OF_DATASETS = Choosing("dataset", lambda name: DATASETS[name].Options)
OF_MODELS = Choosing("name", lambda name: MODELS[name].cls.Options)
"""Whose own options stand in the sections ``data`` and ``model``."""

OFF = "off"
"""``losses.NAME=off`` takes a loss out."""


def find_config(name: str, kind: str = KIND) -> Path:
    """As `configuration.find_config`; without a kind, of trainings.

    Raises:
        ConfigError: there is no such file or built-in configuration.
    """
    return configuration.find_config(name, kind)


def read_config(source: str | Path | Mapping[str, Any], overrides: Iterable[str] = ()) -> TrainingConfig:
    """A checked configuration; whatever is not given has its default.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        overrides: ``section.key=value`` as typed, or ``losses.NAME.key=value``; ``losses.NAME=off`` takes
            a loss out, ``losses.NAME=on`` brings one in with its defaults.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed.
    """
    given = read_sections(source, [*SECTIONS, "losses"], {"losses": DEFAULT_LOSSES})
    wanted = {name: as_mapping(values, f"losses.{name}") for name, values in given.pop("losses").items()}
    for text in overrides:
        override = read_override(text, [*SECTIONS, "losses"])
        if override.section == "losses":
            _override_loss(wanted, override.name, override.word)
        else:
            override.lay_over(given[override.section])
    data, of_dataset = build_choice(DataOptions, "data", given.pop("data"), OF_DATASETS)
    model, of_network = build_choice(ModelChoice, "model", given.pop("model"), OF_MODELS)
    sections: dict[str, Any] = {
        name: build_section(SECTIONS[name], name, values) for name, values in given.items()
    }
    entry = MODELS[model.name]
    of_network = {**entry.preset, **_size(entry.cls.Options, data), **of_network}
    losses = {
        name: build_section(LOSSES[name].Options, f"losses.{name}", options)
        for name, options in wanted.items()
    }
    if not losses:
        raise ConfigError(f"losses: at least one is needed; known: {', '.join(LOSSES)}")
    return TrainingConfig(
        data=data,
        dataset=build_chosen(DATASETS[data.dataset].Options, "data", of_dataset, data),
        model=model,
        network=build_chosen(entry.cls.Options, "model", of_network, model),
        losses=losses,
        **sections,
    )


def _override_loss(losses: dict[str, dict[str, Any]], name: str, word: Typed) -> None:
    """Put one ``losses.NAME.key=value``, or ``losses.NAME=on``, into `losses`."""
    loss, dot, key = name.partition(".")
    LOSSES[loss]  # complains about unknown ones
    if dot:
        losses.setdefault(loss, {})[key] = word
        return
    if word not in ("on", OFF):
        raise ConfigError(f"losses.{loss} is on or {OFF}, or has options, got 'losses.{loss}={word}'")
    losses.pop(loss, None)
    if word == "on":
        losses[loss] = {}


def _size(cls: type, data: DataOptions) -> dict[str, Any]:
    """For networks made for one size of pictures, the size they get."""
    size = {"height": data.height, "width": data.width}
    return size if size.keys() <= {item.name for item in describe(cls)} else {}
