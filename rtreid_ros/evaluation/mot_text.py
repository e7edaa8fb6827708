"""MOTChallenge text: one box per line, frames from 1, top-left corner plus size in pixels.

Results: ``frame, id, x, y, w, h, score, -1, -1, -1``. Ground truth since MOT16 (Milan et al.,
"MOT16: A Benchmark for Multi-Object Tracking", 2016, table 2): ``frame, id, x, y, w, h,
considered, class, visibility``. MOT15 has ten columns, of which the last three are a position in
the world, not a class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.boxes import ltwh_to_xyxy
from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.textfile import read_text
from rtreid_ros.types import GroundTruth, Tracks

if TYPE_CHECKING:
    from rtreid_ros.types import Bool, Float32, Float64, Int64

MOT_CLASSES: tuple[str, ...] = (
    "",  # classes count from 1
    "pedestrian",
    "person_on_vehicle",
    "car",
    "bicycle",
    "motorbike",
    "non_mot_vehicle",
    "static_person",
    "distractor",
    "occluder",
    "occluder_on_ground",
    "occluder_full",
    "reflection",
    "crowd",
)
"""Names of the ground-truth classes; ``MOT_CLASSES[class_id]``."""

PEDESTRIAN = 1
_COLUMNS_WITH_CLASS = (8, 9)


@dataclass(frozen=True, slots=True, eq=False)
class MotTable:
    """Rows of a MOTChallenge file, ordered by frame, otherwise as they stand in it.

    Attributes:
        frames: ``(N,) int64``, from 1.
        ids: ``(N,) int64``.
        boxes: ``(N, 4) float64``, top-left corner and size.
        scores: ``(N,) float64``, column 7: confidence of a result, "considered" of a ground truth.
        class_ids: ``(N,) int64``, 1 where the file has no class column.
        visibility: ``(N,) float32``, 1 where the file does not say.
        has_classes: whether column 8 is a class (eight or nine columns).
        corners: ``(N, 4) float64`` where the file states corners, so that no digit gets lost; else
            None, and they follow from `boxes`.
    """

    frames: Int64
    ids: Int64
    boxes: Float64
    scores: Float64
    class_ids: Int64
    visibility: Float32
    has_classes: bool
    corners: Float64 | None = None

    @classmethod
    def empty(cls) -> MotTable:
        """A file without a line."""
        return _table(np.zeros((0, 7)))

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def considered(self) -> Bool:
        """``(N,) bool``: rows of a ground truth that are to be judged (column 7 is not 0)."""
        considered: Bool = self.scores.astype(np.int64) != 0
        return considered

    @property
    def last_frame(self) -> int:
        """Highest frame number, 0 without rows."""
        return int(self.frames[-1]) if len(self) else 0

    def __getitem__(self, rows: Any) -> MotTable:
        """The rows that a mask, an ordered index array or a slice selects."""
        return MotTable(
            self.frames[rows],
            self.ids[rows],
            self.boxes[rows],
            self.scores[rows],
            self.class_ids[rows],
            self.visibility[rows],
            self.has_classes,
            None if self.corners is None else self.corners[rows],
        )

    def xyxy(self, rows: slice = slice(None)) -> Float64:
        """Corners of `rows`."""
        return ltwh_to_xyxy(self.boxes[rows]) if self.corners is None else self.corners[rows]

    def cut(self, numbers: Sequence[int]) -> MotTable:
        """The rows of the frames `numbers`, ascending, renumbered 1, 2, ... in that order."""
        wanted = np.asarray(numbers, np.int64)
        if not len(wanted):
            return self[:0]
        cut = self[np.isin(self.frames, wanted)]
        return replace(cut, frames=np.searchsorted(wanted, cut.frames) + 1)

    def by_frame(self) -> Iterator[tuple[int, slice]]:
        """Each frame number that has rows, and which rows."""
        numbers, starts, counts = np.unique(self.frames, return_index=True, return_counts=True)
        for number, start, count in zip(numbers.tolist(), starts.tolist(), counts.tolist(), strict=True):
            yield number, slice(start, start + count)

    def truth(self, rows: slice) -> GroundTruth:
        """Rows of a ground-truth file as a frame's `GroundTruth`."""
        x, y, w, h = self.boxes[rows].T
        return GroundTruth(
            ids=self.ids[rows],
            boxes=np.stack([x, y, x + w, y + h], axis=1).astype(np.float32),
            class_ids=self.class_ids[rows].astype(np.int32),
            visibility=self.visibility[rows],
            considered=self.considered[rows],
        )


def read_mot(path: str | Path) -> MotTable:
    """A MOTChallenge file; columns may be separated by commas, blanks or both.

    Raises:
        SourceError: the file is missing, or a line is not what the format says; the message names
            the line.
    """
    path = Path(path)
    text = read_text(path)
    lines = text.splitlines()
    if not text.strip():
        return MotTable.empty()
    try:
        rows = np.loadtxt(text.replace(",", " ").splitlines(), dtype=np.float64, ndmin=2, comments=None)
    except ValueError:
        rows = _read_slowly(path, lines)
    _check(path, lines, rows)
    return _table(rows)


