"""Where pictures lie: in a folder, or in a .tar file that is never unpacked."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from rtreid_ros.errors import SourceError
from rtreid_ros.sources.images import IMAGE_SUFFIXES
from rtreid_ros.types import UInt8


class Store(Protocol):
    """Files by their path below a root, with ``/`` between folders."""

    root: Path

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders directly in `folder`, sorted."""

    def pictures(self, folder: str) -> list[str]:
        """Paths of all pictures below `folder`, sorted."""

    def has(self, path: str) -> bool:
        """Whether there is a file or folder of that path."""

    def read(self, path: str) -> bytes:
        """The content of a file; a `SourceError` where it cannot be read."""


def open_store(root: str | Path) -> Store:
    """The files below a folder or in a tar file; ``~`` stands for the home folder.

    Raises:
        SourceError: there is nothing, or a file that is no tar file, or a compressed one.
    """
    path = Path(root).expanduser()
    if path.is_dir():
        return FolderStore(path)
    if path.is_file():
        return TarStore(path)
    raise SourceError(f"{path}: no such folder or .tar file")


class FolderStore:
    """The files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folders(self, folder: str = "") -> list[str]:
        """See `Store`."""
        return sorted(path.name for path in (self.root / folder).iterdir() if path.is_dir())

    def pictures(self, folder: str) -> list[str]:
        """See `Store`."""
        found = []
        for parent, _, names in os.walk(self.root / folder, followlinks=True):
            below = Path(parent).relative_to(self.root).as_posix()
            prefix = "" if below == "." else f"{below}/"
            found += [prefix + name for name in names if name.lower().endswith(IMAGE_SUFFIXES)]
        return sorted(found)

    def has(self, path: str) -> bool:
        """See `Store`."""
        return (self.root / path).exists()

    def read(self, path: str) -> bytes:
        """See `Store`."""
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise SourceError(f"{self.root / path}: cannot be read ({error.strerror})") from None


class TarStore:
    """The files in an uncompressed tar file, each read where it lies; threads may read at once.

    Raises:
        SourceError: it is no tar file, or a compressed one, in which nothing can be found by its place.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            self._file = root.open("rb", buffering=0)
            with tarfile.open(root, "r:") as archive:
                self._places = {
                    member.name.removeprefix("./"): (member.offset_data, member.size)
                    for member in archive
                    if member.isreg()
                }
            # tarfile takes a header cut in two for the end, where a block of zeros should be
            end = max((offset + -(-size // 512) * 512 for offset, size in self._places.values()), default=0)
            if root.stat().st_size < end + 512:
                raise tarfile.ReadError("unexpected end of data")
        except (OSError, tarfile.TarError) as error:
            raise SourceError(
                f"{root}: cannot be read as an uncompressed .tar file ({error}); decompress it, or copy it "
                "again if it was cut off"
            ) from None
        self._folders = {
            path[:end] for path in self._places for end, letter in enumerate(path) if letter == "/"
        }

    def folders(self, folder: str = "") -> list[str]:
        """See `Store`."""
        start = f"{folder}/" if folder else ""
        names = (path[len(start) :] for path in self._folders if path.startswith(start))
        return sorted(name for name in names if name and "/" not in name)

    def pictures(self, folder: str) -> list[str]:
        """See `Store`."""
        start = f"{folder}/" if folder else ""
        return sorted(
            path for path in self._places if path.startswith(start) and path.lower().endswith(IMAGE_SUFFIXES)
        )

    def has(self, path: str) -> bool:
        """See `Store`."""
        return path in self._places or path in self._folders

    def read(self, path: str) -> bytes:
        """See `Store`."""
        try:
            offset, size = self._places[path]
        except KeyError:
            raise SourceError(f"{self.root}: holds no {path}") from None
        content = os.pread(self._file.fileno(), size, offset)
        if len(content) < size:
            raise SourceError(f"{self.root}: ends in the middle of {path}; was it cut off?")
        return content


def find_base(store: Store, title: str, marks: Collection[str]) -> str:
    """Where in a store the data set lies that has one of `marks`: ``""`` at its root, or ``"FOLDER/"``.

    Raises:
        SourceError: nowhere, or in several places.
    """
    around = [f"{name}/" for name in store.folders()]
    found = [place for place in ("", *around) if any(store.has(place + mark) for mark in marks)]
    if not found:
        raise SourceError(f"{store.root}: no {title}: there is none of {', '.join(marks)}")
    if len(found) > 1:
        places = ", ".join(place or "." for place in found)
        raise SourceError(f"{store.root}: several data sets of {title}, in {places}; name one of them")
    return found[0]


def read_picture(store: Store, path: str) -> UInt8:
    """A picture, ``(h, w, 3) uint8`` BGR.

    Raises:
        SourceError: it is missing, empty, or cannot be decoded.
    """
    content = np.frombuffer(store.read(path), np.uint8)
    image: UInt8 | None = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise SourceError(f"{store.root}: {path} cannot be decoded as a picture ({len(content)} bytes)")
    return image
