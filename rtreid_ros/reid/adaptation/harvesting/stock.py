"""Where crops are put: a folder for each tracklet, in a folder or a tar file, and an index."""

from __future__ import annotations

import io
import json
import tarfile
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from rtreid_ros.datasets.identities.tracklets import INDEX
from rtreid_ros.errors import ConfigError, SinkError
from rtreid_ros.sinks.base import Output

if TYPE_CHECKING:
    from rtreid_ros.reid.adaptation.harvesting.album import Album, Crop

_QUALITY = 95
"""Of JPEG."""


class Stock(Output):
    """What harvesters fill; it bears its name only once it is whole (see `Output`).

    Folders and files are ``c<camera>_t<track>/t<track>_c<camera>_<frame>.jpg``, cameras counted from 1, so
    that the data set `folder` reads them, too. The index has a line of JSON for each tracklet; see
    `rtreid_ros.datasets.identities.tracklets`.

    Attributes:
        tracklets: put so far.
        crops: put so far.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.tracklets, self.crops = 0, 0
        self._lines: list[str] = []
        self._cameras: list[str] = []

    def camera(self, name: str) -> int:
        """Number of a new camera, from 1; two recordings of a name are two cameras."""
        self._cameras.append(name)
        return len(self._cameras)

    def add(self, camera: int, track: int, album: Album, crops: Sequence[Crop]) -> None:
        """Put a track's crops.

        Args:
            camera: as `camera` gave it.
            track: its id.
            album: what else is known of it.
            crops: that were chosen.

        Raises:
            SinkError: they cannot be written.
        """
        folder = f"c{camera}_t{track:06d}"
        rows: list[dict[str, Any]] = []
        try:
            for crop in crops:
                name = f"{folder}/t{track:06d}_c{camera}_{crop.frame:06d}.jpg"
                content = cv2.imencode(".jpg", crop.image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
                self.put(name, content)
                rows.append(
                    {
                        "file": name,
                        "frame": crop.frame,
                        "stamp_ns": crop.stamp_ns,
                        "box": [round(value, 1) for value in crop.box],
                        "score": round(crop.score, 4),
                        "overlap": round(crop.overlap, 4),
                    }
                )
        except OSError as error:
            raise SinkError(f"{self.partial}: cannot be written ({error})") from None
        line = {
            "camera": camera,
            "camera_name": self._cameras[camera - 1],
            "track": track,
            "first_ns": album.start_ns,
            "last_ns": album.seen_ns,
            "frames": album.frames,
            "together": sorted(album.together - {track}),
            "crops": rows,
        }
        self._lines.append(json.dumps(line) + "\n")
        self.tracklets += 1
        self.crops += len(rows)

    def close(self) -> None:
        """Write the index."""
        try:
            self.put(INDEX, "".join(self._lines).encode())
        except OSError as error:
            raise SinkError(f"{self.partial}: cannot be written ({error})") from None

    @abstractmethod
    def put(self, name: str, content: bytes) -> None:
        """Write a file."""


class FolderStock(Stock):
    """In a folder."""

    def put(self, name: str, content: bytes) -> None:
        """See `Stock.put`."""
        path = self.partial / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


class TarStock(Stock):
    """In an uncompressed tar file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._archive = tarfile.open(self.partial, "w")  # noqa: SIM115 (closed by `close`)
        except OSError as error:
            raise SinkError(f"{path}: cannot be written ({error})") from None

    def put(self, name: str, content: bytes) -> None:
        """See `Stock.put`."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o644
        self._archive.addfile(member, io.BytesIO(content))

    def close(self) -> None:
        """Write the index and the archive's end."""
        super().close()
        self._archive.close()


def open_stock(path: Path) -> Stock:
    """A new stock: a tar file where the name ends so, else a folder.

    Raises:
        ConfigError: there is something already.
        SinkError: the place cannot be written to.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ConfigError(f"{path} is there already; choose another --output, or remove it")
    return TarStock(path) if path.suffix == ".tar" else FolderStock(path)
