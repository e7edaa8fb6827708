"""Sets of pictures of known identities: what appearance models learn from and are judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rtreid_ros.types import Int64, UInt8

UNKNOWN = -1
"""A camera or sequence nobody has noted."""


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
