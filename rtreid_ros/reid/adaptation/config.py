"""The configuration of an adaptation, read from a YAML file and ``section.key=value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from rtreid_ros.datasets.identities import DATASETS, IdentityOptions
from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.options import build, describe
from rtreid_ros.registry import suggest
from rtreid_ros.reid.adaptation.clusters import ClusterOptions
from rtreid_ros.reid.adaptation.options import NONE, AdaptationOptions, PicturesOptions
from rtreid_ros.reid.checkpoint import Checkpoint, load_checkpoint
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.sections import TrainingConfig

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
            found[name] = {**asdict(getattr(self, name)), **asdict(getattr(self, f"{name}_own"))}
        for name in OWN:
            found[name] = asdict(getattr(self, name))
        return found

    def text(self) -> str:
        """The same as YAML; each option of the sections of adaptations with what it does as a comment."""
        helps = {name: _helps(cls) for name, cls in OWN.items()}
        helps |= {name: _helps(PicturesOptions) for name in PICTURES}
        lines = []
        for section, values in self.values().items():
            lines.append(f"{section}:")
            for key, value in values.items():
                comment = helps.get(section, {}).get(key)
                lines += [f"  # {comment}"] if comment else []
                plain = list(value) if isinstance(value, tuple) else value
                dumped = yaml.safe_dump({key: plain}, default_flow_style=True, width=10_000).strip()
                lines.append(f"  {dumped[1:-1]}")
        return "\n".join(lines) + "\n"


def _helps(cls: type) -> dict[str, str]:
    return {
        item.name: item.help + (f" ({', '.join(item.choices)})" if item.choices else "")
        for item in describe(cls)
    }


def read_adaptation(
    source: str | Path | Mapping[str, Any], overrides: Iterable[str] = ()
) -> AdaptationConfig:
    """A checked configuration; whatever is not given has its default.

    Where ``model.pretrained`` is a checkpoint of ours, network, size of pictures and preprocessing are its.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        overrides: ``section.key=value`` as typed, as for trainings.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed, or nothing is to be adapted.
        ModelError: there is no such checkpoint.
    """
    given = _sections(source)
    passed_on: list[str] = []
    for text in overrides:
        section, _, rest = text.partition(".")
        if section in OWN or section in PICTURES:
            key, equals, word = rest.partition("=")
            if not equals or not key:
                raise ConfigError(f"expected section.key=value, got {text!r}")
            given[section][key.strip()] = _Typed(word.strip())
        elif section in LEARNING:
            passed_on.append(text)
        else:
            raise _unknown_section(section)
    pictures = {name: _pictures(name, given[name]) for name in PICTURES}
    own = {name: _build(cls, name, given[name]) for name, cls in OWN.items()}
    learning = _learning(given, passed_on, own["adaptation"])
    return AdaptationConfig(
        learning,
        *pictures["source"],
        *pictures["evaluation"],
        clusters=own["clusters"],
        adaptation=own["adaptation"],
    )


def find_start(config: TrainingConfig) -> Checkpoint | None:
    """The checkpoint of ours that is to be adapted; None: weights of others."""
    try:
        return load_checkpoint(Path(config.model.pretrained).expanduser())
    except ModelError:
        return None


class _Typed(str):
    """Text from the command line, still to be parsed."""

    __slots__ = ()


def _sections(source: str | Path | Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    where, content = "configuration", source
    if not isinstance(source, Mapping):
        try:
            if isinstance(source, Path):
                where, source = str(source), source.read_text(encoding="utf-8")
            content = yaml.safe_load(source)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"{where}: cannot be read as YAML ({error})") from None
    content = {} if content is None else content
    known = [*LEARNING, *PICTURES, *OWN]
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: expected sections ({', '.join(known)}), got {content!r:.80}")
    given: dict[str, dict[str, Any]] = {name: {} for name in known}
    for name, values in content.items():
        if name not in known:
            raise _unknown_section(str(name))
        if values is not None and not isinstance(values, Mapping):
            raise ConfigError(f"{where}: {name} must be a mapping of options, got {values!r}")
        given[name] = dict(values or {})
    return given


def _unknown_section(name: str) -> ConfigError:
    known = [*LEARNING, *PICTURES, *OWN]
    return ConfigError(f"no section {name!r}{suggest(name, known)}; known: {', '.join(known)}")


def _pictures(section: str, given: Mapping[str, Any]) -> tuple[PicturesOptions, IdentityOptions]:
    named = [item.name for item in describe(PicturesOptions)]
    options = _build(PicturesOptions, section, {key: given[key] for key in given if key in named})
    reader = IdentityOptions if options.dataset == NONE else DATASETS[options.dataset].Options
    return options, _build(reader, section, {key: given[key] for key in given if key not in named})


def _build(cls: type, where: str, values: Mapping[str, Any]) -> Any:
    described = {item.name: item for item in describe(cls)}
    ready = {}
    for name, value in values.items():
        if name not in described:
            hint = suggest(name, list(described))
            raise ConfigError(f"{where} has no option {name!r}{hint}; known: {', '.join(described)}")
        try:
            ready[name] = described[name].parse(str(value)) if isinstance(value, _Typed) else value
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
    try:
        return build(cls, ready)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _learning(
    given: Mapping[str, Mapping[str, Any]], overrides: list[str], options: AdaptationOptions
) -> TrainingConfig:
    """The sections of a training, begun with what the checkpoint says."""
    values: dict[str, Any] = {name: dict(given[name]) for name in LEARNING}
    values["losses"] = values["losses"] or {"cluster_contrast": {}}
    start = values["model"].get("pretrained", "")
    for text in overrides:
        key, _, word = text.partition("=")
        if key.strip() == "model.pretrained":
            start = word.strip()
    if not start:
        raise ConfigError("what is to be adapted? Give model.pretrained=best.pt, of rtreid train-reid")
    values["data"], values["model"] = _begin(start, values["data"], values["model"], overrides)
    values["training"] = {
        "epochs": options.rounds,
        "validate_every": 0,
        **{
            name: getattr(options, name)
            for name in ("seed", "ema", "precision", "channels_last", "device", "threads", "tensorboard")
        },
    }
    learning = read_config(values, overrides)
    if learning.data.frames or learning.data.side != NONE:
        raise ConfigError("data: adaptation takes single pictures without side information")
    return learning


def _begin(
    start: str, data: dict[str, Any], model: dict[str, Any], overrides: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Sections `data` and `model` with what a checkpoint of ours says where nothing is given."""
    named = {key.strip(): word.strip() for key, _, word in (text.partition("=") for text in overrides)}
    if named.get("data.dataset", data.get("dataset")) in UNLABELLED:
        data = {"split": "all", **data}
    path = Path(start).expanduser()
    if start == "imagenet" or start.startswith(("http://", "https://")):
        return data, model
    if not path.is_file():
        raise ModelError(f"model.pretrained: no file {path}")
    try:
        checkpoint = load_checkpoint(path)
    except ModelError:
        return data, model  # weights of others, which are looked at when they are loaded
    preset = next((name for name, value in PRESETS.items() if value == checkpoint.preprocessing), None)
    prepared = {} if preset is None else {"preprocessing": preset}
    height, width = checkpoint.size
    data = {"height": height, "width": width, **prepared, **data}
    if named.get("model.name", model.get("name", checkpoint.model)) == checkpoint.model:
        model = {"name": checkpoint.model, **checkpoint.options, **model}
    return data, model
