"""From a detector's raw output to candidate boxes.

Every decoder works on the rows above the threshold only. A row's class is its best one over all
classes, also when only some are wanted: a dog that looks 30 % like a person is no person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtreid_ros.types import Float32, Int32

Candidates = tuple[Float32, Float32, Int32]
"""``(N, 4)`` corners in pixels of the input, ``(N,)`` scores, ``(N,)`` class ids."""


class Decoder(Protocol):
    """Reads one layout."""

    def __call__(self, output: NDArray[Any], threshold: float, wanted: Int32 | None) -> Candidates:
        """Candidates of at least that score and of one of the wanted classes (None = all)."""


def corners(cxcywh: Float32) -> Float32:
    """Corners of boxes given by centre and size."""
    half = cxcywh[:, 2:] / 2
    return np.concatenate((cxcywh[:, :2] - half, cxcywh[:, :2] + half), axis=1)


def _among(class_ids: Int32, wanted: Int32 | None) -> NDArray[np.bool_]:
    return np.ones(len(class_ids), bool) if wanted is None else np.isin(class_ids, wanted)


def _best(scores: Float32, wanted: Int32 | None, threshold: float) -> tuple[NDArray[np.intp], Float32, Int32]:
    """Rows of an ``(N, C)`` score matrix whose best class is wanted and reaches the threshold."""
    class_ids = scores.argmax(axis=1).astype(np.int32)
    best = scores[np.arange(len(scores)), class_ids]
    # NaN passes on purpose: the detector counts such rows as rejected
    rows = np.flatnonzero(~(best < threshold) & _among(class_ids, wanted))
    return rows, best[rows], class_ids[rows]


@dataclass(frozen=True, slots=True)
class AnchorFree:
    """YOLOv8, v9, 11, 12: ``(1, 4 + C + extra, N)``, centre and size in pixels, one score per class.

    Attributes:
        classes: C; further channels (masks, key points) are not read.
        transposed: the output is ``(1, N, 4 + C + extra)``.
    """

    classes: int
    transposed: bool = False

    def __call__(self, output: NDArray[Any], threshold: float, wanted: Int32 | None) -> Candidates:
        """See `Decoder`."""
        table = output[0].T if self.transposed else output[0]
        scores = table[4 : 4 + self.classes]
        looked_at = scores if wanted is None else scores[wanted]
        columns = np.flatnonzero(~(looked_at.max(axis=0) < threshold))
        rows, best, class_ids = _best(np.asarray(scores[:, columns].T, np.float32), wanted, threshold)
        boxes = np.asarray(table[:4, columns[rows]].T, np.float32)
        return corners(boxes), best, class_ids


@dataclass(frozen=True, slots=True)
class Objectness:
    """YOLOv5 to v7 and decoded YOLOX: ``(1, N, 5 + C + extra)``: centre, size, objectness, class scores.

    The score is objectness times class score (Redmon et al., You Only Look Once, CVPR 2016, equation 1).

    Attributes:
        classes: C; further columns are not read.
        grid: ``(N, 2)`` cell corners in cells, and
        strides: ``(N, 1)`` cell sizes in pixels, where boxes still are offsets in cells and logarithms of
            sizes (Ge et al., YOLOX, 2021, section 2.1); None where they already are pixels.
    """

    classes: int
    grid: Float32 | None = None
    strides: Float32 | None = None

    def __call__(self, output: NDArray[Any], threshold: float, wanted: Int32 | None) -> Candidates:
        """See `Decoder`."""
        table = output[0]
        # no class score exceeds 1, so no score exceeds the objectness
        near = np.flatnonzero(~(table[:, 4] < threshold))
        few = np.asarray(table[near], np.float32)
        rows, best, class_ids = _best(few[:, 5 : 5 + self.classes] * few[:, 4:5], wanted, threshold)
        boxes = few[rows, :4]
        if self.grid is not None and self.strides is not None:
            cells, strides = self.grid[near[rows]], self.strides[near[rows]]
            with np.errstate(over="ignore"):  # an infinite size is rejected, and counted, later
                boxes = np.concatenate(
                    ((boxes[:, :2] + cells) * strides, np.exp(boxes[:, 2:]) * strides), axis=1
                )
        return corners(boxes), best, class_ids


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """YOLOv10, YOLO26, exports with NMS inside: ``(1, N, 6 + extra)``: corners in pixels, score, class id."""

    def __call__(self, output: NDArray[Any], threshold: float, wanted: Int32 | None) -> Candidates:
        """See `Decoder`."""
        table = np.asarray(output[0], np.float32)
        table = table[~(table[:, 4] < threshold)]
        class_ids = np.nan_to_num(table[:, 5], nan=-1).astype(np.int32)
        # rows of zeros pad the output
        rows = _among(class_ids, wanted) & ~((table[:, 4] == 0) & (table[:, 2] == table[:, 0]))
        return table[rows, :4], table[rows, 4], class_ids[rows]


@dataclass(frozen=True, slots=True)
class Ssd:
    """``DetectionOutput`` of SSD: ``(1, 1, N, 7)``: image, label, score, corners as shares of the input.

    Liu et al., SSD: Single Shot MultiBox Detector, ECCV 2016; label 0 is the background, and an image number
    of -1 ends the list.

    Attributes:
        size: ``(height, width)`` of the input in pixels.
    """

    size: tuple[int, int]

    def __call__(self, output: NDArray[Any], threshold: float, wanted: Int32 | None) -> Candidates:
        """See `Decoder`."""
        table = np.asarray(output[0, 0], np.float32)
        ends = np.flatnonzero(table[:, 0] < 0)
        table = table[: ends[0]] if len(ends) else table
        table = table[~(table[:, 2] < threshold)]
        class_ids = np.nan_to_num(table[:, 1], nan=-1).astype(np.int32)
        rows = _among(class_ids, wanted)
        height, width = self.size
        scale = np.array([width, height, width, height], np.float32)
        return table[rows, 3:] * scale, table[rows, 2], class_ids[rows]
