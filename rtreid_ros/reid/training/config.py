"""The configuration of a training, read from a YAML file and ``section.key=value``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from rtreid_ros.datasets.identities import DATASETS
from rtreid_ros.errors import ConfigError
from rtreid_ros.installed import shared_folders
from rtreid_ros.options import Option, build, describe
from rtreid_ros.registry import suggest
from rtreid_ros.reid.losses import LOSSES
from rtreid_ros.reid.models import MODELS
from rtreid_ros.reid.training.options import DataOptions
from rtreid_ros.reid.training.sections import DEFAULT_LOSSES, OPEN, SECTIONS, TrainingConfig

__all__ = ["TrainingConfig", "built_in_configs", "find_config", "read_config"]

OFF = "off"
"""``losses.NAME=off`` takes a loss out."""


def built_in_configs(kind: str = "reid") -> dict[str, Path]:
    """The configurations that come with this package, by name; `kind` is their folder in ``config``."""
    for folder in shared_folders("config"):
        if files := sorted((folder / kind).glob("*.yaml")):
            return {path.stem: path for path in files}
    return {}


def find_config(name: str, kind: str = "reid") -> Path:
    """The file that `name` means: a path, or the name of a built-in configuration of this kind.

    Raises:
        ConfigError: there is neither.
    """
    path, known = Path(name).expanduser(), built_in_configs(kind)
    if path.is_file():
        return path
    if name in known:
        return known[name]
    raise ConfigError(
        f"no configuration {name!r}{suggest(name, list(known))}; give a YAML file, or one of "
        f"{', '.join(known) or '(none installed)'}"
    )


def read_config(source: str | Path | Mapping[str, Any], overrides: Iterable[str] = ()) -> TrainingConfig:
    """A checked configuration; whatever is not given has its default.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        overrides: ``section.key=value`` as typed, or ``losses.NAME.key=value``; ``losses.NAME=off`` takes
            a loss out, ``losses.NAME=on`` brings one in with its defaults.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed.
    """
    given = _sections(source)
    for text in overrides:
        _override(given, text)
    sections: dict[str, Any] = {}
    rest: dict[str, dict[str, Any]] = {}
    for name, cls in SECTIONS.items():
        named = _names(cls) if name in OPEN else list(given[name])
        sections[name] = _build(cls, name, {key: given[name][key] for key in given[name] if key in named})
        rest[name] = {key: value for key, value in given[name].items() if key not in named}
    entry, reader = MODELS[sections["model"].name], DATASETS[sections["data"].dataset]
    own = {**entry.preset, **_size(entry.cls.Options, sections["data"]), **rest["model"]}
    sections["network"] = _build_rest("model", entry.cls.Options, own)
    sections["dataset"] = _build_rest("data", reader.Options, rest["data"])
    losses = {
        name: _build(LOSSES[name].Options, f"losses.{name}", options)
        for name, options in given["losses"].items()
    }
    if not losses:
        raise ConfigError(f"losses: at least one is needed; known: {', '.join(LOSSES)}")
    return TrainingConfig(losses=losses, **sections)


def _sections(source: str | Path | Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Plain values of every section, those not given empty."""
    where = "configuration"
    if isinstance(source, Mapping):
        content: Any = source
    else:
        try:
            if isinstance(source, Path):
                where, source = str(source), source.read_text(encoding="utf-8")
            content = yaml.safe_load(source)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"{where}: cannot be read as YAML ({error})") from None
    known = [*SECTIONS, "losses"]
    content = {} if content is None else content
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: expected sections ({', '.join(known)}), got {content!r:.80}")
    given: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for section, values in content.items():
        if section not in known:
            raise ConfigError(
                f"{where}: no section {section!r}{suggest(str(section), known)}; known: {', '.join(known)}"
            )
        given[section] = _mapping(values, f"{where}: {section}")
    losses = given.get("losses", DEFAULT_LOSSES)
    given["losses"] = {name: _mapping(values, f"losses.{name}") for name, values in losses.items()}
    return given


def _mapping(values: Any, where: str) -> dict[str, Any]:
    values = {} if values is None else values
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a mapping of options, got {values!r}")
    return dict(values)


def _override(given: dict[str, dict[str, Any]], text: str) -> None:
    """Put one ``section.key=value`` into `given`; the value is read as YAML, as in a file."""
    key, equals, word = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not equals or not dot or not name:
        raise ConfigError(f"expected section.key=value, got {text!r}")
    if section not in given:
        raise ConfigError(f"no section {section!r}{suggest(section, list(given))}; known: {', '.join(given)}")
    target, word = given[section], word.strip()
    if section == "losses":
        loss, dot, name = name.partition(".")
        LOSSES[loss]  # complains about unknown ones
        if not dot:
            if word not in ("on", OFF):
                raise ConfigError(f"losses.{loss} is on or {OFF}, or has options, got {text!r}")
            target.pop(loss, None)
            if word == "on":
                target[loss] = {}
            return
        target = target.setdefault(loss, {})
        described = {item.name: item for item in describe(LOSSES[loss].Options)}
    else:
        described = {item.name: item for item in describe(SECTIONS[section])}
        if section in OPEN and name not in described:
            target[name] = _Typed(word)  # whose option it is, is known once network and data set are
            return
    if name not in described:
        where = key.strip().rpartition(".")[0]
        raise ConfigError(_unknown(where, name, list(described)))
    target[name] = described[name].parse(word)


class _Typed(str):
    """Text from the command line, still to be parsed."""

    __slots__ = ()


def _build(cls: type, where: str, values: Mapping[str, Any], known: list[str] | None = None) -> Any:
    """An instance of `cls`; complaints name the section."""
    described = {item.name: item for item in describe(cls)}
    ready = {}
    for name, value in values.items():
        if name not in described:
            raise ConfigError(_unknown(where, str(name), known or list(described)))
        ready[name] = _value(described[name], value)
    try:
        return build(cls, ready)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _build_rest(section: str, cls: type, values: Mapping[str, Any]) -> Any:
    """An instance of the options that stand in an open section."""
    return _build(cls, section, values, [*_names(SECTIONS[section]), *_names(cls)])


def _size(cls: type, data: DataOptions) -> dict[str, Any]:
    """For networks made for one size of pictures, the size they get."""
    size = {"height": data.height, "width": data.width}
    return size if size.keys() <= set(_names(cls)) else {}


def _value(item: Option, value: Any) -> Any:
    if isinstance(value, _Typed):
        return item.parse(str(value))
    if item.kind is tuple and isinstance(value, list | tuple):
        return tuple(str(part) for part in value)  # milestones: [40, 70]
    return value


def _unknown(where: str, name: str, known: list[str]) -> str:
    return f"{where} has no option {name!r}{suggest(name, known)}; known: {', '.join(known)}"


def _names(cls: type) -> list[str]:
    return [item.name for item in describe(cls)]
