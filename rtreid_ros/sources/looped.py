"""A source without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rtreid_ros.errors import SourceError
from rtreid_ros.sources.base import BaseSource

if TYPE_CHECKING:
    from rtreid_ros.sources.base import Source
    from rtreid_ros.types import Frame


class Looped(BaseSource):
    """Another source, again and again; index and stamp go on, with a nominal step at each seam.

    Raises:
        SourceError: while iterating: the source gives no frame at all.
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source.name, source.frame_rate, source.size)
        self.class_names = source.class_names
        self.source = source

    def __iter__(self) -> Iterator[Frame]:
        index = stamp = 0
        step = round(1e9 / self.frame_rate)
        while True:
            first: Frame | None = None
            for frame in self.source:
                first = first or frame
                last = replace(
                    frame,
                    index=index + frame.index - first.index,
                    stamp_ns=stamp + frame.stamp_ns - first.stamp_ns,
                )
                yield last
            if first is None:
                raise SourceError(f"{self.name}: no frames to repeat")
            index, stamp = last.index + 1, last.stamp_ns + step

    def close(self) -> None:
        """Close the source behind it."""
        self.source.__exit__(None, None, None)
