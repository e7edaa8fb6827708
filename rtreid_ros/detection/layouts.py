"""Which family a detector belongs to, found from what it puts out.

A probe image goes through the model once; the shapes that come back, their values where shapes
leave a doubt, and the exporter's metadata decide. What stays ambiguous is refused, not guessed.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtreid_ros.detection.decode import AnchorFree, Decoder, EndToEnd, Objectness, Ssd
from rtreid_ros.detection.labels import default_names, parse_names
from rtreid_ros.detection.letterbox import InputStyle
from rtreid_ros.errors import ModelError
from rtreid_ros.types import Float32

logger = logging.getLogger(__name__)

YOLO = InputStyle(fit="center", rgb=True, scale=255.0)
YOLOX = InputStyle(fit="corner", rgb=False, scale=1.0)
SSD = InputStyle(fit="stretch", rgb=False, scale=1.0)

KNOWN_LAYOUTS = {
    "yolov5": "YOLOv5/v7 (1, N, 5 + classes), N = 3 anchors for each cell of strides 8, 16, 32 (, 64)",
    "yolov6": "YOLOv6 (1, N, 5 + classes), N = 1 box for each cell of strides 8, 16, 32 (, 64), objectness 1",
    "yolov8": "YOLOv8/v9/11/12 (1, 4 + classes, N)",
    "yolox": "YOLOX (1, N, 5 + classes), N = 1 box for each cell of strides 8, 16, 32, decoded or raw",
    "end2end": "YOLOv10/26 and exports with NMS inside (1, N, 6)",
    "ssd": "SSD (1, 1, N, 7)",
}
"""Name of each layout we read, and what it looks like."""

OMZ_NAMES = {
    r"person-detection-|pedestrian-detection-": ("background", "person"),
    r"person-vehicle-bike-detection-crossroad-": ("background", "person", "vehicle", "bike"),
    r"pedestrian-and-vehicle-detector-": ("background", "vehicle", "person"),
    r"face-detection-": ("background", "face"),
}
"""Class names of SSD models of the Open Model Zoo, whose files carry none, by the beginning of the file name."""

_STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32), (16, 32))


@dataclass(frozen=True, slots=True)
class Layout:
    """How one model is fed and read.

    Attributes:
        name: a key of `KNOWN_LAYOUTS`.
        style: how it wants its pixels.
        output: position of the output that is read.
        decoder: reads it.
        class_names: name of each class id.
        nms: whether overlapping boxes remain to be suppressed.
    """

    name: str
    style: InputStyle
    output: int
    decoder: Decoder
    class_names: tuple[str, ...]
    nms: bool = True


@dataclass(frozen=True, slots=True)
class Probe:
    """What the model gave for a probe image."""

    model: str
    size: tuple[int, int]
    metadata: Mapping[str, str]
    outputs: Sequence[NDArray[Any]]


def recognise(probe: Probe) -> Layout:
    """The layout of a model.

    Raises:
        ModelError: no known layout fits; the message lists those we know.
    """
    names = parse_names(probe.metadata)
    task = probe.metadata.get("task", "detect")
    if task not in ("detect", "segment", "pose"):
        raise ModelError(
            f"{probe.model} is made for the task {task!r}; a detector (task detect, segment or pose) is needed"
        )
    for index, output in enumerate(probe.outputs):
        layout = _of(probe, index, output, names, task)
        if layout is not None:
            logger.info("%s: layout %s, %d classes", probe.model, layout.name, len(layout.class_names))
            return layout
    shapes = ", ".join(str(output.shape) for output in probe.outputs)
    known = "; ".join(KNOWN_LAYOUTS.values())
    detail = f", {len(names)} class names" if names else ""
    height, width = probe.size
    raise ModelError(
        f"{probe.model} has a layout we do not know: outputs of shape {shapes} for an input of {width}x{height}{detail}. "
        f"Known layouts: {known}. Export it in one of these, or run it through the ultralytics backend"
    )


def _of(probe: Probe, index: int, output: NDArray[Any], names: tuple[str, ...], task: str) -> Layout | None:
    shape = output.shape
    if len(shape) == 4 and shape[:2] == (1, 1) and shape[3] == 7:
        return Layout("ssd", SSD, index, Ssd(probe.size), names or _omz_names(probe.model))
    if len(shape) != 3 or shape[0] != 1:
        return None
    cells = {strides: cell_count(probe.size, strides) for strides in _STRIDES}
    extra = task != "detect"  # columns of masks or key points follow the classes

    def classes_in(columns: int, fixed: int) -> int | None:
        """Number of classes when `columns` = `fixed` + classes (+ extra) is possible."""
        if names:
            fits = columns > fixed + len(names) if extra else columns == fixed + len(names)
            return len(names) if fits else None
        return columns - fixed if columns > fixed and not extra else None

    _, middle, last = shape
    if last == 6 or (extra and last > 6):
        counts = {*cells.values(), *(3 * count for count in cells.values())}
        if middle not in counts and middle <= 1000:
            return Layout("end2end", YOLO, index, EndToEnd(), names or default_names(1000), nms=False)
    anchor_free = classes_in(middle, 4)
    if anchor_free is not None and (last in cells.values() or (names and last > middle)):
        return Layout("yolov8", YOLO, index, AnchorFree(anchor_free), names or default_names(anchor_free))
    dense = classes_in(last, 5)
    if dense is not None:
        for strides, count in cells.items():
            if middle == 3 * count:
                return Layout("yolov5", YOLO, index, Objectness(dense), names or default_names(dense))
            if middle == count:
                return _one_per_cell(probe, index, output, strides, dense, names or default_names(dense))
    if names and middle in cells.values() and classes_in(last, 4) is not None:
        return Layout("yolov8", YOLO, index, AnchorFree(len(names), transposed=True), names)
    return None


def _one_per_cell(
    probe: Probe,
    index: int,
    output: NDArray[Any],
    strides: Sequence[int],
    classes: int,
    names: tuple[str, ...],
) -> Layout:
    """YOLOX raw, YOLOX decoded in the graph, or YOLOv6: one shape, told apart by the probe's values."""
    table = np.asarray(output[0], np.float32)
    if bool((table[:, 4] == 1).all()):
        return Layout("yolov6", YOLO, index, Objectness(classes), names)
    grid, sizes = cell_grid(probe.size, strides)
    # centres lie within their cell or close to it: which reading puts them nearer?
    off_if_raw = np.median(np.abs(table[:, :2] - 0.5) * sizes)
    off_if_decoded = np.median(np.abs(table[:, :2] - (grid + 0.5) * sizes))
    if off_if_decoded < off_if_raw:
        logger.info("%s: its YOLOX boxes come decoded", probe.model)
        return Layout("yolox", YOLOX, index, Objectness(classes), names)
    return Layout("yolox", YOLOX, index, Objectness(classes, grid, sizes), names)


def _omz_names(model: str) -> tuple[str, ...]:
    for pattern, names in OMZ_NAMES.items():
        if re.match(pattern, model):
            logger.info("%s: class names by its file name: %s", model, ", ".join(names))
            return names
    return default_names(1000)


def cell_count(size: tuple[int, int], strides: Sequence[int]) -> int:
    """Number of cells that an input of ``(height, width)`` has over all strides."""
    return sum((size[0] // stride) * (size[1] // stride) for stride in strides)


def cell_grid(size: tuple[int, int], strides: Sequence[int]) -> tuple[Float32, Float32]:
    """``(N, 2)`` x, y of each cell in cells and ``(N, 1)`` its size in pixels, row by row, stride by stride."""
    cells = [
        (column, row, stride)
        for stride in strides
        for row, column in itertools.product(range(size[0] // stride), range(size[1] // stride))
    ]
    table = np.array(cells, np.float32)
    return np.ascontiguousarray(table[:, :2]), np.ascontiguousarray(table[:, 2:])
