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
"""Class names of SSD models of the Open Model Zoo, whose files carry none, by how the file name begins."""

UNNAMED = 1000
"""Number of placeholder names where neither names nor the shape say how many classes there are."""

MOST_END2END_ROWS = 1000

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
        ModelError: no known layout fits, or several do; the message lists those we know.
    """
    names = parse_names(probe.metadata)
    task = probe.metadata.get("task", "detect")
    if task not in ("detect", "segment", "pose"):
        raise ModelError(
            f"{probe.model} is made for the task {task!r}; a detector is needed (detect, segment or pose)"
        )
    for index, output in enumerate(probe.outputs):
        seen = Output(probe, index, output, names, more_columns=task != "detect")
        found = [layout for layout in (reader(seen) for reader in _READERS) if layout is not None]
        if len(found) == 1:
            layout = found[0]
            logger.info("%s: layout %s, %d classes", probe.model, layout.name, len(layout.class_names))
            return layout
        if found:
            raise ModelError(
                f"{probe.model} gives {output.shape}: {' or '.join(layout.name for layout in found)}; "
                "store the class names in its metadata ('names') to tell them apart"
            )
    height, width = probe.size
    shapes = ", ".join(str(output.shape) for output in probe.outputs)
    detail = f" and {len(names)} class names" if names else ""
    raise ModelError(
        f"{probe.model} has a layout we do not know: outputs of shape {shapes} for an input of "
        f"{width}x{height}{detail}. Known layouts: {'; '.join(KNOWN_LAYOUTS.values())}. "
        "Export it in one of these, or run it through the ultralytics backend"
    )


@dataclass(frozen=True, slots=True)
class Output:
    """One output of the probe, and what is known about the model.

    Attributes:
        probe: all of it.
        index: position among the outputs.
        array: the output.
        names: class names from the metadata, or empty.
        more_columns: masks or key points follow the class scores.
    """

    probe: Probe
    index: int
    array: NDArray[Any]
    names: tuple[str, ...]
    more_columns: bool

    def classes(self, columns: int, before: int) -> int:
        """Number of classes when `before` other columns come first; 0 where that cannot be."""
        if not self.names:
            return 0 if self.more_columns else max(0, columns - before)
        spare = columns - before - len(self.names)
        return len(self.names) if (spare > 0 if self.more_columns else spare == 0) else 0

    def strides(self, rows: int) -> tuple[int, ...]:
        """The strides whose cells number `rows`; empty where none fit."""
        return next((strides for strides in _STRIDES if cell_count(self.probe.size, strides) == rows), ())


def _read_ssd(output: Output) -> Layout | None:
    shape = output.array.shape
    if len(shape) != 4 or shape[:2] != (1, 1) or shape[3] != 7:
        return None
    names = output.names or _omz_names(output.probe.model)
    return Layout("ssd", SSD, output.index, Ssd(output.probe.size), names)


def _read_end2end(output: Output) -> Layout | None:
    shape = output.array.shape
    if len(shape) != 3 or shape[0] != 1 or shape[1] > MOST_END2END_ROWS:
        return None
    if shape[2] < 7 if output.more_columns else shape[2] != 6:
        return None
    if output.strides(shape[1]) or (shape[1] % 3 == 0 and output.strides(shape[1] // 3)):
        return None  # one-class YOLOX or YOLOv5
    if output.strides(shape[2]):
        return None  # YOLOv8 with masks or key points
    names = output.names or default_names(UNNAMED)
    return Layout("end2end", YOLO, output.index, EndToEnd(), names, nms=False)


def _read_anchor_free(output: Output) -> Layout | None:
    shape = output.array.shape
    if len(shape) != 3 or shape[0] != 1:
        return None
    for columns, rows, transposed in ((shape[1], shape[2], False), (shape[2], shape[1], True)):
        classes = output.classes(columns, 4)
        # only names tell a transposed one from YOLOX, and excuse strides that are not YOLO's
        if (
            classes
            and (output.strides(rows) or (output.names and rows > columns))
            and (output.names or not transposed)
        ):
            names = output.names or default_names(classes)
            return Layout("yolov8", YOLO, output.index, AnchorFree(classes, transposed), names)
    return None


def _read_objectness(output: Output) -> Layout | None:
    shape = output.array.shape
    classes = output.classes(shape[2], 5) if len(shape) == 3 and shape[0] == 1 else 0
    if not classes:
        return None
    names = output.names or default_names(classes)
    if shape[1] % 3 == 0 and output.strides(shape[1] // 3):
        return Layout("yolov5", YOLO, output.index, Objectness(classes), names)
    strides = output.strides(shape[1])
    return _one_per_cell(output, strides, classes, names) if strides else None


_READERS = (_read_ssd, _read_end2end, _read_anchor_free, _read_objectness)


def _one_per_cell(output: Output, strides: Sequence[int], classes: int, names: tuple[str, ...]) -> Layout:
    """YOLOX raw, YOLOX decoded in the graph, or YOLOv6: one shape, told apart by the probe's values."""
    table = np.asarray(output.array[0], np.float32)
    if bool((table[:, 4] == 1).all()):
        return Layout("yolov6", YOLO, output.index, Objectness(classes), names)
    grid, sizes = cell_grid(output.probe.size, strides)
    # centres lie within their cell or close to it: which reading puts them nearer?
    off_if_raw = np.median(np.abs(table[:, :2] - 0.5) * sizes)
    off_if_decoded = np.median(np.abs(table[:, :2] - (grid + 0.5) * sizes))
    if off_if_decoded < off_if_raw:
        logger.info("%s: its YOLOX boxes come decoded", output.probe.model)
        return Layout("yolox", YOLOX, output.index, Objectness(classes), names)
    return Layout("yolox", YOLOX, output.index, Objectness(classes, grid, sizes), names)


def _omz_names(model: str) -> tuple[str, ...]:
    for pattern, names in OMZ_NAMES.items():
        if re.match(pattern, model):
            logger.info("%s: class names by its file name: %s", model, ", ".join(names))
            return names
    return default_names(UNNAMED)


def cell_count(size: tuple[int, int], strides: Sequence[int]) -> int:
    """Number of cells that an input of ``(height, width)`` has over all strides."""
    return sum((size[0] // stride) * (size[1] // stride) for stride in strides)


def cell_grid(size: tuple[int, int], strides: Sequence[int]) -> tuple[Float32, Float32]:
    """``(N, 2)`` x, y of each cell in cells, ``(N, 1)`` its size in pixels; row by row, stride by stride."""
    cells = [
        (column, row, stride)
        for stride in strides
        for row, column in itertools.product(range(size[0] // stride), range(size[1] // stride))
    ]
    table = np.array(cells, np.float32)
    return np.ascontiguousarray(table[:, :2]), np.ascontiguousarray(table[:, 2:])
