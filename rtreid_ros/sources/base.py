"""What every source of frames is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from rtreid_ros.closing import Closing

if TYPE_CHECKING:
    from typing_extensions import Self

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

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class BaseSource(Closing):
    """The part all our sources share.

    Attributes:
        lost: frames known to have existed that could not be read in the current iteration.
    """

    class_names: tuple[str, ...] = ()
    length: int | None = None

    def __init__(self, name: str, frame_rate: float, size: tuple[int, int]) -> None:
        self.name = name
        self.frame_rate = frame_rate
        self.size = size
        self.lost = 0

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Free the file or device; closing twice is fine."""


def stamp_at(index: int, frame_rate: float) -> int:
    """Nanoseconds at which frame `index` of a constant rate is taken, the first at 0."""
    return round(index * 1e9 / frame_rate)
