"""Pictures nobody has labelled: tracklets that ``rtreid harvest`` has gathered, and loose pictures."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.reader import IdentityOptions, IdentityReader, Row, stored_set
from rtreid_ros.datasets.identities.store import open_store
from rtreid_ros.errors import SourceError
from rtreid_ros.types import Int64

INDEX = "index.jsonl"
"""The file beside the folders of tracklets: a line for each."""

_CAMERA = re.compile(r"_c(\d+)")


class Tracklets(IdentityReader):
    """What ``rtreid harvest`` has written. All of it trains.

    The identity of a picture is its tracklet, numbered from 0 in the order of the index: one person may
    have several. Cameras are those of the harvest, sequences the tracklets.

    Raises:
        SourceError: there is no index, or a line of it is none.
    """

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        self.store = open_store(root)
        if not self.store.has(INDEX):
            raise SourceError(f"{self.store.root}: no {INDEX}, so it is no harvest; make one: rtreid harvest")
        lines = self.store.read(INDEX).decode("utf-8", "replace").splitlines()
        self._tracklets = [self._parse(number, line) for number, line in enumerate(lines, start=1)]

    def _parse(self, number: int, text: str) -> dict[str, Any]:
        try:
            line = json.loads(text)
            return {
                "camera": int(line["camera"]),
                "track": int(line["track"]),
                "together": [int(track) for track in line["together"]],
                "files": [str(crop["file"]) for crop in line["crops"]],
            }
        except (ValueError, KeyError, TypeError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise SourceError(
                f"{self.store.root}: line {number} of {INDEX} is no tracklet ({reason})"
            ) from None

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return part == "train"

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        if not self.has(part):
            raise SourceError(f"{self.store.root}: a harvest has no {part} part, for nobody knows who is who")
        rows = [
            Row(file, number, tracklet["camera"] - 1, number)
            for number, tracklet in enumerate(self._tracklets)
            for file in tracklet["files"]
        ]
        if not rows:
            raise SourceError(f"{self.store.root}: an empty harvest")
        return stored_set(self.store, sorted(rows))

    def apart(self) -> Int64:
        """``(P, 2) int64``: tracklets that one camera saw beside each other, so surely different people."""
        known = {(item["camera"], item["track"]): number for number, item in enumerate(self._tracklets)}
        pairs = {
            (min(number, other), max(number, other))
            for number, item in enumerate(self._tracklets)
            for track in item["together"]
            if (other := known.get((item["camera"], track), number)) != number
        }
        return np.array(sorted(pairs), np.int64).reshape(-1, 2)


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
