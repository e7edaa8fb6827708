"""MSMT17: pictures named in lists."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rtreid_ros.datasets.identities.base import IdentitySet
from rtreid_ros.datasets.identities.reader import IdentityOptions, IdentityReader, Row, stored_set
from rtreid_ros.datasets.identities.store import find_base, open_store
from rtreid_ros.errors import SourceError
from rtreid_ros.options import option

_LISTS = {"train": "list_train.txt", "query": "list_query.txt", "gallery": "list_gallery.txt"}
_VALIDATION = "list_val.txt"
_FOLDERS = {"train": ("train", "mask_train_v2"), "test": ("test", "mask_test_v2")}
"""Of the first version, and of the second, in which faces are blurred."""
_NAME = re.compile(r"\d+_\d+_(?P<camera>\d+)_(?P<recording>\d{4}[a-z]+)_")


@dataclass(frozen=True, slots=True)
class Msmt17Options(IdentityOptions):
    """Options of MSMT17."""

    validation: bool = option(True, "the pictures of list_val.txt train too, as published figures have it")


class Msmt17(IdentityReader):
    """MSMT17 (Wei et al., Person Transfer GAN to Bridge Domain Gap for Person Re-identification, CVPR 2018).

    1,041 identities and 32,621 pictures to train on, 11,659 queries and 82,161 pictures in the gallery,
    15 cameras. Training and test number their identities each from 0. Sequences are the recordings
    (day and time of day).
    """

    Options = Msmt17Options
    options: Msmt17Options

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        self.store = open_store(root)
        self.base = find_base(self.store, "MSMT17", _LISTS.values())

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return self.store.has(self.base + _LISTS[part])

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        lists = [_LISTS[part]]
        if part == "train" and self.options.validation:
            lists.append(_VALIDATION)
        folders = _FOLDERS["train" if part == "train" else "test"]
        folder = next((self.base + name for name in folders if self.store.has(self.base + name)), None)
        if folder is None:
            raise SourceError(
                f"{self.store.root}: no folder {' or '.join(self.base + name for name in folders)}"
            )
        found = [entry for name in lists for entry in self._entries(self.base + name)]
        recordings = {name: number for number, name in enumerate(sorted({entry[3] for entry in found}))}
        rows = [
            Row(f"{folder}/{path}", identity, camera - 1, recordings[recording])
            for path, identity, camera, recording in found
        ]
        return stored_set(self.store, sorted(rows))

    def _entries(self, path: str) -> list[tuple[str, int, int, str]]:
        """Picture, identity, camera and recording of every line of a list."""
        if not self.store.has(path):
            raise SourceError(f"{self.store.root}: no list {path}")
        entries = []
        for number, line in enumerate(
            self.store.read(path).decode("utf-8", errors="replace").splitlines(), 1
        ):
            if not line.strip():
                continue
            name, _, identity = line.strip().rpartition(" ")
            match = _NAME.match(name.rsplit("/", 1)[-1])
            if match is None or not identity.isdigit():
                raise SourceError(
                    f"{self.store.root}: {path}, line {number}: expected a picture and its identity, such as "
                    f"'0000/0000_000_01_0303morning_0015_0.jpg 0', got {line.strip()!r}"
                )
            entries.append((name, int(identity), int(match["camera"]), match["recording"]))
        return entries
