"""The configuration of a training, read from a YAML file and ``section.key=value``."""

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

KIND = "gan"
"""Folder of the built-in configurations."""

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

OPEN: Mapping[str, Choosing] = {
    "data": Choosing("dataset", lambda name: DATASETS[name].Options),
    "generator": Choosing("name", lambda name: GENERATORS[name].Options),
    "discriminator": Choosing("name", lambda name: DISCRIMINATORS[name].Options),
    "objective": Choosing("name", lambda name: OBJECTIVES[name].Options),
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
        return {name: plain_values(*self._options(name)) for name in SECTIONS}

    def text(self) -> str:
        """The same as YAML; each option with what it does as a comment."""
        lines = []
        for section, values in self.values().items():
            lines += [f"{section}:", *option_lines(values, *map(type, self._options(section)))]
        return "\n".join(lines) + "\n"

    def _options(self, section: str) -> list[Any]:
        """What makes up a section."""
        return [getattr(self, section), *([self.own[section]] if section in self.own else [])]


def read_config(source: Path | str | Mapping[str, Any], overrides: Iterable[str] = ()) -> GanConfig:
    """A checked configuration; whatever is not given has its default.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        overrides: ``section.key=value`` as typed.

    Raises:
        ConfigError: the file is unreadable, or a name or value is not allowed.
    """
    given = read_sections(source, SECTIONS)
    for text in overrides:
        override = read_override(text, SECTIONS)
        override.lay_over(given[override.section])
    sections: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for section, cls in SECTIONS.items():
        if section in OPEN:
            choosing = OPEN[section]
            sections[section], rest = build_choice(cls, section, given[section], choosing)
            options = choosing.options(getattr(sections[section], choosing.key))
            own[section] = build_chosen(options, section, rest, sections[section])
        else:
            sections[section] = build_section(cls, section, given[section])
    return GanConfig(own=own, **sections)
