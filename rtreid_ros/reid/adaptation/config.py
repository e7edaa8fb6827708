"""The configuration of an adaptation, read from a YAML file and ``section.key=value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rtreid_ros.configuration import (
    Choosing,
    build_choice,
    build_chosen,
    build_section,
    option_lines,
    plain_values,
    read_override,
    read_sections,
)
from rtreid_ros.datasets.identities import DATASETS, IdentityOptions
from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid.adaptation.clusters import ClusterOptions
from rtreid_ros.reid.adaptation.options import NONE, AdaptationOptions, PicturesOptions
from rtreid_ros.reid.backends import PEOPLE
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.export.reading import Exported, load_exported
from rtreid_ros.reid.models import MODELS
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.sections import TrainingConfig
from rtreid_ros.runtime.session import model_path

KIND = "adapt"
"""Folder of the built-in configurations."""

LEARNING = ("data", "model", "sampler", "augmentation", "losses", "optimizer", "schedule")
"""Sections that are those of trainings; ``data`` is the target."""

PICTURES = ("source", "evaluation")
"""Sections that name a data set, whose own options stand in them, too."""

OWN: Mapping[str, type] = {"clusters": ClusterOptions, "adaptation": AdaptationOptions}

UNLABELLED = ("tracklets", "unlabelled")
"""Data sets in which nobody is named."""


@dataclass(frozen=True, slots=True)
class AdaptationConfig:
    """A checked configuration.

    Attributes:
        learning: target (as ``data``), network, batches, losses and steps, as in a training; its section
            ``training`` follows from `adaptation`.
        source: labelled pictures to rehearse.
        source_own: the data set's own options.
        evaluation: labelled pictures that judge, and nothing else.
        evaluation_own: the data set's own options.
        clusters: how pictures become people.
        adaptation: rounds.
    """

    learning: TrainingConfig
    source: PicturesOptions
    source_own: IdentityOptions
    evaluation: PicturesOptions
    evaluation_own: IdentityOptions
    clusters: ClusterOptions
    adaptation: AdaptationOptions

    def values(self) -> dict[str, dict[str, Any]]:
        """Everything as plain values, which `read_adaptation` reads back to the same configuration."""
        found = {name: values for name, values in self.learning.values().items() if name in LEARNING}
        for name in PICTURES:
            found[name] = plain_values(getattr(self, name), getattr(self, f"{name}_own"))
        for name in OWN:
            found[name] = plain_values(getattr(self, name))
        return found

    def text(self) -> str:
        """The same as YAML; each option of the sections of adaptations with what it does as a comment."""
        described = {**OWN, **dict.fromkeys(PICTURES, PicturesOptions)}
        lines = []
        for section, values in self.values().items():
            classes = [described[section]] if section in described else []
            lines += [f"{section}:", *option_lines(values, *classes)]
        return "\n".join(lines) + "\n"


def read_adaptation(
    source: str | Path | Mapping[str, Any], overrides: Iterable[str] = (), *, begun: bool = False
) -> AdaptationConfig:
    """A checked configuration; whatever is not given has its default.

    Where ``model.pretrained`` is a checkpoint or an ONNX file of ours, network, size of pictures and
    preprocessing are its.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        overrides: ``section.key=value`` as typed, as for trainings.
        begun: it is that of an adaptation to go on with, so that the weights it began with are not needed.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed, or nothing is to be adapted,
            or a network that takes no single pictures.
        ModelError: there is no such checkpoint, or an ONNX file that cannot be trained.
    """
    known = [*LEARNING, *PICTURES, *OWN]
    given = read_sections(source, known)
    of_losses: list[str] = []
    for text in overrides:
        override = read_override(text, known)
        if override.section == "losses":
            of_losses.append(text)  # those bring losses in and take them out, too: `read_config` sees to it
        else:
            override.lay_over(given[override.section])
    pictures = {name: _pictures(name, given[name]) for name in PICTURES}
    own: dict[str, Any] = {name: build_section(cls, name, given[name]) for name, cls in OWN.items()}
    learning = _learning(given, of_losses, own["adaptation"], begun=begun)
    return AdaptationConfig(
        learning,
        *pictures["source"],
        *pictures["evaluation"],
        clusters=own["clusters"],
        adaptation=own["adaptation"],
    )


def find_start(pretrained: str) -> Exported | None:
    """The network of ours that is to be adapted; None: weights of others.

    Raises:
        ModelError: there is no such file, or an ONNX file that cannot be trained.
    """
    if pretrained == "imagenet" or pretrained.startswith(("http://", "https://")):
        return None
    if pretrained.endswith(".onnx"):
        return load_exported(model_path(pretrained, PEOPLE))
    path = Path(pretrained).expanduser()
    if not path.is_file():
        raise ModelError(f"model.pretrained: no file {path}")
    try:
        return Exported(load_checkpoint(path), ())
    except ModelError:
        return None  # they are looked at when they are loaded


def _pictures(section: str, given: Mapping[str, Any]) -> tuple[PicturesOptions, IdentityOptions]:
    options, rest = build_choice(PicturesOptions, section, given, OF_PICTURES)
    if options.dataset in UNLABELLED:
        raise ConfigError(
            f"{section}.dataset={options.dataset}: nobody is named there, so that every tracklet or picture "
            "would be a person of its own; give labelled pictures"
        )
    return options, build_chosen(_reader_options(options.dataset), section, rest, options)


def _reader_options(dataset: str) -> type[IdentityOptions]:
    return IdentityOptions if dataset == NONE else DATASETS[dataset].Options


OF_PICTURES = Choosing("dataset", _reader_options)
"""Whose own options stand in such a section."""


def _learning(
    given: Mapping[str, Mapping[str, Any]], of_losses: list[str], options: AdaptationOptions, *, begun: bool
) -> TrainingConfig:
    """The sections of a training, begun with what the checkpoint says."""
    values: dict[str, Any] = {name: dict(given[name]) for name in LEARNING}
    values["losses"] = values["losses"] or {"cluster_contrast": {}}
    if not values["model"].get("pretrained"):
        raise ConfigError(
            "what is to be adapted? Give model.pretrained=best.pt, of rtreid train-reid, or "
            f"model.pretrained={PEOPLE}, which is built in"
        )
    if not begun:
        values["data"], values["model"] = _begin(values["data"], values["model"])
    values["training"] = {
        "epochs": options.rounds,
        "validate_every": 0,
        **{
            name: getattr(options, name)
            for name in ("seed", "ema", "precision", "channels_last", "device", "threads", "tensorboard")
        },
    }
    learning = read_config(values, of_losses)
    if MODELS[learning.model.name].takes_clips:
        raise ConfigError(
            f"model.pretrained: {learning.model.name} takes clips, adaptation single pictures; adapt a "
            "network for pictures"
        )
    if learning.data.frames or learning.data.side != NONE:
        raise ConfigError("data: adaptation takes single pictures without side information")
    return learning


def _begin(data: dict[str, Any], model: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sections `data` and `model` with what a network of ours says where nothing is given."""
    if data.get("dataset") in UNLABELLED:
        data = {"split": "all", **data}
    start = find_start(str(model["pretrained"]))
    if start is None:
        return data, model
    checkpoint = start.checkpoint
    preset = next((name for name, value in PRESETS.items() if value == checkpoint.preprocessing), None)
    prepared = {} if preset is None else {"preprocessing": preset}
    height, width = checkpoint.size
    data = {"height": height, "width": width, **prepared, **data}
    if model.get("name", checkpoint.model) == checkpoint.model:
        model = {"name": checkpoint.model, **checkpoint.options, **model}
    return data, model
