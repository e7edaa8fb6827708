"""One folder per identity."""

from __future__ import annotations

import re

from rtreid_ros.datasets.identities.base import JUNK, UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.reader import PARTS, IdentityOptions, IdentityReader, Row, stored_set
from rtreid_ros.datasets.identities.store import open_store
from rtreid_ros.errors import SourceError

_CAMERA = re.compile(r"_c(\d+)")


class FolderPerIdentity(IdentityReader):
    """``IDENTITY/*.jpg``, all of which trains, or ``train/``, ``query/`` and ``gallery/`` of such folders.

    Folders named by numbers are numbered so, -1 being junk; otherwise all identities are numbered in the
    order of their names. Cameras are those a file name mentions as ``_c<digits>``, numbered in their order;
    others are `UNKNOWN`.
    """

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        self.store = open_store(root)
        folders = self.store.folders()
        self._starts = {part: f"{part}/" for part in PARTS if part in folders} or {"train": ""}
        names = sorted({name for start in self._starts.values() for name in self.store.folders(start[:-1])})
        whole = all(re.fullmatch(rf"{JUNK}|\d+", name) for name in names)
        self._identities = {
            name: int(name) if whole else number for number, name in enumerate(names, start=1)
        }
        self._paths = {part: self.store.pictures(start[:-1]) for part, start in self._starts.items()}
        every = (path for paths in self._paths.values() for path in paths)
        seen = sorted({camera for path in every if (camera := _camera(path)) is not None})
        self._cameras: dict[int | None, int] = {camera: number for number, camera in enumerate(seen)}

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return part in self._starts

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        if not self.has(part):
            raise SourceError(
                f"{self.store.root}: no folder {part} of folders of identities; the splits mod5 and all need "
                "a training part alone"
            )
        start = self._starts[part]
        rows = []
        for path in self._paths[part]:
            name, _, below = path[len(start) :].partition("/")
            if below:
                rows.append(Row(path, self._identities[name], self._cameras.get(_camera(path), UNKNOWN)))
        if not rows:
            raise SourceError(f"{self.store.root}: no pictures in {start or '.'}, in a folder per identity")
        return stored_set(self.store, rows)


def _camera(path: str) -> int | None:
    match = _CAMERA.search(path.rsplit("/", 1)[-1])
    return None if match is None else int(match[1])
