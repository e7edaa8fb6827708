"""The configuration of a training, read from a YAML file and ``section.key=value``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from rtreid_ros.datasets.identities import DATASETS, IdentityOptions
from rtreid_ros.errors import ConfigError
from rtreid_ros.gan.augmentation import ViewOptions
from rtreid_ros.gan.features import FeatureOptions
from rtreid_ros.gan.groups import GroupOptions
from rtreid_ros.gan.networks import DISCRIMINATORS, GENERATORS, EncoderOptions
from rtreid_ros.gan.objectives import OBJECTIVES, ObjectiveOptions
from rtreid_ros.gan.training.options import (
    DataOptions,
    DiscriminatorChoice,
    GanScheduleOptions,
    GeneratorChoice,
    JudgingOptions,
    ObjectiveChoice,
    OptimizerOptions,
    TrainingOptions,
)
from rtreid_ros.installed import shared_folders
from rtreid_ros.options import Option, build, describe
from rtreid_ros.registry import suggest

__all__ = ["GanConfig", "built_in_configs", "find_config", "read_config"]

SECTIONS: Mapping[str, type] = {
    "data": DataOptions,
    "groups": GroupOptions,
    "generator": GeneratorChoice,
    "discriminator": DiscriminatorChoice,
    "encoder": EncoderOptions,
    "objective": ObjectiveChoice,
    "views": ViewOptions,
    "optimizer": OptimizerOptions,
    "schedule": GanScheduleOptions,
    "judging": JudgingOptions,
    "training": TrainingOptions,
}

OPEN: Mapping[str, Callable[[Any], type]] = {
    "data": lambda chosen: DATASETS[chosen.dataset].Options,
    "generator": lambda chosen: GENERATORS[chosen.name].Options,
    "discriminator": lambda chosen: DISCRIMINATORS[chosen.name].Options,
    "objective": lambda chosen: OBJECTIVES[chosen.name].Options,
}
"""Sections in which the options of what is named there stand, too."""


@dataclass(frozen=True, slots=True)
class GanConfig:
    """A checked configuration.

    Attributes:
        data: which pictures.
        groups: what a conditional generator is told.
        generator: which one.
        discriminator: which one.
        encoder: of objectives with one.
        objective: which one.
        views: what the discriminator sees of pictures.
        optimizer: steps.
        schedule: learning rates.
        judging: comparison with real pictures.
        training: the loop.
        own: by section, the options of what is named there.
    """

    data: DataOptions
    groups: GroupOptions
    generator: GeneratorChoice
    discriminator: DiscriminatorChoice
    encoder: EncoderOptions
    objective: ObjectiveChoice
    views: ViewOptions
    optimizer: OptimizerOptions
    schedule: GanScheduleOptions
    judging: JudgingOptions
    training: TrainingOptions
    own: Mapping[str, Any]

    @property
    def dataset(self) -> IdentityOptions:
        """The data set's own options."""
        options: IdentityOptions = self.own["data"]
        return options

    @property
    def objective_options(self) -> ObjectiveOptions:
        """The objective's own options."""
        options: ObjectiveOptions = self.own["objective"]
        return options

    @property
    def features(self) -> FeatureOptions:
        """The network that groups and judges."""
        return FeatureOptions(self.judging.model, self.judging.preprocessing)

    def values(self) -> dict[str, dict[str, Any]]:
        """Everything as plain values, which `read_config` reads back to the same configuration."""
        sections = {name: _plain(getattr(self, name)) for name in SECTIONS}
        for name, options in self.own.items():
            sections[name] |= _plain(options)
        return sections

    def text(self) -> str:
        """The same as YAML; each option with what it does as a comment."""
        lines = []
        for section, values in self.values().items():
            lines.append(f"{section}:")
            described = describe(SECTIONS[section])
            if section in self.own:
                described += describe(type(self.own[section]))
            for item in described:
                allowed = f" ({', '.join(item.choices)})" if item.choices else ""
                value = yaml.safe_dump([values[item.name]], default_flow_style=True, width=10_000)
                lines += [f"  # {item.help}{allowed}", f"  {item.name}: {value.strip()[1:-1]}"]
        return "\n".join(lines) + "\n"


