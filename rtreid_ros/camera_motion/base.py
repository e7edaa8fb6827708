"""What every estimator of camera motion is, and what those that look at images share."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike

from rtreid_ros.affine import compose, identity, transform
from rtreid_ros.errors import ImageError, InputError
from rtreid_ros.options import option
from rtreid_ros.types import Float64, UInt8

logger = logging.getLogger(__name__)

ViewT = TypeVar("ViewT")

_BORDER = 0.02
"""Share of the image's size left out along its border, where lenses and encoders do their worst."""
_WIDEST_ZOOM = 2.0
_FARTHEST = 0.5
"""Estimates that zoom by more, or move the centre by more of the image's size, are mistakes."""


class CameraMotion(ABC):
    """Tells how the camera moved from one frame to the next.

    One instance serves one camera and one thread at a time; instances share nothing.

    Attributes:
        failures: times the motion could not be told, and the identity was given instead.
    """

    def __init__(self) -> None:
        self.failures = 0

    @abstractmethod
    def estimate(
        self,
        image: UInt8,
        boxes: ArrayLike | None = None,
        *,
        index: int | None = None,
        stamp_ns: int | None = None,
    ) -> Float64:
        """The motion from the frame of the last call to this one.

        Args:
            image: ``(H, W, 3)`` BGR or ``(H, W)`` grey, ``uint8``.
            boxes: ``(N, 4)`` corners in pixels of things that move by themselves.
            index: the frame's position in its source, from 0, for those that go by it.
            stamp_ns: the frame's time in nanoseconds, for those that go by it.

        Returns:
            ``(2, 3) float64`` affine in pixels: where points of the background that the previous
            frame shows lie in this one. The identity for the first frame, the first after `reset`
            and wherever it cannot be told; the last counts in `failures`.

        Raises:
            ImageError: no image it can work on; nothing has changed.
            InputError: `boxes` are none; nothing has changed.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forget the frame of the last call. Counters go on."""


@dataclass(frozen=True, slots=True)
class ImageMotionOptions:
    """Options of every estimator that looks at images."""

    longest_side: int = option(480, "images are reduced until no side is longer, pixels", ge=32, le=8192)


class ImageMotion(CameraMotion, Generic[ViewT]):
    """Compares each image with the one before, both reduced and without the boxes.

    A subclass says what it keeps of an image (`_look`) and what motion lies between two of these
    (`_between`), both in pixels of the reduced image.
    """

    Options: ClassVar[type[ImageMotionOptions]] = ImageMotionOptions

    def __init__(self, options: Any = None) -> None:
        super().__init__()
        self.options: Any = self.Options() if options is None else options
        self._size: tuple[int, int] | None = None
        self._previous: ViewT | None = None

    def reset(self) -> None:
        """Forget the last image."""
        self._size = self._previous = None

    def estimate(
        self,
        image: UInt8,
        boxes: ArrayLike | None = None,
        *,
        index: int | None = None,
        stamp_ns: int | None = None,
    ) -> Float64:
        """The motion from the image of the last call to this one; see `CameraMotion.estimate`."""
        size = _check(image)
        moving = _moving(boxes)
        if self._size is not None and self._size != size:
            logger.warning(
                "images are now %dx%d pixels, before %dx%d: camera motion starts anew",
                *size[::-1],
                *self._size[::-1],
            )
            self.reset()
        first, self._size = self._size is None, size
        grey, factors = _reduce(image, self.options.longest_side)
        previous = self._previous
        motion = None
        try:
            self._previous = self._look(grey, _background(grey.shape, moving * (*factors, *factors)))
            if previous is not None and self._previous is not None:
                motion = self._between(previous, self._previous)
        except cv2.error as error:  # such as no iteration that converges, or an image of a few pixels
            logger.debug("no camera motion: %s", error)
        if first:
            return identity()
        if motion is None or not is_plausible(motion, grey.shape):
            self.failures += 1
            return identity()
        return _enlarge(motion, factors)

    @abstractmethod
    def _look(self, grey: UInt8, background: UInt8) -> ViewT | None:
        """What to keep of an image; `background` is 255 where nothing is known to move, else 0."""

    @abstractmethod
    def _between(self, previous: ViewT, current: ViewT) -> Float64 | None:
        """``(2, 3)`` affine from the previous image to the current one; None = cannot be told."""


def _check(image: UInt8) -> tuple[int, int]:
    if not (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3))
        and image.size
    ):
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImageError(f"camera motion needs a uint8 image (H, W, 3) or (H, W), got {found}")
    return image.shape[0], image.shape[1]


def _moving(boxes: ArrayLike | None) -> Float64:
    rows = np.zeros((0, 4)) if boxes is None else np.asarray(boxes, np.float64)
    if rows.size == 0:
        return np.zeros((0, 4))
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise InputError(f"boxes must have shape (N, 4), got {rows.shape}")
    return np.asarray(rows[np.isfinite(rows).all(axis=1)])


def _reduce(image: UInt8, longest_side: int) -> tuple[UInt8, tuple[float, float]]:
    """The grey image, no side longer than `longest_side`, and the factors in x and y that made it so."""
    height, width = image.shape[:2]
    longest = max(height, width)
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    if longest > longest_side:
        columns = max(1, round(width * longest_side / longest))
        rows = max(1, round(height * longest_side / longest))
        # between up to two pixels nothing is skipped, and interpolating is much quicker
        method = cv2.INTER_LINEAR if longest <= 2 * longest_side else cv2.INTER_AREA
        grey = cv2.resize(grey, (columns, rows), interpolation=method)
    elif grey is image:
        grey = image.copy()
    return grey, (grey.shape[1] / width, grey.shape[0] / height)


def _background(shape: tuple[int, ...], boxes: Float64) -> UInt8:
    rows, columns = shape
    mask = np.zeros((rows, columns), np.uint8)
    top, left = int(_BORDER * rows), int(_BORDER * columns)
    mask[top : rows - top, left : columns - left] = 255
    low = np.floor(np.clip(boxes[:, :2], 0, (columns, rows))).astype(int)
    high = np.ceil(np.clip(boxes[:, 2:], 0, (columns, rows))).astype(int)
    for (x1, y1), (x2, y2) in zip(low.tolist(), high.tolist(), strict=True):
        mask[y1:y2, x1:x2] = 0
    return mask


def is_plausible(motion: Float64, shape: tuple[int, ...]) -> bool:
    """Whether a camera can have moved so between two frames of that shape."""
    if not np.isfinite(motion).all():
        return False
    zoom = np.sqrt(abs(np.linalg.det(motion[:, :2])))
    size = np.array(shape[1::-1], np.float64)
    moved = np.abs(transform(motion, size / 2) - size / 2)
    return bool(1 / _WIDEST_ZOOM < zoom < _WIDEST_ZOOM and (moved < _FARTHEST * size).all())


def _enlarge(motion: Float64, factors: tuple[float, float]) -> Float64:
    """The same motion in pixels of the whole image, whose pixel centres lie at + 0.5."""
    x, y = factors
    reduce = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]])
    enlarge = np.array([[1 / x, 0, (1 / x - 1) / 2], [0, 1 / y, (1 / y - 1) / 2]])
    return compose(enlarge, compose(motion, reduce))
