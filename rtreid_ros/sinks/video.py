"""Annotated video."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rtreid_ros.errors import SinkError
from rtreid_ros.sinks.base import Output, OutputSink, remove
from rtreid_ros.visualization import Annotator, VisualizationOptions

if TYPE_CHECKING:
    from rtreid_ros.pipeline import FrameResult
    from rtreid_ros.types import UInt8

CODECS = ("avc1", "mp4v")
"""Tried in this order: H.264, which browsers play, is not in every build of OpenCV."""


class VideoOutput(Output):
    """Frames into an mp4; the first one opens it. Frames of another size are scaled to the first's.

    Args:
        path: the file; its suffix decides the container.
        frame_rate: frames per second.
        codecs: four-letter codes, the first that works is used.

    Raises:
        SinkError: no codec works, or the place cannot be written to.
    """

    def __init__(self, path: str | Path, frame_rate: float, codecs: tuple[str, ...] = CODECS) -> None:
        super().__init__(path)
        self.frame_rate = frame_rate
        self.codec = ""
        self._codecs = codecs
        self._writer: Any = None
        self._size = (0, 0)

    def append(self, image: UInt8) -> None:
        """One more frame, ``(H, W, 3) uint8`` BGR."""
        height, width = image.shape[:2]
        # the encoders halve the resolution of colour, so sizes must be even
        if self._writer is None:
            self._size = (width + width % 2, height + height % 2)
            self._writer, self.codec = _open(self.partial, self._codecs, self.frame_rate, self._size)
        if self._size == (width + width % 2, height + height % 2):
            if width % 2 or height % 2:
                image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        else:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        self._writer.write(np.ascontiguousarray(image))

    def close(self) -> None:
        """Write the container's index."""
        if self._writer is not None:
            self._writer.release()


class VideoSink(VideoOutput, OutputSink):
    """The frames with their tracks drawn on them.

    Nothing measured is drawn, so equal tracks give equal videos.
    """

    def __init__(
        self,
        path: str | Path,
        frame_rate: float,
        options: VisualizationOptions | None = None,
        codecs: tuple[str, ...] = CODECS,
    ) -> None:
        super().__init__(path, frame_rate, codecs)
        self._annotator = Annotator(options)
        self._start: int | None = None
        self._ids: set[int] = set()

    def write(self, result: FrameResult) -> None:
        """Draw and append one frame."""
        frame, confirmed = result.frame, result.tracks.confirmed()
        if self._start is None:
            self._start = frame.stamp_ns
        self._ids.update(confirmed.ids.tolist())
        seconds = (frame.stamp_ns - self._start) * 1e-9
        hud = [
            f"frame {frame.index + 1}   {seconds:.2f} s",
            f"{len(confirmed)} tracked   {len(self._ids)} ids so far",
        ]
        self.append(self._annotator.draw(frame.image, result.tracks, frame.stamp_ns, hud))


def _open(path: Path, codecs: tuple[str, ...], frame_rate: float, size: tuple[int, int]) -> tuple[Any, str]:
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    logs: Any = getattr(cv2.utils, "logging", cv2)  # OpenCV 5 moved them
    level = logs.getLogLevel()
    logs.setLogLevel(0)  # a codec that is not there is no error as long as another is
    try:
        for codec in codecs:
            writer = cv2.VideoWriter(
                str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), frame_rate, size
            )
            if writer.isOpened():
                return writer, codec
            writer.release()
            remove(path)
    finally:
        logs.setLogLevel(level)
    width, height = size
    raise SinkError(
        f"{path}: OpenCV cannot write a {width}x{height} video with {' or '.join(codecs)} there; "
        "is the folder writable and the disk not full?"
    )