def built_in_configs() -> dict[str, Path]:
    """The configurations that come with this package, by name."""
    for folder in shared_folders("config"):
        if files := sorted((folder / "gan").glob("*.yaml")):
            return {path.stem: path for path in files}
    return {}


def find_config(name: str) -> Path:
    """The file that `name` means: a path, or the name of a built-in configuration.

    Raises:
        ConfigError: there is neither.
    """
    path, known = Path(name).expanduser(), built_in_configs()
    if path.is_file():
        return path
    if name in known:
        return known[name]
    raise ConfigError(
        f"no configuration {name!r}{suggest(name, list(known))}; give a YAML file, or one of "
        f"{', '.join(known) or '(none installed)'}"
    )


def read_config(source: Path | str | Mapping[str, Any], overrides: Iterable[str] = ()) -> GanConfig:
    """A checked configuration; whatever is not given has its default.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        overrides: ``section.key=value`` as typed.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed.
    """
    given = _sections(source)
    for text in overrides:
        section, name, word = _split(text)
        given[section][name] = _Typed(word)
    sections: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for section, cls in SECTIONS.items():
        values, known = given[section], _names(cls)
        inner = {key: value for key, value in values.items() if key in known}
        rest = {key: value for key, value in values.items() if key not in known}
        sections[section] = _build(cls, section, inner if section in OPEN else values, known)
        if section in OPEN:
            options = OPEN[section](sections[section])
            own[section] = _build(options, section, rest, [*known, *_names(options)])
    return GanConfig(own=own, **sections)


class _Typed(str):
    """Text from the command line, still to be parsed."""

    __slots__ = ()


def _sections(source: Path | str | Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Plain values of every section, those not given empty."""
    where = "configuration"
    content: Any = source
    try:
        if isinstance(source, Path):
            where, content = str(source), source.read_text(encoding="utf-8")
        if isinstance(content, str):
            content = yaml.safe_load(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{where}: cannot be read as YAML ({error})") from None
    content = {} if content is None else content
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: expected sections ({', '.join(SECTIONS)}), got {content!r:.80}")
    given: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for section, values in content.items():
        _check_section(str(section), f"{where}: ")
        if not isinstance(values, Mapping | None):
            raise ConfigError(f"{where}: {section} must be a mapping of options, got {values!r}")
        given[section] = dict(values or {})
    return given


def _split(text: str) -> tuple[str, str, str]:
    """Section, name and word of ``section.key=value``."""
    key, equals, word = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not equals or not dot or not name:
        raise ConfigError(f"expected section.key=value, got {text!r}")
    _check_section(section)
    return section, name, word.strip()


def _check_section(section: str, where: str = "") -> None:
    if section not in SECTIONS:
        known = list(SECTIONS)
        raise ConfigError(
            f"{where}no section {section!r}{suggest(section, known)}; known: {', '.join(known)}"
        )


def _build(cls: type, section: str, values: Mapping[str, Any], known: list[str]) -> Any:
    """An instance of `cls`; complaints name the section."""
    described = {item.name: item for item in describe(cls)}
    for name in values:
        if name not in described:
            raise ConfigError(
                f"{section} has no option {name!r}{suggest(str(name), known)}; known: {', '.join(known)}"
            )
    try:
        return build(cls, {name: _value(described[name], value) for name, value in values.items()})
    except ConfigError as error:
        raise ConfigError(f"{section}: {error}") from None


def _value(item: Option, value: Any) -> Any:
    if isinstance(value, _Typed):
        return item.parse(str(value))
    if item.kind is tuple and isinstance(value, list | tuple):
        return tuple(str(part) for part in value)  # milestones: [40, 70]
    return value


def _names(cls: type) -> list[str]:
    return [item.name for item in describe(cls)]


def _plain(options: Any) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in asdict(options).items()
    }
