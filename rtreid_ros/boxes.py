"""Box algebra: formats and overlaps, for arrays of boxes.

Formats, all in pixels, one box per row of an ``(N, 4)`` array:

* ``xyxy``: corners ``x1, y1, x2, y2``; a box covers ``x2 - x1`` by ``y2 - y1`` (no "+ 1");
* ``ltwh``: left, top, width, height;
* ``cxcywh``: centre, width, height;
* ``xyah``: centre, aspect ratio (width / height), height;
* ``xysr``: centre, scale (area, in square pixels), aspect ratio (width / height).

float32 and float64 arrays are computed in their own precision, anything else in float64.

Degenerate boxes never give NaN or a warning. A box whose corners are out of order counts as empty
(area 0). Where a quotient has no value because its denominator is 0, it is 0: the IoU of two empty
boxes (also of identical ones), the enclosing-box penalty of GIoU and the distance penalty of DIoU
for boxes that coincide in a point, the aspect ratio of a box without height.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[Any]


def _as_boxes(boxes: ArrayLike) -> Boxes:
    array = np.asarray(boxes)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes must have shape (N, 4), got {array.shape}")
    return array


def _ratio(numerator: Boxes, denominator: Boxes) -> Boxes:
    """``numerator / denominator``, in place of the numerator; 0 for 0 / 0. Denominators are >= 0."""
    floor = np.finfo(denominator.dtype).smallest_subnormal
    quotient: Boxes = np.divide(numerator, np.maximum(denominator, floor), out=numerator)
    return quotient


def _columns(first: Boxes, second: Boxes, third: Boxes, fourth: Boxes) -> Boxes:
    joined = np.empty((len(first), 4), first.dtype)
    joined[:, 0], joined[:, 1], joined[:, 2], joined[:, 3] = first, second, third, fourth
    return joined


# ------------------------------------------------------------------------ formats


def xyxy_to_ltwh(boxes: ArrayLike) -> Boxes:
    """Corners to left, top, width, height."""
    x1, y1, x2, y2 = _as_boxes(boxes).T
    return _columns(x1, y1, x2 - x1, y2 - y1)


def ltwh_to_xyxy(boxes: ArrayLike) -> Boxes:
    """Left, top, width, height to corners."""
    left, top, width, height = _as_boxes(boxes).T
    return _columns(left, top, left + width, top + height)


def xyxy_to_cxcywh(boxes: ArrayLike) -> Boxes:
    """Corners to centre, width, height."""
    x1, y1, x2, y2 = _as_boxes(boxes).T
    return _columns((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1)


def cxcywh_to_xyxy(boxes: ArrayLike) -> Boxes:
    """Centre, width, height to corners."""
    x, y, width, height = _as_boxes(boxes).T
    return _columns(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def xyxy_to_xyah(boxes: ArrayLike) -> Boxes:
    """Corners to centre, aspect ratio (width / height), height."""
    x1, y1, x2, y2 = _as_boxes(boxes).T
    height = y2 - y1
    aspect = np.divide(x2 - x1, height, out=np.zeros_like(height), where=height != 0)
    return _columns((x1 + x2) / 2, (y1 + y2) / 2, aspect, height)


def xyah_to_xyxy(boxes: ArrayLike) -> Boxes:
    """Centre, aspect ratio, height to corners."""
    x, y, aspect, height = _as_boxes(boxes).T
    half_width, half_height = aspect * height / 2, height / 2
    return _columns(x - half_width, y - half_height, x + half_width, y + half_height)


def xyxy_to_xysr(boxes: ArrayLike) -> Boxes:
    """Corners to centre, area, aspect ratio (width / height)."""
    x, y, width, height = xyxy_to_cxcywh(boxes).T
    aspect = np.divide(width, height, out=np.zeros_like(height), where=height != 0)
    return _columns(x, y, width * height, aspect)


def xysr_to_xyxy(boxes: ArrayLike) -> Boxes:
    """Centre, area, aspect ratio (width / height) to corners."""
    x, y, scale, aspect = _as_boxes(boxes).T
    width = np.sqrt(np.maximum(scale * aspect, 0))
    height = np.divide(scale, width, out=np.zeros_like(width), where=width != 0)
    return _columns(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def clip(boxes: ArrayLike, height: int, width: int) -> Boxes:
    """Corners moved into an image of that size; a box wholly outside becomes empty, at its border."""
    x1, y1, x2, y2 = _as_boxes(boxes).T
    return _columns(x1.clip(0, width), y1.clip(0, height), x2.clip(0, width), y2.clip(0, height))


# ----------------------------------------------------------------------- overlaps


def area(boxes: ArrayLike) -> NDArray[Any]:
    """``(N,)`` areas of corner boxes, in square pixels; 0 where corners are out of order."""
    x1, y1, x2, y2 = _as_boxes(boxes).T
    product: NDArray[Any] = np.maximum(x2 - x1, 0) * np.maximum(y2 - y1, 0)
    return product


def _span(low_a: Boxes, high_a: Boxes, low_b: Boxes, high_b: Boxes) -> Boxes:
    """Length that intervals a (rows) and b (columns) have in common."""
    length = np.minimum(high_a[:, None], high_b)
    length -= np.maximum(low_a[:, None], low_b)
    return np.maximum(length, 0, out=length)


def _hull(low_a: Boxes, high_a: Boxes, low_b: Boxes, high_b: Boxes) -> Boxes:
    """Length of the shortest interval that holds both a (rows) and b (columns)."""
    length = np.maximum(high_a[:, None], high_b)
    length -= np.minimum(low_a[:, None], low_b)
    return np.maximum(length, 0, out=length)


def _pair(a: ArrayLike, b: ArrayLike) -> tuple[Boxes, Boxes]:
    """Both in one precision, as four contiguous planes x1, y1, x2, y2."""
    first, second = _as_boxes(a), _as_boxes(b)
    dtype = np.result_type(first, second)
    return np.ascontiguousarray(first.T, dtype), np.ascontiguousarray(second.T, dtype)


def _intersection_and_union(a: Boxes, b: Boxes) -> tuple[Boxes, Boxes]:
    intersection = _span(a[0], a[2], b[0], b[2])
    intersection *= _span(a[1], a[3], b[1], b[3])
    union = area(a.T)[:, None] + area(b.T)
    union -= intersection
    return intersection, union


def iou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Intersection over union of corner boxes ``a (N, 4)`` and ``b (M, 4)``: ``(N, M)`` in [0, 1]."""
    return _ratio(*_intersection_and_union(*_pair(a, b)))


