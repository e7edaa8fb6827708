"""Where crops are put: a folder for each tracklet, in a folder or a tar file, and an index."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from rtreid_ros.datasets.identities.tracklets import INDEX
from rtreid_ros.errors import ConfigError, SinkError
from rtreid_ros.sinks.base import Output, partial_of, remove

if TYPE_CHECKING:
    from rtreid_ros.reid.adaptation.harvesting.album import Album, Crop

SUFFIX = ".tar"
"""Of the name of a harvest that is to be one file."""

_QUALITY = 95
"""Of JPEG."""


class Stock(Output):
    """A folder that harvesters fill; it bears its name only once it is whole (see `Output`).

    Its index grows with it, so that what an interrupted harvest leaves can be read, too.

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
        self._folder = self.partial
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
                (self._folder / folder).mkdir(parents=True, exist_ok=True)
                (self._folder / name).write_bytes(content)
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
            with (self._folder / INDEX).open("a", encoding="utf-8") as index:
                index.write(json.dumps(line) + "\n")
        except OSError as error:
            raise SinkError(f"{self._folder}: cannot be written ({error})") from None
        self.tracklets += 1
        self.crops += len(rows)

    def close(self) -> None:
        """Nothing is held back."""


class TarStock(Stock):
    """The same, packed into an uncompressed tar file in the end."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._folder = self.partial.with_suffix("")
        remove(self._folder)

    def close(self) -> None:
        """Pack the folder."""
        if not self._folder.is_dir():
            return
        try:
            with tarfile.open(self.partial, "w") as archive:
                for path in sorted(self._folder.rglob("*")):
                    if path.is_file():
                        archive.add(path, path.relative_to(self._folder).as_posix(), filter=_nobody)
            remove(self._folder)
        except OSError as error:
            raise SinkError(f"{self.partial}: cannot be written ({error}); {self._folder} is whole") from None


def _nobody(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The same file as nobody's in particular."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def open_stock(path: Path) -> Stock:
    """A new stock: a tar file where the name ends so, else a folder.

    Raises:
        ConfigError: there is something already, or what an interrupted harvest has left.
        SinkError: the place cannot be written to.
    """
    if path.is_file() or (path.is_dir() and any(path.iterdir())):
        raise ConfigError(f"{path} is there already; choose another --output, or remove it")
    packed = path.suffix == SUFFIX
    partial = partial_of(path)
    for left in (partial, partial.with_suffix("")) if packed else (partial,):
        if left.is_file() or (left / INDEX).is_file():
            raise ConfigError(
                f"{left} is what an interrupted harvest has left; it can be used as it is "
                f"(data.root={left}): rename or remove it, or choose another --output"
            )
    return TarStock(path) if packed else Stock(path)
