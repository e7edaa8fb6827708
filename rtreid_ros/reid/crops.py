"""Boxes of an image as one normalised batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtreid_ros.reid.preprocessing import Preprocessing
from rtreid_ros.types import Float32, Int32, UInt8


def pixel_boxes(boxes: Float32, height: int, width: int) -> Int32:
    """``(N, 4)`` integer corners of crops that lie in the image and hold at least one pixel.

    Corners are rounded to the nearest pixel border and clipped; a box without extent, or wholly outside,
    becomes the one pixel of the image nearest to it, so that every box has a crop.
    """
    limits = np.array([width, height], np.float32)
    rounded = np.rint(boxes)
    first = np.clip(rounded[:, :2], 0, limits - 1)
    last = np.clip(rounded[:, 2:], first + 1, limits)
    return np.concatenate((first, last), axis=1).astype(np.int32)


def stack_crops(images: Sequence[UInt8]) -> tuple[UInt8, Float32]:
    """Crops one below the other on one image: so an embedder gets many at once, as it does from a camera.

    Returns:
        the ``(h, w, 3) uint8`` image, and ``(N, 4)`` corners of the crops in it: whole pixels, so that what
        is cut out are the crops themselves.
    """
    heights, widths = np.array([image.shape[:2] for image in images], np.int64).reshape(-1, 2).T
    ends = np.cumsum(heights)
    sheet = np.zeros((int(heights.sum()), int(widths.max(initial=0)), 3), np.uint8)
    for image, end in zip(images, ends.tolist(), strict=True):
        sheet[end - image.shape[0] : end, : image.shape[1]] = image
    boxes = np.stack([np.zeros_like(ends), ends - heights, widths, ends], axis=1)
    return sheet, boxes.astype(np.float32)


def cut(image: UInt8, boxes: Int32) -> list[UInt8]:
    """Views of an image, one for each row of `pixel_boxes`."""
    return [image[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes.tolist()]


class CropBatch:
    """Cuts, resizes and normalises crops into one array, which every call overwrites.

    Args:
        capacity: most crops at once.
        size: ``(height, width)`` of the model's input.
        preprocessing: how it wants its pixels.
        dtype: float32 or float16.
    """

    def __init__(
        self, capacity: int, size: tuple[int, int], preprocessing: Preprocessing, dtype: np.dtype[Any]
    ) -> None:
        height, width = size
        self._size = (width, height)
        self._crop = np.empty((height, width, 3), np.uint8)
        self._planes = np.zeros((capacity, 3, height, width), np.uint8)
        self._work = np.empty(self._planes.shape, np.float32)
        self._batch = self._work if dtype == np.float32 else np.empty(self._planes.shape, dtype)
        self._order = (2, 1, 0) if preprocessing.color == "RGB" else (0, 1, 2)
        std = np.array(preprocessing.std)
        # (x / scale - mean) / std as one multiplication and one addition
        self._gain = (1 / (preprocessing.scale * std)).astype(np.float32).reshape(3, 1, 1)
        self._bias = (-np.array(preprocessing.mean) / std).astype(np.float32).reshape(3, 1, 1)

    def __call__(self, image: UInt8, boxes: Int32, rows: int) -> NDArray[Any]:
        """The ``(rows, 3, H, W)`` batch for integer `boxes`; further rows are leftovers of earlier calls."""
        return self.stack(cut(image, boxes), rows)

    def stack(self, crops: Sequence[UInt8], rows: int) -> NDArray[Any]:
        """The ``(rows, 3, H, W)`` batch for crops of any images; further rows are leftovers."""
        for crop, planes in zip(crops, self._planes, strict=False):
            cv2.resize(crop, self._size, dst=self._crop, interpolation=cv2.INTER_LINEAR)
            cv2.split(self._crop, [planes[channel] for channel in self._order])
        work = self._work[:rows]
        np.multiply(self._planes[:rows], self._gain, out=work)
        work += self._bias
        batch = self._batch[:rows]
        if batch.dtype != work.dtype:
            batch[...] = work
        return batch
