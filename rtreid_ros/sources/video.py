"""Video files, through OpenCV's FFmpeg."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from rtreid_ros.errors import SourceError
from rtreid_ros.sources.base import BaseSource, stamp_at
from rtreid_ros.types import Frame, GroundTruth

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

VIDEO_SUFFIXES = (
    ".mp4",
    ".avi",
    ".mkv",
    ".mov",
    ".webm",
    ".m4v",
    ".mpg",
    ".mpeg",
    ".ts",
    ".wmv",
    ".flv",
    ".mjpeg",
)
_HIGHEST_RATE = 1000.0
_TIME_UNIT_NS = 1_000_000  # Matroska, WebM and FLV count whole milliseconds


def open_capture(target: str) -> Any:
    """OpenCV's reader of a file or URL, with FFmpeg's own messages off: we say what is wrong."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    return cv2.VideoCapture(target, cv2.CAP_FFMPEG)


class VideoSource(BaseSource):
    """A video file.

    Stamps are ``index / frame rate`` by the container's nominal rate, rounded to nanoseconds, so a
    constant rate is exact whatever units the container counts time in. Only where the container's
    own time of a frame is more than a millisecond off that (a variable rate) does its time count.

    Args:
        path: the file.
        frame_rate: overrules the container's; times then follow it alone.
        truth: ground truth by frame index, for videos of annotated sequences.

    Raises:
        SourceError: missing, or not a video that can be decoded.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        frame_rate: float | None = None,
        truth: Mapping[int, GroundTruth] | None = None,
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SourceError(f"{self.path}: no such video file")
        capture = self._open()
        _, first = capture.read()
        rate = capture.get(cv2.CAP_PROP_FPS)
        promised = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        if first is None:
            raise SourceError(f"{self.path}: no frame of this video can be decoded")
        if not 0 < rate <= _HIGHEST_RATE:
            if frame_rate is None:
                raise SourceError(
                    f"{self.path}: the container gives a rate of {rate:g} frames per second; say the real one"
                )
            rate = frame_rate
        super().__init__(self.path.stem, frame_rate or rate, (first.shape[0], first.shape[1]))
        self.length = promised if promised > 0 else None
        self._follow_container = frame_rate is None
        self._truth = truth

    def _open(self) -> Any:
        capture = open_capture(str(self.path))
        if not capture.isOpened():
            raise SourceError(
                f"{self.path}: OpenCV cannot read it: damaged, cut off before its index, or no video"
            )
        return capture

    def __iter__(self) -> Iterator[Frame]:
        capture = self._open()
        self.lost = 0
        index = 0
        stamps = _Stamps(self.frame_rate)
        try:
            while True:
                good, image = capture.read()
                if not good:
                    break
                position = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
                stamp = stamps.of(index, position if self._follow_container else None)
                truth = None if self._truth is None else self._truth.get(index)
                yield Frame(image, index, stamp, truth)
                index += 1
        finally:
            capture.release()
        if self.length is not None and index < self.length:
            self.lost = self.length - index
            logger.warning(
                "%s: ends after %d of the %d frames it promises; %d are missing",
                self.path,
                index,
                self.length,
                self.lost,
            )


class _Stamps:
    """Nominal times of frames, unless the container's own say that the rate is not constant."""

    def __init__(self, frame_rate: float) -> None:
        self._frame_rate = frame_rate
        self._origin = 0
        self._last = -1

    def of(self, index: int, position: int | None) -> int:
        """Stamp of frame `index`, which the container has at `position`, both in nanoseconds."""
        stamp = stamp_at(index, self._frame_rate)
        if position is not None:
            if index == 0:
                self._origin = position
            position -= self._origin
            # containers without times give 0 throughout
            if position > 0 and abs(position - stamp) > _TIME_UNIT_NS:
                stamp = position
        self._last = max(stamp, self._last + 1)
        return self._last