def giou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Generalised IoU, ``(N, M)`` in [-1, 1].

    ``IoU - (|C| - |A u B|) / |C|`` with C the enclosing box (Rezatofighi et al., Generalized
    Intersection over Union, CVPR 2019, algorithm 1).
    """
    a, b = _pair(a, b)
    intersection, union = _intersection_and_union(a, b)
    enclosing = _hull(a[0], a[2], b[0], b[2])
    enclosing *= _hull(a[1], a[3], b[1], b[3])
    overlap = _ratio(intersection, union)
    overlap -= _ratio(np.maximum(enclosing - union, 0), enclosing)
    return overlap


def diou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Distance IoU, ``(N, M)`` in [-1, 1].

    ``IoU - d^2 / c^2`` with d the distance of the centres and c the diagonal of the enclosing box
    (Zheng et al., Distance-IoU Loss, AAAI 2020, equation 7 without the loss's ``1 -``).
    """
    a, b = _pair(a, b)
    x = (a[0] + a[2])[:, None] - (b[0] + b[2])
    y = (a[1] + a[3])[:, None] - (b[1] + b[3])
    x *= x
    y *= y
    x += y
    x /= 4  # sums of corners are twice the centres
    width, height = _hull(a[0], a[2], b[0], b[2]), _hull(a[1], a[3], b[1], b[3])
    width *= width
    height *= height
    width += height
    overlap = _ratio(*_intersection_and_union(a, b))
    overlap -= _ratio(x, width)
    return overlap


def ciou(a: ArrayLike, b: ArrayLike) -> Boxes:
    """Complete IoU, ``(N, M)`` in (-2, 1].

    ``DIoU - alpha v`` with ``v = 4 / pi^2 (atan(w_a / h_a) - atan(w_b / h_b))^2`` and
    ``alpha = v / (1 - IoU + v)`` (Zheng et al., Distance-IoU Loss, AAAI 2020, equations 8, 9, 11).
    """
    a, b = _pair(a, b)
    angle_a, angle_b = (
        np.arctan2(np.maximum(box[2] - box[0], 0), np.maximum(box[3] - box[1], 0)) for box in (a, b)
    )
    difference = angle_a[:, None] - angle_b
    v = difference * difference
    v *= 4 / np.pi**2
    slack = 1 - iou(a.T, b.T)
    slack += v
    v *= v
    result = diou(a.T, b.T)
    result -= _ratio(v, slack)
    return result
