"""People cut out of MOTChallenge sequences by their ground truth."""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN, IdentitySet
from rtreid_ros.datasets.identities.reader import IdentityOptions, IdentityReader
from rtreid_ros.datasets.identities.splits import first_of_each_camera
from rtreid_ros.datasets.identities.store import FolderStore, read_picture
from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.mot_folder import SequenceInfo, read_seqinfo
from rtreid_ros.evaluation.mot_text import PEDESTRIAN, MotTable, read_mot
from rtreid_ros.options import option
from rtreid_ros.registry import suggest
from rtreid_ros.types import Float64, Int64, UInt8

logger = logging.getLogger(__name__)

_DETECTOR = re.compile(r"-(DPM|FRCNN|SDP)$")
"""MOT17 has each sequence three times, once per public detector, with equal pictures and ground truth."""
_FRAMES = 16
"""Decoded frames kept: the pictures of a frame stand side by side in a set."""


@dataclass(frozen=True, slots=True)
class MotOptions(IdentityOptions):
    """Options of identities from MOTChallenge sequences."""

    held_out: tuple[str, ...] = option((), "sequences that are query and gallery instead of training")
    step: int = option(1, "every how many frames people are cut out", ge=1)
    least_visible: float = option(0.3, "people seen less than this share are left out", ge=0, le=1)
    least_width: int = option(16, "boxes narrower than this inside the image, pixels, are left out", ge=1)
    least_height: int = option(40, "boxes lower than this inside the image, pixels, are left out", ge=1)
    margin: float = option(0.0, "cut this share of the box's size beyond it on every side", ge=0, le=1)


class MotIdentities(IdentityReader):
    """Pedestrians of MOT16, MOT17, MOT20 or DanceTrack training sequences (Milan et al., MOT16, 2016).

    The root is a folder of sequences, or one sequence, with pictures and ``gt/gt.txt``, of which the rows
    of class 1 with flag 1 count. An identity is a sequence and an id in it; rows are ordered by sequence,
    frame and id. A camera films each identity only once, so cameras are `UNKNOWN`, and `sequences` are
    the sequences. Of `held_out` sequences, the first picture of everybody is a query.
    """

    Options = MotOptions
    options: MotOptions

    def __init__(self, root: str, options: IdentityOptions) -> None:
        super().__init__(root, options)
        folder = Path(root).expanduser()
        if not folder.is_dir():
            raise SourceError(f"{folder}: no such folder of MOTChallenge sequences")
        candidates = [folder] if _is_sequence(folder) else sorted(folder.iterdir())
        self._sequences: dict[str, Path] = {}
        for path in filter(_is_sequence, candidates):
            self._sequences.setdefault(_DETECTOR.sub("", path.resolve().name), path)
        if not self._sequences:
            raise SourceError(f"{folder}: no sequences with gt/gt.txt and seqinfo.ini")
        known = list(self._sequences)
        for name in self.options.held_out:
            if name not in known:
                raise ConfigError(
                    f"held_out: no sequence {name!r}{suggest(name, known)}; there are {', '.join(known)}"
                )

    def has(self, part: str) -> bool:
        """See `IdentityReader`."""
        return bool(self._chosen(part))

    def part(self, part: str) -> IdentitySet:
        """See `IdentityReader`."""
        chosen = self._chosen(part)
        if not chosen:
            raise SourceError(
                f"{self.root}: no sequence is left for the {part} part; held_out names those that are query "
                "and gallery"
            )
        pictures = self._crops(chosen)
        if not len(pictures):
            raise SourceError(f"{self.root}: nobody in {', '.join(chosen)} is large and visible enough")
        if part == "train":
            return pictures
        first = first_of_each_camera(pictures)
        return pictures[first if part == "query" else ~first]

    def _chosen(self, part: str) -> list[str]:
        return [name for name in self._sequences if (name in self.options.held_out) == (part != "train")]

    def _crops(self, chosen: list[str]) -> IdentitySet:
        numbers = {name: number for number, name in enumerate(self._sequences)}
        names: list[str] = []
        columns: list[Int64] = []
        paths: list[Path] = []
        boxes: list[Float64] = []
        before = 1  # 0 means a distractor elsewhere
        for name in self._sequences:
            table, info = (
                read_mot(self._sequences[name] / "gt" / "gt.txt"),
                read_seqinfo(self._sequences[name]),
            )
            ids = np.unique(table.ids)
            if name in chosen:
                table, corners = self._select(table, info)
                folder = self._sequences[name] / info.image_folder
                if not folder.is_dir():
                    raise SourceError(f"{folder}: no pictures of sequence {name}")
                paths += [folder / f"{frame:06d}{info.image_suffix}" for frame in table.frames.tolist()]
                names += [
                    f"{name}/{frame:06d}/{identity}"
                    for frame, identity in zip(table.frames.tolist(), table.ids.tolist(), strict=True)
                ]
                identities = before + np.searchsorted(ids, table.ids)
                columns.append(np.stack([identities, np.full(len(table), numbers[name])]))
                boxes.append(corners)
            before += len(ids)
        identity, sequence = np.concatenate(columns, axis=1).astype(np.int64)
        box, frames = np.concatenate(boxes), _FrameCache(_FRAMES)

        def read(row: int) -> UInt8:
            image = frames.read(paths[row])
            limits = np.tile(image.shape[1::-1], 2)
            x1, y1, x2, y2 = np.clip(np.rint(box[row]), 0, limits).astype(int)
            if x2 <= x1 or y2 <= y1:
                raise SourceError(
                    f"{paths[row]}: is smaller than seqinfo.ini says; {names[row]} lies outside"
                )
            return image[y1:y2, x1:x2]

        return IdentitySet(tuple(names), identity, np.full(len(names), UNKNOWN), sequence, read)

    def _select(self, table: MotTable, info: SequenceInfo) -> tuple[MotTable, Float64]:
        """Rows that show somebody well enough, ordered by frame and id, and their corners."""
        options = self.options
        table = table[np.lexsort((table.ids, table.frames))]
        limits = np.tile((info.width, info.height), 2)
        inside = np.clip(table.xyxy(), 0, limits)
        width, height = inside[:, 2] - inside[:, 0], inside[:, 3] - inside[:, 1]
        good = (table.class_ids == PEDESTRIAN) & table.considered & ((table.frames - 1) % options.step == 0)
        good &= (table.visibility >= options.least_visible) & (width >= options.least_width)
        good &= height >= options.least_height
        reach = options.margin * np.stack([-width, -height, width, height], axis=1)
        return table[good], (inside + reach)[good]


def _is_sequence(folder: Path) -> bool:
    return (folder / "gt" / "gt.txt").is_file() and (folder / "seqinfo.ini").is_file()


class _FrameCache:
    """The last frames read; threads that want the same one wait for whoever came first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._frames: OrderedDict[Path, Future[UInt8]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path) -> UInt8:
        with self._lock:
            known = self._frames.get(path)
            frame = known or self._frames.setdefault(path, Future())
            self._frames.move_to_end(path)
            while len(self._frames) > self._capacity:
                self._frames.popitem(last=False)
        if known is None:
            try:
                frame.set_result(read_picture(FolderStore(path.parent), path.name))
            except BaseException as error:
                frame.set_exception(error)
        return frame.result()
