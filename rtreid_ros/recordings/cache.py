"""What a model made of each frame of a source, in one ``.npz`` file.

The file of a detector's rows is one of stored detections, that of an embedder's rows one of stored
embeddings (see `stored`), so both serve as input of trackers without the source.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.recordings.stored import read_arrays, write_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from rtreid_ros.runtime.session import Array

logger = logging.getLogger(__name__)


class FrameCache:
    """Arrays by frame, as many rows in each as the frame has.

    A file that is damaged, or was made from something else than `key` says, is told about and made
    anew. What is put is kept in memory until `save`.

    Args:
        path: the file; need not exist.
        key: identity of what the rows are made from.
        columns: names of the arrays.

    Attributes:
        notes: text that belongs to the file as a whole, by name; what it held is there from the start.
        hits: frames found.
        made: frames put.
    """

    def __init__(self, path: Path, key: str, columns: tuple[str, ...]) -> None:
        self.path = path
        self.notes: dict[str, Array] = {}
        self.hits = 0
        self.made = 0
        self._key = key
        self._columns = columns
        self._stored: dict[str, Array] = {}
        self._rows: dict[int, slice] = {}
        self._new: dict[int, dict[str, Array]] = {}
        if path.exists():
            self._open()

    def get(self, index: int, count: int | None = None) -> dict[str, Array] | None:
        """The rows of frame `index` (from 0), or None where it is not known or has not `count` rows."""
        rows = self._rows.get(index + 1)
        if rows is None or count not in (None, rows.stop - rows.start):
            return None
        self.hits += 1
        return {name: self._stored[name][rows] for name in self._columns}

    def put(self, index: int, **columns: Array) -> None:
        """Take in the rows of frame `index`."""
        self.made += 1
        self._new[index + 1] = columns

    def save(self) -> None:
        """Write the file if anything was put.

        Raises:
            SinkError: it cannot be written; the older one, if any, is left as it was.
        """
        if not self._new:
            return
        known = {
            number: {n: self._stored[n][rows] for n in self._columns} for number, rows in self._rows.items()
        }
        everything = sorted({**known, **self._new}.items())
        counts = [len(columns[self._columns[0]]) for _, columns in everything]
        numbers = np.array([number for number, _ in everything], np.int64)
        arrays: dict[str, Any] = {
            "frames": np.repeat(numbers, counts),
            "numbers": numbers,
            "key": np.array(self._key),
            **{name: np.concatenate([columns[name] for _, columns in everything]) for name in self._columns},
            **self.notes,
        }
        write_arrays(self.path, arrays)
        self._new.clear()

    def _open(self) -> None:
        try:
            arrays = read_arrays(self.path)
            if str(arrays.get("key", "")) != self._key:
                logger.warning("%s was made from another source: it is made anew", self.path)
                return
            self._index(arrays)
        except (SourceError, KeyError, IndexError, ValueError) as error:
            logger.warning("%s is damaged and is made anew (%s)", self.path, error)
            self._rows.clear()

    def _index(self, arrays: dict[str, Array]) -> None:
        frames, numbers = arrays.pop("frames"), arrays.pop("numbers")
        stored = {name: arrays.pop(name) for name in self._columns}
        wrong = [name for name, column in stored.items() if len(column) != len(frames)]
        if wrong or (np.diff(frames) < 0).any() or not np.isin(frames, numbers).all():
            raise ValueError(f"rows that do not belong together: {', '.join(wrong) or 'frames'}")
        arrays.pop("key")
        starts = np.searchsorted(frames, numbers, side="left").tolist()
        ends = np.searchsorted(frames, numbers, side="right").tolist()
        self._stored, self.notes = stored, arrays
        self._rows = {
            number: slice(start, end)
            for number, start, end in zip(numbers.tolist(), starts, ends, strict=True)
        }
