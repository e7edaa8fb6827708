"""Things a user chooses by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Generic, TypeVar

from rtreid_ros.errors import ConfigError

T = TypeVar("T")


def suggest(name: str, known: list[str]) -> str:
    """`` (did you mean 'x'?)`` when something known is spelt almost alike, else an empty string."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


class Registry(Generic[T]):
    """Names of one kind of thing (``"tracker"``) and what stands behind each."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        """Add `entry`; a name can be taken once."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = entry
        return entry

    def __getitem__(self, name: str) -> T:
        """The entry of that name.

        Raises:
            ConfigError: nothing is registered under it; the message lists what is.
        """
        try:
            return self._entries[name]
        except KeyError:
            known = list(self)
            text = f"unknown {self.kind} {name!r}{suggest(name, known)}; known: {', '.join(known)}"
            raise ConfigError(text) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries
