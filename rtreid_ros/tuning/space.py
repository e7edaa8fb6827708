"""What is searched: ranges and values that follow from the declaration of the options."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import Option, describe
from rtreid_ros.registry import suggest

_GRAINS = 1000
"""A range is searched in steps of about this fraction, so that results have few digits."""


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`, ends included."""

    name: str
    low: float
    high: float
    integer: bool
    default: Any

    def settle(self, raw: Any) -> Any:
        """The value that is used where the search proposes `raw`: with few digits, or the default."""
        if self.integer or raw == self.default:
            return raw
        decimals = max(0, math.ceil(math.log10(_GRAINS / (self.high - self.low))))
        return min(max(round(raw, decimals), self.low), self.high)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "low": self.low, "high": self.high, "default": self.default}


@dataclass(frozen=True, slots=True)
class Values:
    """One of several values."""

    name: str
    values: tuple[Any, ...]
    default: Any

    def settle(self, raw: Any) -> Any:
        """The value itself."""
        return raw

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"name": self.name, "values": list(self.values), "default": self.default}


Dimension = Span | Values


def search_space(cls: type, only: Iterable[str] = ()) -> list[Dimension]:
    """The dimensions of the options dataclass `cls` (see `rtreid_ros.options.option`).

    The default always lies inside: a range that does not reach it is widened.

    Args:
        cls: the options.
        only: names of those to search; empty = all that have something to search.

    Raises:
        ConfigError: a name in `only` is unknown, or nothing says where to search it.
    """
    described = {item.name: item for item in describe(cls)}
    wanted = list(dict.fromkeys(only))
    for name in wanted:
        if name not in described:
            raise ConfigError(
                f"{cls.__name__} has no option {name!r}{suggest(name, list(described))}; "
                f"known: {', '.join(described)}"
            )
    found = {name: _dimension(item) for name, item in described.items()}
    space = {name: dimension for name, dimension in found.items() if dimension is not None}
    for name in wanted:
        if name not in space:
            raise ConfigError(
                f"{name} cannot be searched: it declares no range; those that do: {', '.join(space)}"
            )
    if not space:
        raise ConfigError(f"{cls.__name__} declares nothing to search")
    return [dimension for name, dimension in space.items() if not wanted or name in wanted]


def _dimension(item: Option) -> Dimension | None:
    declared = item.search
    if isinstance(declared, list):
        values = tuple(item.check(value) for value in declared)
        return _values(item, values) if values else None
    if declared is not None:
        low, high = (item.check(value) for value in declared)
        return _span(item, low, high)
    if item.kind is float and item.ge is not None and item.le is not None:
        return _span(item, float(item.ge), float(item.le))
    if item.kind is bool:
        return _values(item, (False, True))
    if item.kind is str and item.choices:
        return _values(item, item.choices)
    return None


def _span(item: Option, low: Any, high: Any) -> Dimension | None:
    low, high = min(low, item.default), max(high, item.default)
    return Span(item.name, low, high, item.kind is int, item.default) if low < high else None


def _values(item: Option, values: tuple[Any, ...]) -> Dimension | None:
    if item.default not in values:
        values = (item.default, *values)
    return Values(item.name, values, item.default) if len(values) > 1 else None
