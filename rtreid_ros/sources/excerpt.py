"""A part of a source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rtreid_ros.errors import ConfigError
from rtreid_ros.sources.base import BaseSource

if TYPE_CHECKING:
    from rtreid_ros.sources.base import Source
    from rtreid_ros.types import Frame


class Excerpt(BaseSource):
    """The frames from index `start` on, at most `frames` of them; they keep index and stamp.

    Raises:
        ConfigError: a negative start, or not at least one frame.
    """

    def __init__(self, source: Source, start: int = 0, frames: int | None = None) -> None:
        if start < 0 or (frames is not None and frames < 1):
            raise ConfigError(f"an excerpt needs start >= 0 and frames >= 1, got {start} and {frames}")
        super().__init__(source.name, source.frame_rate, source.size)
        self.class_names = source.class_names
        self.source = source
        self._start, self._frames = start, frames
        left = None if source.length is None else max(source.length - start, 0)
        self.length = left if frames is None or (left is not None and left < frames) else frames

    def __iter__(self) -> Iterator[Frame]:
        self.lost = 0
        end = None if self._frames is None else self._start + self._frames
        for frame in self.source:
            if end is not None and frame.index >= end:
                return
            if frame.index >= self._start:
                yield frame
                if frame.index + 1 == end:  # do not wait for a frame nobody wants
                    return
        self.lost = getattr(self.source, "lost", 0)

    def close(self) -> None:
        """Close the source behind it."""
        self.source.__exit__(None, None, None)
