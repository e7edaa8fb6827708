"""Configurations: sections of options, read from a YAML file and ``section.key=value``, and shown again.

A configuration has a dataclass of `option` fields (`options`) for each of its sections. Which sections
there are, and what follows from one for another, is the business of the module that reads it; it

1. takes plain values with `read_sections`, and lays over them what was typed, as `read_override` reads it;
2. checks them with `build_section`, or with `build_choice` and `build_chosen` where a section names
   something whose own options stand beside the name;
3. gives them back with `plain_values`, and as commented YAML with `option_lines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml

from rtreid_ros.errors import ConfigError
from rtreid_ros.installed import shared_folders
from rtreid_ros.options import Option, build, describe
from rtreid_ros.registry import suggest

T = TypeVar("T")


class Choosing(NamedTuple):
    """How a section names something whose own options stand beside the name.

    Attributes:
        key: the option that names it.
        options: the class of the own options of each name.
    """

    key: str
    options: Callable[[str], type]


class Typed(str):
    """Text from a command line, to be parsed once it is known whose option it is.

    Attributes:
        instead: the value of the file in whose place it stands; None = the file has none.
    """

    instead: Any = None


class Override(NamedTuple):
    """One ``section.key=value``; `name` is all between the first dot and ``=``."""

    section: str
    name: str
    word: Typed

    def lay_over(self, values: dict[str, Any]) -> None:
        """Put it in the place of what the section's `values` from a file say."""
        before = values.get(self.name)
        self.word.instead = before.instead if isinstance(before, Typed) else before
        values[self.name] = self.word


def built_in_configs(kind: str) -> dict[str, Path]:
    """The configurations that come with this package, by name; `kind` is their folder in ``config``."""
    for folder in shared_folders("config"):
        if files := sorted((folder / kind).glob("*.yaml")):
            return {path.stem: path for path in files}
    return {}


def find_config(name: str, kind: str) -> Path:
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


def read_sections(
    source: str | Path | Mapping[str, Any],
    known: Iterable[str],
    defaults: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Plain values of every section, unchecked; new dictionaries, to lay overrides over.

    Args:
        source: a YAML file, its text, or the plain values themselves.
        known: the sections there are.
        defaults: what sections hold that are not given at all; others are empty then.

    Raises:
        ConfigError: the file is unreadable, or holds something else than known sections of options.
    """
    where = str(source) if isinstance(source, Path) else "configuration"
    content, known = _content(source, where), list(known)
    if not isinstance(content, Mapping):
        raise ConfigError(f"{where}: expected sections ({', '.join(known)}), got {content!r:.80}")
    given = {name: dict((defaults or {}).get(name, {})) for name in known}
    for name, values in content.items():
        _check_section(str(name), known, f"{where}: ")
        given[name] = as_mapping(values, f"{where}: {name}")
    return given


def as_mapping(values: Any, where: str) -> dict[str, Any]:
    """A copy of the options given; those of an empty place in a YAML file are none.

    Raises:
        ConfigError: it is no mapping.
    """
    values = {} if values is None else values
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a mapping of options, got {values!r}")
    return dict(values)


def read_override(text: str, known: Iterable[str]) -> Override:
    """What a ``section.key=value`` says, as typed; `known` are the sections there are.

    Raises:
        ConfigError: it is not of that form, or of no known section.
    """
    key, equals, word = text.partition("=")
    section, dot, name = key.strip().partition(".")
    if not equals or not dot or not name:
        raise ConfigError(f"expected section.key=value, got {text!r}")
    _check_section(section, list(known))
    return Override(section, name, Typed(word.strip()))


def build_section(
    cls: type[T], section: str, values: Mapping[str, Any], known: Iterable[str] | None = None
) -> T:
    """An instance of the options dataclass `cls`; complaints name the section.

    Args:
        cls: see there.
        section: its name.
        values: plain, or `Typed`.
        known: names for the complaint about an unknown one, if not those of `cls` alone.

    Raises:
        ConfigError: a name `cls` does not have (the nearest is suggested) or a value it refuses.
    """
    described = {item.name: item for item in describe(cls)}
    for name in values:
        if name not in described:
            names = list(described if known is None else known)
            raise ConfigError(
                f"{section} has no option {str(name)!r}{suggest(str(name), names)}; known: {', '.join(names)}"
            )
    try:
        return build(
            cls,
            {
                # what was typed is parsed now that it is known whose it is
                name: described[name].parse(str(value)) if isinstance(value, Typed) else value
                for name, value in values.items()
            },
        )
    except ConfigError as error:
        raise ConfigError(f"{section}: {error}") from None


def build_choice(
    cls: type[T], section: str, values: Mapping[str, Any], choosing: Choosing
) -> tuple[T, dict[str, Any]]:
    """An instance of `cls`, which names something, and the values left over for what it names.

    Where the name was typed in the place of another, only such options of what was named before stay as what
    is named now shares, in name and meaning.

    Raises:
        ConfigError: `cls` refuses a value.
    """
    named = _names(cls)
    choice = build_section(cls, section, {name: values[name] for name in values if name in named})
    rest = {name: values[name] for name in values if name not in named}
    word = values.get(choosing.key)
    if isinstance(word, Typed):
        default = next(item.default for item in describe(cls) if item.name == choosing.key)
        before, now = (_meanings(choosing.options(name)) for name in (word.instead or default, str(word)))
        rest = {
            name: value
            for name, value in rest.items()
            if isinstance(value, Typed) or name not in before or before[name] == now.get(name)
        }
    return choice, rest


def build_chosen(cls: type[T], section: str, values: Mapping[str, Any], choice: Any) -> T:
    """An instance of `cls`, the options of what `choice` of the same section names.

    Raises:
        ConfigError: as `build_section`; what is known are the options of both.
    """
    return build_section(cls, section, values, [*_names(type(choice)), *_names(cls)])


def plain_values(*options: Any) -> dict[str, Any]:
    """Values of dataclasses that make up one section, as YAML and `read_sections` take them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for part in options
        for name, value in asdict(part).items()
    }


def option_lines(values: Mapping[str, Any], *described: type, indent: int = 2) -> list[str]:
    """Plain values as lines of YAML; above each option of the classes `described`, what it does."""
    helps = {item.name: _help(item) for cls in described for item in describe(cls)}
    margin, lines = " " * indent, []
    for name, value in values.items():
        if name in helps:
            lines.append(f"{margin}# {helps[name]}")
        # wide, so that nothing is wrapped; in the flow style, of which the braces are taken off
        pair = yaml.safe_dump({name: value}, default_flow_style=True, width=10_000).strip()
        lines.append(f"{margin}{pair[1:-1]}")
    return lines


def _content(source: str | Path | Mapping[str, Any], where: str) -> Any:
    if isinstance(source, Mapping):
        return source
    try:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        content = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{where}: cannot be read as YAML ({error})") from None
    return {} if content is None else content


def _check_section(name: str, known: list[str], where: str = "") -> None:
    if name not in known:
        raise ConfigError(f"{where}no section {name!r}{suggest(name, known)}; known: {', '.join(known)}")


def _names(cls: type) -> list[str]:
    return [item.name for item in describe(cls)]


def _meanings(cls: type) -> dict[str, tuple[Any, ...]]:
    """What the options of a class are about, their defaults apart."""
    return {item.name: (item.help, item.kind, item.choices, item.ge, item.le) for item in describe(cls)}


def _help(item: Option) -> str:
    return item.help + (f" ({', '.join(item.choices)})" if item.choices else "")
