"""Data sets of three folders whose file names say who was filmed where."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import ClassVar

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.reader import IdentityOptions, IdentityReader, Row, stored_set
from rtreid_ros.datasets.identities.store import find_base, open_store
from rtreid_ros.errors import SourceError

logger = logging.getLogger(__name__)


class NamedReader(IdentityReader):
    """Base of the data sets of this module; the root may also be the folder around theirs."""

    title: ClassVar[str]
    folders: ClassVar[Mapping[str, str]]
    """Folder of each part."""
    example: ClassVar[str]
    """One of its file names."""
    pattern: ClassVar[re.Pattern[str]]
    """What a base name starts with: groups ``identity`` and ``camera`` (from 1), perhaps ``sequence``."""

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        self.store = open_store(root)
        self.base = find_base(self.store, self.title, self.folders.values())

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return self.store.has(self.base + self.folders[part])

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        folder = self.base + self.folders[part]
        if not self.store.has(folder):
            raise SourceError(
                f"{self.store.root}: no folder {folder}, where {self.title} has its {part} part"
            )
        paths = self.store.pictures(folder)
        if not paths:
            raise SourceError(f"{self.store.root}: no pictures in {folder}")
        rows, strange = [], []
        for path in paths:
            match = self.pattern.match(path.rsplit("/", 1)[-1])
            if match is None:
                strange.append(path)
                continue
            known = match.groupdict()
            sequence = int(known.get("sequence", UNKNOWN + 1)) - 1
            rows.append(Row(path, int(known["identity"]), int(known["camera"]) - 1, sequence))
        if len(strange) == len(paths):
            raise SourceError(
                f"{self.store.root}: {folder} holds no name of {self.title}, such as {self.example}; "
                f"the first is {strange[0]}"
            )
        if strange:
            logger.warning(
                "%s: %d of %d names in %s are not of %s and left out, such as %s",
                *(self.store.root, len(strange), len(paths), folder, self.title, ", ".join(strange[:3])),
            )
        return stored_set(self.store, self.number_sequences(rows))

    def number_sequences(self, rows: list[Row]) -> list[Row]:
        """The rows with the sequences that take more than a name to know."""
        return rows


class Market1501(NamedReader):
    """Market-1501 (Zheng et al., Scalable Person Re-identification: A Benchmark, ICCV 2015).

    751 identities and 12,936 pictures to train on, 3,368 queries, 19,732 in the gallery, of which
    3,819 are junk (identity -1) and 2,793 distractors (0). Sequences are the recordings of a camera.
    """

    title = "Market-1501"
    folders: ClassVar = {"train": "bounding_box_train", "query": "query", "gallery": "bounding_box_test"}
    pattern = re.compile(r"(?P<identity>-1|\d+)_c(?P<camera>[1-6])s(?P<sequence>[1-9])_\d+_\d+\D")
    example = "0002_c1s1_000451_03.jpg"


class DukeMTMC(NamedReader):
    """DukeMTMC-reID's layout (Ristani et al., ECCV Workshops 2016; Zheng et al., ICCV 2017).

    702 identities and 16,522 pictures to train on, 2,228 queries, 17,661 in the gallery. Its authors
    have withdrawn it: this reads data sets that kept its format.
    """

    title = "DukeMTMC-reID"
    folders: ClassVar = Market1501.folders
    pattern = re.compile(r"(?P<identity>\d+)_c(?P<camera>[1-8])_f\d+\D")
    example = "0001_c2_f0046182.jpg"
