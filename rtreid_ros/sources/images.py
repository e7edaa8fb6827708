"""Numbered or named pictures in a folder."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

from rtreid_ros.errors import SourceError
from rtreid_ros.sources.base import BaseSource, stamp_at
from rtreid_ros.types import Frame, GroundTruth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rtreid_ros.types import UInt8

logger = logging.getLogger(__name__)

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
DEFAULT_RATE = 30.0


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Sorts ``img9`` before ``img10``."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]


def images_in(folder: Path) -> list[Path]:
    """Pictures directly in a folder, in natural order."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(found, key=natural_key)


class ImageSource(BaseSource):
    """Pictures as frames of a constant rate.

    A picture that cannot be decoded is logged, counted in `lost` and skipped; its index stays
    free, so the frames after it keep their time.

    Args:
        paths: the pictures in order.
        name: of the source.
        frame_rate: frames per second.
        indices: frame index of each picture; None = 0, 1, 2, ...
        truth: ground truth by frame index.

    Raises:
        SourceError: no picture at all, or none that can be decoded.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        name: str,
        frame_rate: float = DEFAULT_RATE,
        indices: Sequence[int] | None = None,
        truth: Mapping[int, GroundTruth] | None = None,
    ) -> None:
        if not paths:
            raise SourceError(f"{name}: no pictures; known suffixes are {', '.join(IMAGE_SUFFIXES)}")
        first = next((image for image in map(_read, paths) if image is not None), None)
        if first is None:
            raise SourceError(f"{name}: none of the {len(paths)} pictures can be decoded, such as {paths[0]}")
        super().__init__(name, frame_rate, (first.shape[0], first.shape[1]))
        self.paths = list(paths)
        self.indices = list(range(len(paths))) if indices is None else list(indices)
        self.length = self.indices[-1] + 1
        self._truth = truth

    def __iter__(self) -> Iterator[Frame]:
        self.lost = 0
        for index, path in zip(self.indices, self.paths, strict=True):
            image = _read(path)
            if image is None:
                self.lost += 1
                logger.warning("%s: cannot be decoded, skipped", path)
                continue
            truth = None if self._truth is None else self._truth.get(index)
            yield Frame(image, index, stamp_at(index, self.frame_rate), truth)


def _read(path: Path) -> UInt8 | None:
    image: UInt8 | None = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return image
