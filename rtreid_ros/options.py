"""One source of defaults: frozen dataclasses whose fields describe themselves.

A stage's options are a dataclass of `option` fields. Command-line flags, the YAML in ``config/``,
ROS parameters with their descriptions and ranges, and ``create_tracker(name, **options)`` all
follow from it through `describe` and `build`.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from rtreid_ros.errors import ConfigError
from rtreid_ros.registry import suggest

T = TypeVar("T")


def option(
    default: Any,
    help: str,  # noqa: A002 (the word argparse and ROS descriptors use)
    *,
    ge: float | None = None,
    le: float | None = None,
    choices: tuple[str, ...] | None = None,
    search: tuple[float, float] | list[Any] | None = None,
    live: bool = False,
) -> Any:
    """A dataclass field with a default, a description (with its unit) and the values it allows.

    `search` says where ``rtreid tune`` looks: a pair is a range, ends included; a list its values,
    an empty one none but the default. Without it, floats with both bounds are searched between
    them, switches and choices over all values, and everything else stays at its default. `live` says that
    it may change while its owner works.
    """
    metadata = {"help": help, "ge": ge, "le": le, "choices": choices, "search": search, "live": live}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Option:
    """One described option: `kind` is bool, int, float, str or tuple (of str)."""

    name: str
    kind: Any  # a class; Any, because isinstance() with it narrows values to object
    default: Any
    help: str
    ge: float | None
    le: float | None
    choices: tuple[str, ...] | None
    search: tuple[float, float] | list[Any] | None = None
    live: bool = False

    def check(self, value: Any) -> Any:
        """`value` as this option's type; what is taken for a list, `as_items` says.

        Raises:
            ConfigError: wrong type or out of range; the message says what is allowed.
        """
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.kind is tuple:
            value = as_items(value)
        if not isinstance(value, self.kind) or (self.kind is not bool and isinstance(value, bool)):
            raise ConfigError(f"{self.name} must be {self._wanted()}, got {value!r}")
        if self.kind is tuple and not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{self.name} must be a list of strings, got {value!r}")
        if self.choices is not None:
            for item in value if self.kind is tuple else (value,):
                if item not in self.choices:
                    hint = suggest(str(item), list(self.choices))
                    raise ConfigError(
                        f"{self.name} must be one of {', '.join(self.choices)}, got {item!r}{hint}"
                    )
        # written so that NaN fails
        if (self.ge is not None and not value >= self.ge) or (self.le is not None and not value <= self.le):
            raise ConfigError(f"{self.name} must be {self._wanted()}, got {value!r}")
        return value

    def parse(self, text: str) -> Any:
        """The value that `text` stands for.

        Raises:
            ConfigError: as `check`.
        """
        value: Any = text
        if self.kind is bool:
            value = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
                text.lower(), text
            )
        elif self.kind in (int, float):
            try:
                value = self.kind(text)
            except ValueError:
                value = text  # check() says what was expected
        return self.check(value)

    def _wanted(self) -> str:
        noun = {
            bool: "true or false",
            int: "an integer",
            float: "a number",
            str: "a string",
            tuple: "a list of strings",
        }
        text = noun[self.kind]
        if self.ge is not None:
            text += f" >= {self.ge:g}"
        if self.le is not None:
            text += f"{' and' if self.ge is not None else ''} <= {self.le:g}"
        return text


def as_items(value: Any) -> Any:
    """The items of a list of strings, however it was given: the one rule of files, flags and parameters.

    Text is separated by commas; a number, as class ids are, stands for its text. What can be neither is
    left as it is, for `Option.check` to refuse.
    """
    if isinstance(value, str):
        return tuple(item.strip() for item in value.split(",") if item.strip())
    if _is_number(value):
        return (str(value),)
    if isinstance(value, list | tuple):
        return tuple(str(item) if _is_number(item) else item for item in value)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def describe(cls: type) -> list[Option]:
    """The options of a dataclass, in order of declaration."""
    hints = typing.get_type_hints(cls)
    described = []
    for item in fields(cls):
        hint = hints[item.name]
        kind = typing.get_origin(hint) or hint
        if kind in (typing.Union, types.UnionType) or kind not in (bool, int, float, str, tuple):
            raise TypeError(
                f"{cls.__name__}.{item.name}: options are bool, int, float, str or tuple[str, ...]"
            )
        if item.default is MISSING:
            raise TypeError(f"{cls.__name__}.{item.name} has no default")
        meta = item.metadata
        described.append(Option(item.name, kind, item.default, **meta))
    return described


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance of the options dataclass `cls` from plain values.

    Raises:
        ConfigError: a name `cls` does not have (the nearest is suggested) or a value it refuses.
    """
    return cls(**{name: _find(cls, name).check(value) for name, value in values.items()})


def build_from_text(cls: type[T], values: Mapping[str, str]) -> T:
    """The same from text, as typed on a command line.

    Raises:
        ConfigError: as `build`.
    """
    return cls(**{name: _find(cls, name).parse(value) for name, value in values.items()})


def _find(cls: type, name: str) -> Option:
    known = {item.name: item for item in describe(cls)}
    if name not in known:
        raise ConfigError(
            f"{cls.__name__} has no option {name!r}{suggest(name, list(known))}; known: {', '.join(known)}"
        )
    return known[name]
