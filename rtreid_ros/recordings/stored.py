"""Detections and embeddings in ``.npz`` files: plain arrays, no pickles, float32 exact.

Detections: ``frames (N,) int64`` from 1, ``boxes (N, 4) float32`` corners in pixels, ``scores (N,)
float32``, and optionally ``class_ids (N,) int32``, ``class_names (C,) str``, ``embeddings (N, D)
float32``, ``numbers (F,) int64`` (frames that were looked at, also those in which nothing was seen)
and ``key`` (str, what the rows were made from). Embeddings alone: ``embeddings`` and optionally
``frames``, one row for each row of the detections they belong to.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import SinkError, SourceError

if TYPE_CHECKING:
    from rtreid_ros.types import Float32, Int32, Int64


@dataclass(frozen=True, slots=True, eq=False)
class StoredDetections:
    """Detections of a whole sequence, N rows ordered by frame; see the module for shapes."""

    frames: Int64
    boxes: Float32
    scores: Float32
    class_ids: Int32
    embeddings: Float32 | None = None
    class_names: tuple[str, ...] = ("person",)
    numbers: Int64 | None = None
    key: str = ""

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def last_frame(self) -> int:
        """Highest frame number known of, 0 without any."""
        known = self.frames if self.numbers is None else self.numbers
        return int(known.max()) if len(known) else 0


def write_stored(path: Path, stored: StoredDetections) -> None:
    """Write whole or not at all.

    Raises:
        SinkError: the file cannot be written.
    """
    arrays: dict[str, Any] = {
        "frames": stored.frames.astype(np.int64),
        "boxes": stored.boxes.astype(np.float32),
        "scores": stored.scores.astype(np.float32),
        "class_ids": stored.class_ids.astype(np.int32),
        "class_names": np.array(stored.class_names, dtype=np.str_),
        "key": np.array(stored.key, dtype=np.str_),
    }
    if stored.numbers is not None:
        arrays["numbers"] = stored.numbers.astype(np.int64)
    if stored.embeddings is not None:
        arrays["embeddings"] = stored.embeddings.astype(np.float32)
    write_arrays(path, arrays)


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """An ``.npz`` that is there whole or not at all, also when two write it at the same time.

    Raises:
        SinkError: the file cannot be written.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp gives it to its owner alone
        temporary.replace(path)
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error})") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def read_arrays(path: Path) -> dict[str, Any]:
    """Every array of an ``.npz``, its checksums verified.

    Raises:
        SourceError: missing, damaged, or not of plain arrays.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            if not isinstance(content, np.lib.npyio.NpzFile):
                raise SourceError(f"{path}: not an .npz file")
            return {name: content[name] for name in content.files}
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"{path}: not a readable .npz file ({error})") from None


def read_stored(path: Path) -> StoredDetections:
    """Stored detections, ordered by frame.

    Raises:
        SourceError: missing, damaged, or arrays that do not belong together.
    """
    arrays = read_arrays(path)
    for name in ("frames", "boxes", "scores"):
        if name not in arrays:
            raise SourceError(f"{path}: no array {name!r}; stored detections have frames, boxes and scores")
    rows = len(arrays["frames"]) if arrays["frames"].ndim == 1 else -1
    _check_shape(path, "frames", arrays["frames"], (rows,), "iu")
    _check_shape(path, "boxes", arrays["boxes"], (rows, 4), "f")
    _check_shape(path, "scores", arrays["scores"], (rows,), "f")
    frames = arrays["frames"].astype(np.int64)
    if rows and frames.min() < 1:
        raise SourceError(f"{path}: frame {frames.min()}; frames count from 1")
    class_ids = arrays.get("class_ids", np.zeros(rows, np.int32))
    _check_shape(path, "class_ids", class_ids, (rows,), "iu")
    names = tuple(map(str, arrays.get("class_names", np.array(["person"])).reshape(-1)))
    if rows and not (class_ids.min() >= 0 and class_ids.max() < len(names)):
        raise SourceError(f"{path}: class_ids go up to {class_ids.max()}, there are {len(names)} class_names")
    numbers = arrays.get("numbers")
    if numbers is not None:
        _check_shape(path, "numbers", numbers, (numbers.size,), "iu")
    embeddings = arrays.get("embeddings")
    if embeddings is not None:
        embeddings = check_embeddings(path, embeddings, rows)
    order = np.argsort(frames, kind="stable")
    return StoredDetections(
        frames[order],
        arrays["boxes"][order].astype(np.float32),
        arrays["scores"][order].astype(np.float32),
        class_ids[order].astype(np.int32),
        None if embeddings is None else embeddings[order],
        names,
        None if numbers is None else numbers.astype(np.int64),
        str(arrays.get("key", "")),
    )


def check_embeddings(path: Path, embeddings: Any, rows: int) -> Float32:
    """`embeddings` as one float32 vector for each of `rows` detections.

    Raises:
        SourceError: they are no such array.
    """
    if embeddings.ndim != 2 or embeddings.dtype.kind != "f":
        raise SourceError(f"{path}: embeddings must be floats of shape (N, D), got {_what(embeddings)}")
    if len(embeddings) != rows:
        raise SourceError(f"{path}: {len(embeddings)} embeddings for {rows} detections")
    return np.asarray(embeddings, np.float32)


def _check_shape(path: Path, name: str, array: Any, shape: tuple[int, ...], kinds: str) -> None:
    if array.shape != shape or array.dtype.kind not in kinds:
        wanted = "floats" if kinds == "f" else "integers"
        rows = shape[0] if shape[0] >= 0 else "N"
        text = f"({', '.join(map(str, (rows, *shape[1:])))}{',' if len(shape) == 1 else ''})"
        raise SourceError(f"{path}: {name} must be {wanted} of shape {text}, got {_what(array)}")


def _what(array: Any) -> str:
    return f"{array.dtype} of shape {array.shape}"
