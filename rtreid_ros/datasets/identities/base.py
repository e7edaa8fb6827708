"""Sets of pictures of known identities: what appearance models learn from and are judged on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.types import Int64, UInt8

logger = logging.getLogger(__name__)

UNKNOWN = -1
"""A camera or sequence nobody has noted."""

JUNK = -1
"""Identity of detections that show nobody well enough; they count neither way."""

_NAMED = 5
"""Unreadable pictures a warning lists."""


@dataclass(frozen=True, slots=True, eq=False)
class IdentitySet:
    """N pictures. Nothing is decoded until `read` is called.

    Attributes:
        names: N names for messages and reports, mostly file names.
        identities: ``(N,) int64`` as the data set numbers them.
        cameras: ``(N,) int64`` from 0; `UNKNOWN` where nobody has noted it.
        sequences: ``(N,) int64`` from 0: recordings or tracklets of a camera; `UNKNOWN` likewise.
        read: gives picture i, ``(h, w, 3) uint8`` BGR; a `SourceError` names one that cannot be read.
    """

    names: tuple[str, ...]
    identities: Int64
    cameras: Int64
    sequences: Int64
    read: Callable[[int], UInt8]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, rows: Int64 | slice | np.ndarray) -> IdentitySet:
        """The pictures of `rows` (indices, a slice or a mask)."""
        chosen = np.arange(len(self))[rows]
        read = self.read
        return IdentitySet(
            tuple(self.names[row] for row in chosen),
            self.identities[chosen],
            self.cameras[chosen],
            self.sequences[chosen],
            lambda row: read(int(chosen[row])),
        )

    def classes(self) -> Int64:
        """``(N,) int64``: identities renumbered 0..C-1 in the order of their numbers."""
        return np.unique(self.identities, return_inverse=True)[1].astype(np.int64)


def report_unreadable(count: int, reasons: Sequence[str]) -> None:
    """Warn of those of `count` pictures that could not be read, naming the first; `reasons` are theirs.

    Raises:
        SourceError: none could be read.
    """
    if reasons and len(reasons) == count:
        raise SourceError(f"none of {count} pictures can be read; the first: {reasons[0]}")
    if reasons:
        more = ", ..." if len(reasons) > _NAMED else ""
        logger.warning(
            "%d of %d pictures cannot be read and are left out: %s%s",
            *(len(reasons), count, "; ".join(reasons[:_NAMED]), more),
        )


@dataclass(frozen=True, slots=True, eq=False)
class IdentityDataset:
    """A data set in its three parts; any may be empty.

    Attributes:
        name: for messages and reports.
        train: what models learn from.
        query: pictures to search with.
        gallery: pictures to search in; identity -1 is junk that counts neither way.
    """

    name: str
    train: IdentitySet
    query: IdentitySet
    gallery: IdentitySet
