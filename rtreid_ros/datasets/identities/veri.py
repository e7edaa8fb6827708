"""VeRi-776: vehicles, searched picture by picture or track by track."""

from __future__ import annotations

import re
from typing import ClassVar

from rtreid_ros.datasets.identities.named import NamedReader
from rtreid_ros.datasets.identities.reader import Row


class VeRi776(NamedReader):
    """VeRi-776 (Liu et al., Progressive Vehicle Re-identification for Urban Surveillance, ECCV 2016).

    576 vehicles and 37,778 pictures to train on, 1,678 queries, 11,579 pictures of 2,021 tracks in the
    gallery. Sequences are tracks: those of ``test_track.txt``, a line of file names each, and where it
    does not tell, one per vehicle and camera.
    """

    title = "VeRi-776"
    folders: ClassVar = {"train": "image_train", "query": "image_query", "gallery": "image_test"}
    pattern = re.compile(r"(?P<identity>\d+)_c(?P<camera>0(?:0[1-9]|1\d|20))_\d+_\d+\D")
    example = "0002_c002_00030600_0.jpg"
    tracks: ClassVar = "test_track.txt"

    def number_sequences(self, rows: list[Row]) -> list[Row]:
        """See `NamedReader`."""
        listed = self._tracks()
        pairs = sorted({(row.identity, row.camera) for row in rows})
        others = {
            pair: number for number, pair in enumerate(pairs, start=1 + max(listed.values(), default=-1))
        }
        return [
            row._replace(sequence=listed.get(row.path.rsplit("/", 1)[-1], others[row.identity, row.camera]))
            for row in rows
        ]

    def _tracks(self) -> dict[str, int]:
        """Number of the track of every picture that the list names; some lists start lines with a title."""
        path = self.base + self.tracks
        if not self.store.has(path):
            return {}
        lines = self.store.read(path).decode("utf-8", errors="replace").splitlines()
        return {
            word: number
            for number, line in enumerate(lines)
            for word in line.split()
            if word.endswith(".jpg")
        }
