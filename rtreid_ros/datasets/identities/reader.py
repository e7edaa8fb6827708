"""What every identity data set is: options, and its parts on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.store import Store, read_picture
from rtreid_ros.types import UInt8

PARTS = ("train", "query", "gallery")


@dataclass(frozen=True, slots=True)
class IdentityOptions:
    """Options of an identity data set; each data set's own `Options` derive from it."""


class IdentityReader:
    """Base of all data sets: finds pictures and who is on them; decodes none.

    Args:
        root: folder or .tar file that holds the data set.
        options: the data set's `Options`.
    """

    Options: ClassVar[type[IdentityOptions]] = IdentityOptions

    def __init__(self, root: str, options: IdentityOptions) -> None:
        self.root, self.options = root, options

    def has(self, part: str) -> bool:
        """Whether there is this one of `PARTS`."""
        raise NotImplementedError

    def part(self, part: str) -> IdentitySet:
        """One of `PARTS`, ordered by name.

        Raises:
            SourceError: it is not there, or is not what the data set's format says.
        """
        raise NotImplementedError


class Row(NamedTuple):
    """A picture in a store, and what is known of it; see `IdentitySet`."""

    path: str
    identity: int
    camera: int = UNKNOWN
    sequence: int = UNKNOWN


def stored_set(store: Store, rows: Sequence[Row]) -> IdentitySet:
    """The pictures of `rows`, read from `store` one by one."""
    return row_set(rows, lambda index: read_picture(store, rows[index].path))


def row_set(rows: Sequence[Row], read: Callable[[int], UInt8]) -> IdentitySet:
    """The pictures of `rows`, each of which `read` gives by its index."""
    return IdentitySet(
        tuple(row.path for row in rows),
        _column(row.identity for row in rows),
        _column(row.camera for row in rows),
        _column(row.sequence for row in rows),
        read,
    )


def empty_set() -> IdentitySet:
    """No picture at all."""

    def read(index: int) -> np.ndarray:
        raise IndexError(f"row {index} of an empty set")

    none = np.zeros(0, np.int64)
    return IdentitySet((), none, none, none, read)


def _column(values: Iterable[int]) -> np.ndarray:
    return np.fromiter(values, np.int64)
