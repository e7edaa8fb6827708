"""Cameras and network streams: always the newest frame."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import cv2

from rtreid_ros.errors import SourceError
from rtreid_ros.sources.base import BaseSource
from rtreid_ros.sources.video import open_capture
from rtreid_ros.types import Frame

logger = logging.getLogger(__name__)

_DEFAULT_RATE = 30.0
_HIGHEST_RATE = 1000.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class CameraSource(BaseSource):
    """A camera by index (``0``), device (``/dev/video0``) or URL (``rtsp://...``).

    A thread reads without rest and keeps only the newest frame, so a slow consumer sees the
    present and `lost` counts what it missed; indices go on counting. Stamps are wall-clock
    nanoseconds since 1970 of the moment the frame arrived, advanced by a monotonic clock from the
    first one, so a clock being set never turns them back. A stream that breaks off is opened again,
    with a message.

    Args:
        target: index, device or URL.
        patience: seconds without a frame after which the source gives up.

    Raises:
        SourceError: nothing can be read at the start, or for longer than `patience` later.
    """

    def __init__(self, target: int | str, *, frame_rate: float | None = None, patience: float = 30.0) -> None:
        self.target = target
        self.patience = patience
        self.reconnects = 0
        self._origin = (time.time_ns(), time.monotonic_ns())
        self._changed = threading.Condition()
        self._newest: tuple[Any, int, int] | None = None
        self._read = 0
        self._taken = 0
        self._error: SourceError | None = None
        self._closing = threading.Event()
        capture = self._open()
        image = None if capture is None else capture.read()[1]
        if capture is None or image is None:
            raise SourceError(f"{self._label()}: no camera or stream answers there")
        rate = capture.get(cv2.CAP_PROP_FPS)
        rate = rate if 0 < rate <= _HIGHEST_RATE else _DEFAULT_RATE
        super().__init__(_short_name(target), frame_rate or rate, (image.shape[0], image.shape[1]))
        self._put(image)
        self._thread = threading.Thread(target=self._read_on, args=(capture,), daemon=True, name="camera")
        self._thread.start()

    def __iter__(self) -> Iterator[Frame]:
        while True:
            with self._changed:
                while self._newest is None:
                    if self._error is not None:
                        raise self._error
                    if self._closing.is_set():
                        return
                    self._changed.wait(0.5)
                image, index, stamp = self._newest
                self._newest = None
            self.lost += index - self._taken
            self._taken = index + 1
            yield Frame(image, index, stamp)

    def close(self) -> None:
        """Stop reading and free the device."""
        self._closing.set()
        if hasattr(self, "_thread"):
            self._thread.join(timeout=5)

    def _label(self) -> str:
        if isinstance(self.target, int):
            return f"camera {self.target}"
        return re.sub(r"(?<=://)[^/@]*@", "", self.target)  # passwords do not belong into logs

    def _open(self) -> Any:
        """A capture that is open, or None."""
        if isinstance(self.target, int) or self.target.startswith("/dev/"):
            capture = cv2.VideoCapture(self.target)
        else:
            capture = open_capture(self.target)
        return capture if capture.isOpened() else None

    def _put(self, image: Any) -> None:
        stamp = self._origin[0] + time.monotonic_ns() - self._origin[1]
        with self._changed:
            self._newest = (image, self._read, stamp)
            self._read += 1
            self._changed.notify_all()

    def _read_on(self, capture: Any) -> None:
        last, pause = time.monotonic(), _FIRST_PAUSE
        while not self._closing.is_set():
            good, image = capture.read() if capture is not None else (False, None)
            if good:
                self._put(image)
                last, pause = time.monotonic(), _FIRST_PAUSE
                continue
            silent = time.monotonic() - last
            if silent > self.patience:
                with self._changed:
                    self._error = SourceError(f"{self._label()}: no frame for {silent:.0f} s, giving up")
                    self._changed.notify_all()
                break
            logger.warning("%s: no frame; opening it again in %.1f s", self._label(), pause)
            if capture is not None:
                capture.release()
            self._closing.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            self.reconnects += 1
            capture = self._open()
        if capture is not None:
            capture.release()


def _short_name(target: int | str) -> str:
    """``camera0`` or the host and path of a URL, without user name and password."""
    if isinstance(target, int):
        return f"camera{target}"
    text = target.split("://", 1)[-1].split("@")[-1].split("?")[0]
    return "".join(letter if letter.isalnum() else "_" for letter in text).strip("_") or "stream"
