"""Pictures nobody has labelled: tracklets that ``rtreid harvest`` has gathered, and loose pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.reader import IdentityOptions, IdentityReader, Row, row_set, stored_set
from rtreid_ros.datasets.identities.store import Store, open_store, read_picture
from rtreid_ros.errors import SourceError
from rtreid_ros.types import Int64

INDEX = "index.jsonl"
"""The file beside the folders of tracklets: a line for each."""

_CAMERA = re.compile(r"_c(\d+)")


class Tracklets(IdentityReader):
    """What ``rtreid harvest`` has written; the root may also be several harvests, with commas between.

    All of it trains. The identity of a picture is its tracklet, numbered from 0 in the order of the index:
    one person may have several. Sequences are the tracklets. Cameras are those of the harvest; those of one
    name in several harvests are one camera.

    Raises:
        SourceError: there is no index, or a line of it is none, or a harvest is named twice.
    """

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        self._harvests = [open_store(place) for place in _places(root)]
        self._tracklets = [
            tracklet for harvest, store in enumerate(self._harvests) for tracklet in _read(harvest, store)
        ]

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return part == "train"

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        if not self.has(part):
            raise SourceError(f"{self.root}: a harvest has no {part} part, for nobody knows who is who")
        cameras = self._cameras()
        rows = sorted(
            (tracklet.harvest, Row(file, number, cameras[tracklet.harvest, tracklet.camera], number))
            for number, tracklet in enumerate(self._tracklets)
            for file in tracklet.files
        )
        if not rows:
            raise SourceError(f"{self.root}: an empty harvest")
        several = len(self._harvests) > 1
        named = [
            row._replace(path=f"{self._harvests[harvest].root.name}/{row.path}") if several else row
            for harvest, row in rows
        ]
        return row_set(named, lambda row: read_picture(self._harvests[rows[row][0]], rows[row][1].path))

    def _cameras(self) -> dict[tuple[int, int], int]:
        """Number from 0 of each camera by harvest and number there.

        Those of one name in one harvest are two, and the first of a name is the first of any harvest.
        """
        named = sorted({(item.harvest, item.camera, item.camera_name) for item in self._tracklets})
        known: dict[tuple[str, int], int] = {}
        found: dict[tuple[int, int], int] = {}
        for harvest, camera, name in named:
            earlier = sum(item[:2] < (harvest, camera) for item in named if item[::2] == (harvest, name))
            found[harvest, camera] = known.setdefault((name, earlier), len(known))
        return found

    def apart(self) -> Int64:
        """``(P, 2) int64``: tracklets that one camera saw beside each other, so surely different people."""
        tracklets = self._tracklets
        known = {(item.harvest, item.camera, item.track): row for row, item in enumerate(tracklets)}
        pairs = {
            (min(number, other), max(number, other))
            for number, item in enumerate(tracklets)
            for track in item.together
            if (other := known.get((item.harvest, item.camera, track), number)) != number
        }
        return np.array(sorted(pairs), np.int64).reshape(-1, 2)


class _Tracklet(NamedTuple):
    """A line of an index; `harvest`: of which one, from 0."""

    harvest: int
    camera: int
    camera_name: str
    track: int
    together: list[int]
    files: list[str]


def _places(root: str) -> list[str]:
    """The harvests that a root names; a folder whose name has a comma is one.

    Raises:
        SourceError: one is named twice.
    """
    if Path(root).expanduser().exists():
        return [root]
    places = [place for text in root.split(",") if (place := text.strip())]
    paths = [Path(place).expanduser().resolve() for place in places]
    twice = next((path for row, path in enumerate(paths) if path in paths[:row]), None)
    if twice is not None:
        raise SourceError(f"{twice} is named twice in {root!r}; name each harvest once")
    return places or [root]


def _read(harvest: int, store: Store) -> list[_Tracklet]:
    if not store.has(INDEX):
        raise SourceError(f"{store.root}: no {INDEX}, so it is no harvest; make one: rtreid harvest")
    lines = store.read(INDEX).decode("utf-8", "replace").splitlines()
    return [_parse(harvest, store, number, line) for number, line in enumerate(lines, start=1)]


def _parse(harvest: int, store: Store, number: int, text: str) -> _Tracklet:
    try:
        line = json.loads(text)
        return _Tracklet(
            harvest,
            int(line["camera"]),
            str(line["camera_name"]),
            int(line["track"]),
            [int(track) for track in line["together"]],
            [str(crop["file"]) for crop in line["crops"]],
        )
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise SourceError(f"{store.root}: line {number} of {INDEX} is no tracklet ({reason})") from None


class LoosePictures(IdentityReader):
    """All pictures below the root, each an identity of its own; nothing is known of who is who.

    Cameras are those a file name mentions as ``_c<digits>``, from 1; others are `UNKNOWN`.
    """

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        self.store = open_store(root)

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return part == "train"

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        if not self.has(part):
            raise SourceError(f"{self.store.root}: loose pictures have no {part} part")
        paths = self.store.pictures("")
        if not paths:
            raise SourceError(f"{self.store.root}: no pictures")
        return stored_set(self.store, [Row(path, row, _camera(path)) for row, path in enumerate(paths)])


def _camera(path: str) -> int:
    match = _CAMERA.search(path.rsplit("/", 1)[-1])
    return UNKNOWN if match is None else int(match[1]) - 1
