"""From an image to a detector's input, and boxes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtreid_ros.types import Float32, UInt8

GRAY = 114
"""Value of the padding, as in the training of every YOLO from v3 on."""


@dataclass(frozen=True, slots=True)
class InputStyle:
    """How a family of detectors wants its pixels.

    Attributes:
        fit: ``center`` keeps the aspect and pads all around (YOLO), ``corner`` keeps it and pads right
            and below (YOLOX), ``stretch`` fills the input (SSD).
        rgb: channel order RGB rather than BGR.
        scale: the 8-bit values are divided by this.
    """

    fit: str
    rgb: bool
    scale: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an image lies in a letterbox: ``input = image * gain + offset``, per axis x, y."""

    gain: tuple[float, float]
    offset: tuple[float, float]
    size: tuple[int, int]
    """``(width, height)`` of the resized image."""

    def to_image(self, boxes: Float32) -> Float32:
        """``(N, 4)`` corners in pixels of the input, as pixels of the image."""
        gain = np.array(self.gain * 2, np.float32)
        offset = np.array(self.offset * 2, np.float32)
        mapped: Float32 = (boxes - offset) / gain
        return mapped


def place(image_size: tuple[int, int], input_size: tuple[int, int], fit: str) -> Placement:
    """Where an image of ``(height, width)`` goes in an input of ``(height, width)``."""
    height, width = image_size
    rows, columns = input_size
    if fit == "stretch":
        return Placement((columns / width, rows / height), (0.0, 0.0), (columns, rows))
    ratio = min(rows / height, columns / width)
    if fit == "corner":
        new_width, new_height = max(1, int(width * ratio)), max(1, int(height * ratio))
        left = top = 0
    else:
        new_width, new_height = max(1, round(width * ratio)), max(1, round(height * ratio))
        # half a pixel too much goes right and below
        left, top = (columns - new_width) // 2, (rows - new_height) // 2
    gain = (new_width / width, new_height / height)
    return Placement(gain, (float(left), float(top)), (new_width, new_height))


class Letterbox:
    """Fits images of any size into one input array, which every call overwrites and which grows as needed.

    Args:
        input_size: ``(height, width)`` of the detector's input.
        style: how it wants its pixels.
        dtype: float32 or float16.
    """

    def __init__(self, input_size: tuple[int, int], style: InputStyle, dtype: np.dtype[Any]) -> None:
        height, width = input_size
        self._size = input_size
        self._style = style
        self._canvas: UInt8 = np.full((height, width, 3), GRAY, np.uint8)
        self._planes = [np.empty((height, width), np.uint8) for _ in range(3)]
        self._blob: NDArray[Any] = np.empty((1, 3, height, width), dtype)
        self._factor = dtype.type(1 / style.scale)
        self._image_size: tuple[int, int] | None = None
        self._placement = place(input_size, input_size, style.fit)

    def __call__(self, image: UInt8) -> tuple[NDArray[Any], Placement]:
        """The ``(1, 3, H, W)`` input for a ``(h, w, 3)`` BGR image, and where the image lies in it."""
        blob, placements = self.stack([image])
        return blob, placements[0]

    def stack(self, images: Sequence[UInt8]) -> tuple[NDArray[Any], list[Placement]]:
        """The ``(N, 3, H, W)`` input for N images of any sizes, and where each lies in its row."""
        if len(images) > len(self._blob):
            self._blob = np.empty((len(images), *self._blob.shape[1:]), self._blob.dtype)
        blob = self._blob[: len(images)]
        return blob, [self._fill(image, row) for image, row in zip(images, blob, strict=True)]

    def _fill(self, image: UInt8, row: NDArray[Any]) -> Placement:
        size = (image.shape[0], image.shape[1])
        if size != self._image_size:
            self._canvas.fill(GRAY)
            self._image_size = size
            self._placement = place(size, self._size, self._style.fit)
        placement = self._placement
        left, top = int(placement.offset[0]), int(placement.offset[1])
        width, height = placement.size
        cv2.resize(
            image,
            (width, height),
            dst=self._canvas[top : top + height, left : left + width],
            interpolation=cv2.INTER_LINEAR,
        )
        # splitting first and scaling plane by plane is many times as fast as cv2.dnn.blobFromImage
        cv2.split(self._canvas, self._planes)
        planes = self._planes[::-1] if self._style.rgb else self._planes
        for plane, out in zip(planes, row, strict=True):
            np.multiply(plane, self._factor, out=out, casting="unsafe")
        return placement
