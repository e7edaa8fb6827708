"""Compositing: polygons to an anti-aliased patch, patches onto the image and the label buffer.

Patches are drawn at twice the size and averaged down, so coverage, and with it visibility, is
counted in quarter pixels before it is thresholded.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rtreid_ros.datasets.synthetic.torso import Paint
from rtreid_ros.types import Float64, UInt8

_BITS = 4


@dataclass(frozen=True, eq=False)
class Patch:
    """A cut-out with soft edges.

    Attributes:
        colour: ``(h, w, 3) uint8`` BGR, premultiplied by coverage.
        alpha: ``(h, w) uint8`` coverage.
        left: image column of the patch's first column; may be negative.
        top: image row of the patch's first row.
    """

    colour: UInt8
    alpha: UInt8
    left: int
    top: int


def render(paints: list[Paint], supersample: int = 2) -> Patch:
    """Draw convex polygons in their order.

    Args:
        paints: polygons in image coordinates with their colours.
        supersample: sub-pixels per pixel and axis.
    """
    points = np.concatenate([polygon for polygon, _ in paints])
    left, top = np.floor(points.min(0)).astype(int) - 1
    right, bottom = np.ceil(points.max(0)).astype(int) + 1
    canvas = np.zeros((supersample * (bottom - top), supersample * (right - left), 4), np.uint8)
    fixed = np.round(((points - (left, top)) * supersample - 0.5) * (1 << _BITS)).astype(np.int32)
    start = 0
    for polygon, (blue, green, red) in paints:
        end = start + len(polygon)
        cv2.fillConvexPoly(canvas, fixed[start:end], (blue, green, red, 255), cv2.LINE_8, _BITS)
        start = end
    small = cv2.resize(canvas, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    return Patch(cv2.cvtColor(small, cv2.COLOR_BGRA2BGR), cv2.extractChannel(small, 3), int(left), int(top))


def shade(patch: Patch, light: float, strength: float = 0.34) -> Patch:
    """Round the figure off: darker on the side away from the light (+1 = light from the right)."""
    height, width = patch.alpha.shape
    reach = max(1, round(0.10 * width))
    shift = np.array([[1, 0, -light * reach], [0, 1, 0.4 * reach]])
    moved = cv2.warpAffine(patch.alpha, shift, (width, height), flags=cv2.INTER_NEAREST)
    soft = cv2.blur(moved, (2 * reach + 1, 2 * reach + 1))
    gain = cv2.convertScaleAbs(soft, alpha=strength, beta=255 * (1 - strength))
    colour = cv2.multiply(patch.colour, cv2.cvtColor(gain, cv2.COLOR_GRAY2BGR), scale=1.06 / 255)
    return Patch(colour, patch.alpha, patch.left, patch.top)


def paste(image: UInt8, labels: UInt8, patch: Patch, label: int) -> None:
    """Blend `patch` over `image` and write `label` where it covers more than half a pixel."""
    rows, columns = labels.shape
    height, width = patch.alpha.shape
    x0, x1 = max(patch.left, 0), min(patch.left + width, columns)
    y0, y1 = max(patch.top, 0), min(patch.top + height, rows)
    if x0 >= x1 or y0 >= y1:
        return
    part = np.s_[y0 - patch.top : y1 - patch.top, x0 - patch.left : x1 - patch.left]
    alpha = patch.alpha[part]
    target = image[y0:y1, x0:x1]
    rest = cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2BGR)
    target[:] = cv2.add(cv2.multiply(target, rest, scale=1 / 255), patch.colour[part])
    np.copyto(labels[y0:y1, x0:x1], np.uint8(label), where=alpha > 127)


def move(patch: Patch, affine: Float64) -> Patch:
    """The patch under a 2x3 affine of image coordinates."""
    height, width = patch.alpha.shape
    x0, y0 = patch.left, patch.top
    corners = np.array([[x0, y0], [x0 + width, y0], [x0 + width, y0 + height], [x0, y0 + height]], float)
    moved = corners @ affine[:, :2].T + affine[:, 2]
    left, top = np.floor(moved.min(0)).astype(int)
    right, bottom = np.ceil(moved.max(0)).astype(int)
    local = centred(affine, (x0, y0), (left, top))
    size = (int(right - left), int(bottom - top))
    return Patch(
        cv2.warpAffine(patch.colour, local, size),
        cv2.warpAffine(patch.alpha, local, size),
        int(left),
        int(top),
    )


def centred(affine: Float64, source: tuple[int, int], target: tuple[int, int]) -> Float64:
    """`affine` for OpenCV, which puts pixel centres at integers, between two cut-outs at these corners."""
    shifted: Float64 = affine.copy()
    shifted[:, 2] += affine[:, :2] @ (np.array(source, float) + 0.5) - np.array(target, float) - 0.5
    return shifted
