"""Depth images: how far away is what a box holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtreid_ros.errors import ImageError
from rtreid_ros.types import Bool, Float32, Float64

_UNITS = {"16UC1": 1e-3, "mono16": 1e-3, "32FC1": 1.0}
"""Metres of one step of an encoding (REP 118); some drivers name millimetres mono16."""

_GRID = 24
"""Samples per side of a box: enough to find a surface, and equally many near and far."""
_CENTRAL = (0.25, 0.15, 0.75, 0.65)
"""Part of a box that is sampled, as shares of its sides: the trunk of a person, little background."""
_LEAST_VALID = 0.1
"""Share of the samples that must hold a depth."""
_LEAST_SURFACE = 0.25
"""Share of those that the nearest surface must have: what hides less of the trunk is a pole or a hand."""
_BIN_M, _BIN_SHARE = 0.15, 0.03
"""Width of a histogram's bin at depth 0 and its growth per metre, as the noise of depth cameras grows."""
_FARTHEST_M = 200.0


@dataclass(frozen=True, slots=True, eq=False)
class DepthImage:
    """Distances along the optical axis, still as they came.

    Attributes:
        values: ``(H, W)`` samples.
        unit: metres of one step.
    """

    values: NDArray[Any]
    unit: float

    @classmethod
    def view(
        cls, data: Any, height: int, width: int, step: int, encoding: str, is_bigendian: bool = False
    ) -> DepthImage:
        """The samples of a ``sensor_msgs/Image``, without a copy.

        Args:
            data: bytes holding the rows.
            height: pixels.
            width: pixels.
            step: bytes from one row to the next.
            encoding: ``16UC1`` (millimetres) or ``32FC1`` (metres), as REP 118 has it.
            is_bigendian: byte order of the samples.

        Raises:
            ImageError: another encoding, no size, or rows that do not fit.
        """
        if encoding not in _UNITS:
            raise ImageError(f"{encoding!r} is no encoding of depth; known: {', '.join(_UNITS)}")
        kind = np.dtype("f4" if encoding == "32FC1" else "u2").newbyteorder(">" if is_bigendian else "<")
        if min(height, width) <= 0 or step < width * kind.itemsize or len(data) < step * height:
            raise ImageError(
                f"depth image of {width}x{height} {encoding} does not fit its step of {step} "
                f"and {len(data)} bytes"
            )
        rows = np.frombuffer(data, np.uint8, step * height).reshape(height, step)
        return cls(rows[:, : width * kind.itemsize].view(kind), _UNITS[encoding])

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)`` in pixels."""
        return self.values.shape[0], self.values.shape[1]

    def at(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Float32:
        """Metres at pixels, any shape; NaN where there is none: holes, zeros, infinities."""
        with np.errstate(invalid="ignore", over="ignore"):  # signalling NaNs and huge values become none
            metres: Float32 = self.values[rows, columns].astype(np.float32) * np.float32(self.unit)
            metres[~((metres > 0) & (metres < _FARTHEST_M))] = np.nan
        return metres


def nearest_surfaces(depth: DepthImage, boxes: Float64) -> tuple[Float64, Float64]:
    """Depth of the nearest large surface in the middle of every box.

    The samples of a box fall into bins whose width grows with distance. The nearest two bins in a
    row that hold a quarter of them are a surface; the next ones are taken instead while they hold
    more, so that a slanted surface is met where it is densest. Its median is the depth. Holes and
    what is behind count for nothing, and neither does what hides only a little of the middle.
    Samples inside a box that reaches lower, whose object stands in front, belong to that one.

    Args:
        depth: registered to the image of the boxes.
        boxes: ``(N, 4)`` corners in pixels of `depth`.

    Returns:
        Metres ``(N,)``, and their spread ``(N,)`` (median absolute deviation as that of a normal
        distribution). NaN where too few samples are known, where there is no such surface, and
        for boxes whose middle lies outside the image.
    """
    count = len(boxes)
    if count == 0:
        return np.zeros(0), np.zeros(0)
    rows, columns = _pixels(depth.size, boxes)
    samples = depth.at(rows, columns).reshape(count, -1).astype(np.float64)
    known: Bool = np.isfinite(samples) & _middle_inside(depth.size, boxes)[:, None]
    known &= ~_behind_others(boxes, rows, columns).reshape(count, -1)
    amount = known.sum(axis=1)

    # bins of equal width in t, with dd/dt = _BIN_M + _BIN_SHARE * d
    place = np.log1p(np.where(known, samples, 0.0) * (_BIN_SHARE / _BIN_M)) / _BIN_SHARE
    bins = place.astype(np.intp)
    number = int(np.log1p(_FARTHEST_M * _BIN_SHARE / _BIN_M) / _BIN_SHARE) + 2
    flat = (bins + number * np.arange(count)[:, None])[known]
    counts = np.bincount(flat, minlength=count * number).reshape(count, number)
    pairs = counts[:, :-1] + counts[:, 1:]

    enough = pairs >= np.maximum(_LEAST_SURFACE * amount, 1)[:, None]
    first = enough.argmax(axis=1)
    each = np.arange(count)
    # uphill by at most the width of one pair: beyond is another surface
    steps = np.minimum(first[:, None] + np.arange(3), number - 2)
    best = steps[each, pairs[each[:, None], steps].argmax(axis=1)]
    surface = known & (bins >= best[:, None]) & (bins <= best[:, None] + 1)
    usable = enough.any(axis=1) & (amount >= _LEAST_VALID * samples.shape[1])

    found, spread = np.full(count, np.nan), np.full(count, np.nan)
    chosen = np.where(surface, samples, np.nan)[usable]
    if len(chosen):
        found[usable] = np.nanmedian(chosen, axis=1)
        spread[usable] = 1.4826 * np.nanmedian(np.abs(chosen - found[usable][:, None]), axis=1)
    return found, spread


def _pixels(size: tuple[int, int], boxes: Float64) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows ``(N, G, 1)`` and columns ``(N, 1, G)`` of a grid over the middle of every box."""
    share = (np.arange(_GRID) + 0.5) / _GRID
    corner, extent = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    left, top, right, bottom = _CENTRAL
    columns = corner[:, :1] + extent[:, :1] * (left + (right - left) * share)
    rows = corner[:, 1:] + extent[:, 1:] * (top + (bottom - top) * share)
    return _within(rows, size[0])[:, :, None], _within(columns, size[1])[:, None, :]


def _within(coordinates: Float64, length: int) -> NDArray[np.intp]:
    """Indices of pixels, the nearest there is."""
    return np.clip(np.nan_to_num(coordinates), 0, length - 1).astype(np.intp)


def _behind_others(boxes: Float64, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Bool:
    """``(N, G, G)`` samples that lie in the box of somebody who stands in front."""
    hidden = np.zeros((len(boxes), _GRID, _GRID), bool)
    for other in boxes:
        across = (columns >= other[0]) & (columns < other[2])
        hidden |= across & (rows >= other[1]) & (rows < other[3]) & (boxes[:, 3] < other[3])[:, None, None]
    return hidden


def _middle_inside(size: tuple[int, int], boxes: Float64) -> Bool:
    """``(N,)`` whether the centre of the sampled part lies in the image."""
    left, top, right, bottom = _CENTRAL
    x = boxes[:, 0] + (boxes[:, 2] - boxes[:, 0]) * (left + right) / 2
    y = boxes[:, 1] + (boxes[:, 3] - boxes[:, 1]) * (top + bottom) / 2
    inside: Bool = (x >= 0) & (y >= 0) & (x < size[1]) & (y < size[0])
    return inside
