"""Judging what was tracked in a bag, by files of ground truth or by the bag's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.judging import MOT17, PLAIN, FramePair, Rules
from rtreid_ros.evaluation.metrics import Evaluation, combine, evaluate_pairs, rules_for
from rtreid_ros.evaluation.mot_folder import read_seqinfo
from rtreid_ros.evaluation.mot_text import MOT_CLASSES, PEDESTRIAN, MotTable, read_mot
from rtreid_ros.ordering import Order, StampOrder

if TYPE_CHECKING:
    from rtreid_ros.bags.cameras import BagImage, Camera
    from rtreid_ros.bags.truth import BagTruth
    from rtreid_ros.types import Bool, Float64, Int64

_TRUTH_FILES = ("gt/gt.txt", "gt.txt")


@dataclass(frozen=True, slots=True, eq=False)
class TruthRows:
    """Who is where in one image, M rows; boxes are corners."""

    ids: Int64
    boxes: Float64
    class_ids: Int64
    considered: Bool


class Truth(Protocol):
    """Ground truth of one camera."""

    @property
    def rules(self) -> Rules:
        """The preprocessing it asks for."""

    def rows(self, stamp_ns: int) -> TruthRows | None:
        """Of the next image, which has that stamp; None where nothing is known of it."""

    @property
    def unused(self) -> int:
        """Of how many frames without an image it tells, after the last that was asked for."""


class FileTruth:
    """A MOTChallenge ``gt.txt``, or the sequence folder that holds it.

    Args:
        path: the file or folder.
        camera: whose images are judged.
        matching: ``number``: the n-th image is frame n, one that comes twice counting once; ``stamp``:
            frames follow from the time since the first image and the frame rate of seqinfo.ini (without
            one, the camera's), for bags that lost images while they were recorded.

    Raises:
        SourceError: it is missing or no such file.
    """

    def __init__(self, path: str | Path, camera: Camera, matching: str = "number") -> None:
        file = _truth_file(Path(path))
        folder = file.parent.parent if file.parent.name == "gt" else file.parent
        self._table = read_mot(file)
        self._rows = dict(self._table.by_frame())
        info = read_seqinfo(folder) if (folder / "seqinfo.ini").is_file() else None
        self._length = info.length if info else self._table.last_frame
        self._rate = info.frame_rate if info else camera.frame_rate
        self._by_stamp = matching == "stamp"
        self._numbers: dict[int, int] = {}
        self._first: int | None = None
        self._reached = 0
        self.rules = rules_for(self._table, folder.resolve().name)

    def rows(self, stamp_ns: int) -> TruthRows | None:
        """See `Truth`; None after the last frame of the sequence, or without seqinfo.ini of the file."""
        number = self._number(stamp_ns)
        if not 1 <= number <= self._length:
            return None
        self._reached = max(self._reached, number)
        rows = self._rows.get(number, slice(0, 0))
        table = self._table
        return TruthRows(table.ids[rows], table.xyxy(rows), table.class_ids[rows], table.considered[rows])

    @property
    def unused(self) -> int:
        """See `Truth`."""
        return self._length - self._reached

    def _number(self, stamp_ns: int) -> int:
        if self._by_stamp:
            self._first = stamp_ns if self._first is None else self._first
            return round((stamp_ns - self._first) * 1e-9 * self._rate) + 1
        # in a bag that loops, a stamp means the same frame every time
        return self._numbers.setdefault(stamp_ns, len(self._numbers) + 1)


class RecordedTruth:
    """The bag's own topic ``ground_truth``, matched by exact stamp."""

    def __init__(self, truth: BagTruth) -> None:
        self._truth = truth
        others = set(truth.classes) - {PEDESTRIAN}
        self.rules = MOT17 if others and truth.class_names is MOT_CLASSES else PLAIN

    def rows(self, stamp_ns: int) -> TruthRows | None:
        """See `Truth`."""
        truth = self._truth.take(stamp_ns)
        if truth is None:
            return None
        boxes, class_ids = truth.boxes.astype(np.float64), truth.class_ids.astype(np.int64)
        return TruthRows(truth.ids, boxes, class_ids, truth.considered)

    @property
    def unused(self) -> int:
        """See `Truth`; here of all frames that nobody asked for."""
        return self._truth.untaken


def _truth_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder")
    found = next((path / name for name in _TRUTH_FILES if (path / name).is_file()), None)
    if found is None:
        raise SourceError(f"{path}: no ground truth; looked for {' and '.join(_TRUTH_FILES)}")
    return found


@dataclass(slots=True)
class CameraJudge:
    """Follows the images of one camera while they are played, and judges the tracks afterwards.

    Where stamps jump far back, as in a bag that loops, the tracker begins anew and so do its ids:
    each round is judged by itself, and all together by sums of counts.

    Attributes:
        name: the camera's.
        truth: None: nothing is judged.
        rules: preprocessing; None: what the ground truth asks for.
        images: played so far.
        late: images that are not after the one before, which trackers refuse; not judged.
        restarts: jumps far back.
        unknown: images of which the ground truth says nothing; not judged.
    """

    name: str
    truth: Truth | None = None
    rules: Rules | None = None
    images: int = 0
    late: int = 0
    restarts: int = 0
    unknown: int = 0
    _order: StampOrder = field(default_factory=StampOrder)
    _rounds: list[list[tuple[int, TruthRows]]] = field(default_factory=lambda: [[]])

    def add(self, image: BagImage) -> bool:
        """Take note of the next image; whether a tracker should take it."""
        self.images += 1
        # also of a late one, so that it does not shift the numbers of those that follow
        rows = None if self.truth is None else self.truth.rows(image.stamp_ns)
        order = self._order.judge(image.stamp_ns)
        if order is Order.LATE:
            self.late += 1
            return False
        if order is Order.RESTART:
            self.restarts += 1
            self._rounds.append([])
        if rows is None:
            self.unknown += 1
        else:
            self._rounds[-1].append((image.index, rows))
        return True

    @property
    def judged(self) -> int:
        """Images with ground truth."""
        return sum(map(len, self._rounds))

    def evaluation(self, results: MotTable) -> Evaluation | None:
        """The scores of `results`, frame n being the n-th image; None without ground truth.

        Raises:
            SourceError: an id twice in a frame.
            MissingDependencyError: TrackEval is not installed.
        """
        if self.truth is None or not self.judged:
            return None
        rows = dict(results.by_frame())
        found = [
            evaluate_pairs(
                [_pair(results, rows.get(index + 1, slice(0, 0)), truth) for index, truth in part],
                self.rules or self.truth.rules,
                name=self.name,
            )
            for part in self._rounds
            if part
        ]
        return found[0] if len(found) == 1 else combine(found, self.name)


def _pair(results: MotTable, rows: slice, truth: TruthRows) -> FramePair:
    boxes = results.xyxy(rows)
    return FramePair(truth.ids, truth.boxes, truth.class_ids, truth.considered, results.ids[rows], boxes)
