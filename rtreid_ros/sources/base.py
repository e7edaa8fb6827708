"""What every source of frames is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from rtreid_ros.types import Frame


class Source(Protocol):
    """Frames in order of time. A context manager: leaving it frees the file or device.

    Iterating twice starts anew where the source can be rewound (everything but live cameras).
    """

    @property
    def name(self) -> str:
        """Short name for files and titles, such as the video's stem."""

    @property
    def frame_rate(self) -> float:
        """Nominal frames per second."""

    @property
    def size(self) -> tuple[int, int]:
        """``(height, width)`` in pixels."""

    @property
    def length(self) -> int | None:
        """Number of frames, or None where it cannot be known (live, damaged container)."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names behind the class ids of the ground truth; empty without one."""

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Source: ...

    def __exit__(self, *_: object) -> None: ...
