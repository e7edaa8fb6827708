"""Generated pictures as files: in a folder, or in a .tar file."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from types import TracebackType

import cv2
import torch

from rtreid_ros.errors import ConfigError, SinkError

INDEX = "index.csv"
"""What each picture is: file, seed, number, group (empty where there are none)."""

_QUALITY = 95

_OTHER_ARCHIVES = (".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
"""Names that nobody means a folder by."""


class PictureWriter:
    """Writes pictures and, at the end, the index of them; the same pictures give the same bytes.

    Args:
        path: a folder, which must be new or empty, or a new file whose name ends in ``.tar``, large or small.
        kind: ``jpg`` or ``png``.

    Raises:
        ConfigError: there is something already, or the name is that of another kind of archive.
        SinkError: it cannot be made.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self._path, self._kind = path, kind
        self._rows = ["file,seed,number,group"]
        self._archive: tarfile.TarFile | None = None
        suffix = path.suffix.lower()
        if suffix in _OTHER_ARCHIVES:
            raise ConfigError(f"{path}: pictures go to a folder or an uncompressed .tar file")
        tar = suffix == ".tar"
        try:
            if path.exists() and (tar or not path.is_dir() or any(path.iterdir())):
                raise ConfigError(f"{path} exists already: remove it, or choose another --output")
            if tar:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._archive = tarfile.open(path, "w")  # noqa: SIM115 (closed by __exit__)
            else:
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SinkError(f"cannot make {path}: {error}") from None

    def __enter__(self) -> PictureWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The index is of all that was written, even if something went wrong later."""
        self._put(INDEX, ("\n".join(self._rows) + "\n").encode("ascii"))
        if self._archive is not None:
            self._archive.close()

    def add(self, image: torch.Tensor, seed: int, number: int, group: int | None) -> None:
        """Write ``(3, H, W) uint8`` RGB.

        Raises:
            SinkError: it cannot be written.
        """
        name = f"generated_{number:06d}.{self._kind}"
        pixels = image.flip(0).permute(1, 2, 0).contiguous().numpy()
        settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY] if self._kind == "jpg" else []
        _, code = cv2.imencode(f".{self._kind}", pixels, settings)
        self._put(name, code.tobytes())
        self._rows.append(f"{name},{seed},{number},{'' if group is None else group}")

    def _put(self, name: str, content: bytes) -> None:
        try:
            if self._archive is None:
                (self._path / name).write_bytes(content)
                return
            member = tarfile.TarInfo(name)  # time 0, nobody's: the bytes depend on the content alone
            member.size = len(content)
            self._archive.addfile(member, io.BytesIO(content))
        except OSError as error:
            raise SinkError(f"cannot write {self._path}: {error}") from None