def _read_slowly(path: Path, lines: list[str]) -> Float64:
    """The same rows line by line, for ragged files and for naming the line that is wrong."""
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError:
            raise SourceError(f"{path}, line {number}: not all numbers: {line.strip()!r}") from None
        if len(words) < 6:
            raise SourceError(
                f"{path}, line {number}: {len(words)} columns, at least 6 expected (frame, id, x, y, w, h)"
            )
    width = max(len(row) for row in rows)
    # -1 is what the format writes for "not known"
    return np.array([row + [-1.0] * (width - len(row)) for row in rows])


def _check(path: Path, lines: list[str], rows: Float64) -> None:
    """Refuse values the format does not allow, naming the first line that has one."""
    if rows.shape[1] < 6:
        raise SourceError(f"{path}: {rows.shape[1]} columns, at least 6 expected (frame, id, x, y, w, h)")
    with np.errstate(invalid="ignore"):
        whole = (rows[:, :2] == np.floor(rows[:, :2])).all(axis=1) & (np.abs(rows[:, :2]) < 2**53).all(axis=1)
        rules: list[tuple[Any, str]] = [
            (whole & (rows[:, 0] >= 1), "frame must be an integer from 1 and id an integer"),
            (np.isfinite(rows[:, 2:6]).all(axis=1), "box has a value that is not finite"),
            ((rows[:, 4:6] >= 0).all(axis=1), "box has a negative width or height"),
        ]
    for good, complaint in rules:
        if not good.all():
            filled = [number for number, line in enumerate(lines, start=1) if line.strip()]
            number = filled[int(np.argmin(good))]
            raise SourceError(f"{path}, line {number}: {complaint}: {lines[number - 1].strip()!r}")


def _table(rows: Float64) -> MotTable:
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    columns = rows.shape[1]
    has_classes = columns in _COLUMNS_WITH_CLASS
    return MotTable(
        frames=rows[:, 0].astype(np.int64),
        ids=rows[:, 1].astype(np.int64),
        boxes=np.ascontiguousarray(rows[:, 2:6]),
        scores=rows[:, 6].copy() if columns > 6 else np.ones(len(rows)),
        class_ids=rows[:, 7].astype(np.int64) if has_classes else np.full(len(rows), PEDESTRIAN),
        visibility=rows[:, 8].astype(np.float32) if columns == 9 else np.ones(len(rows), np.float32),
        has_classes=has_classes,
    )


def tracks_text(number: int, tracks: Tracks) -> str:
    """Result lines of frame `number` (from 1): the confirmed tracks, ``%.3f`` boxes, ``%.4f`` scores."""
    kept = tracks.confirmed()
    x1, y1, x2, y2 = kept.boxes.astype(np.float64).T
    rows = zip(kept.ids, x1, y1, x2 - x1, y2 - y1, kept.scores, strict=True)
    return "".join(
        f"{number},{i},{x:.3f},{y:.3f},{w:.3f},{h:.3f},{s:.4f},-1,-1,-1\n" for i, x, y, w, h, s in rows
    )


def truth_text(number: int, truth: GroundTruth) -> str:
    """Ground-truth lines of frame `number` (from 1), nine columns as since MOT16."""
    x1, y1, x2, y2 = truth.boxes.astype(np.float64).T
    columns = (truth.ids, x1, y1, x2 - x1, y2 - y1, truth.considered, truth.class_ids, truth.visibility)
    return "".join(
        f"{number},{i},{x:.3f},{y:.3f},{w:.3f},{h:.3f},{int(c)},{k},{v:.4f}\n"
        for i, x, y, w, h, c, k, v in zip(*columns, strict=True)
    )


def table_text(table: MotTable) -> str:
    """A table as lines: ground truth (nine columns) where it has classes, else results (ten columns)."""
    x, y, w, h = table.boxes.T
    if table.has_classes:
        rest = [
            f"{int(c)},{k},{v:.4f}"
            for c, k, v in zip(table.scores, table.class_ids, table.visibility, strict=True)
        ]
    else:
        rest = [f"{score:.4f},-1,-1,-1" for score in table.scores]
    rows = zip(table.frames, table.ids, x, y, w, h, rest, strict=True)
    return "".join(f"{f},{i},{x:.3f},{y:.3f},{w:.3f},{h:.3f},{end}\n" for f, i, x, y, w, h, end in rows)


def write_mot(path: str | Path, table: MotTable) -> None:
    """Write `table` where `read_mot` finds it again; the file bears its name only once it is whole.

    Raises:
        SinkError: the place cannot be written to.
    """
    path = Path(path)
    partial = path.with_name(f"{path.stem}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(table_text(table), encoding="utf-8", newline="\n")
        partial.replace(path)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
