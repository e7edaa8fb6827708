"""What every sink of results is."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Collection
from itertools import chain, count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from rtreid_ros.errors import SinkError

if TYPE_CHECKING:
    from typing_extensions import Self

    from rtreid_ros.pipeline import FrameResult


class Sink(Protocol):
    """Takes one result after the other. A context manager: leaving it finishes the output."""

    def write(self, result: FrameResult) -> None:
        """Take in the result of the next frame."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Output(ABC):
    """A file or folder that bears its name only once it is whole.

    Until then it is `partial`, beside it. Leaving the context without an exception finishes it,
    replacing an older one; after an exception the partial one stays for inspection.

    Raises:
        SinkError: the place cannot be written to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.partial = partial_of(self.path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            remove(self.partial)
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written there ({error})") from None

    @abstractmethod
    def close(self) -> None:
        """Write what is still held back and close the partial file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if kind is None and self.partial.exists():
            if self.partial.is_dir():
                remove(self.path)
            self.partial.replace(self.path)


def partial_of(path: Path) -> Path:
    """What `path` is called until it is whole."""
    return path.with_name(f"{path.stem}.partial{path.suffix}")


class OutputSink(Output):
    """A sink that writes one file or folder."""

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take in the result of the next frame."""


def unused_folder(folder: Path, names: Collection[str]) -> Path:
    """`folder`, or with ``-2``, ``-3`` and so on at its end if an earlier run has left anything there.

    Args:
        folder: where a run would write.
        names: of its files and folders; parts of unfinished ones count too, empty ones do not.
    """
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(place for place in chain([folder], numbered) if not _is_used(place, names))


def _is_used(folder: Path, names: Collection[str]) -> bool:
    paths = [folder / name for name in names]
    return any(_has_content(path) for path in (*paths, *map(partial_of, paths)))


def _has_content(path: Path) -> bool:
    files = path.rglob("*") if path.is_dir() else [path]
    return any(file.is_file() and file.stat().st_size for file in files)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
