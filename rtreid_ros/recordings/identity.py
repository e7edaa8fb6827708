"""What stored results were made from: a source, a model, its options."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import describe
from rtreid_ros.sources.excerpt import Excerpt
from rtreid_ros.sources.images import ImageSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtreid_ros.detection.base import DetectorOptions
    from rtreid_ros.reid.base import EmbedderOptions
    from rtreid_ros.sources.base import Source

_LIBRARIES = {"onnx": "onnxruntime", "openvino": "openvino", "torch": "torch", "ultralytics": "ultralytics"}
"""Distribution behind each backend: another version may round differently."""


def source_identity(source: Source) -> str:
    """A digest of what the frames of `source` come from.

    Files count by name, size and time of change, so that a copy elsewhere is the same; the
    synthetic scene by its options and its first picture.

    Raises:
        ConfigError: a live source, whose frames do not come again.
    """
    while isinstance(source, Excerpt):  # frames keep their index
        source = source.source
    kind = type(source).__name__
    if isinstance(source, ImageSource):
        return _digest(kind, _stats(source.paths), source.indices)
    if hasattr(source, "path"):  # a video or a bag
        path = Path(source.path)
        files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        return _digest(kind, _stats(files), getattr(source, "topic", None))
    if hasattr(source, "options"):  # the synthetic scene
        first = next(iter(source)).image
        return _digest(kind, repr(source.options), hashlib.sha256(first.tobytes()).hexdigest())
    raise ConfigError(f"{source.name}: frames of a live source do not come again; there is nothing to cache")


def model_identity(options: DetectorOptions | EmbedderOptions, builtin: str) -> str:
    """A digest of a model's content, its options, and the version of the library that runs it.

    Args:
        options: of the stage.
        builtin: file of the built-in model, which an empty name means.

    Raises:
        ModelError: no such file.
        ConfigError: no backend reads it.
    """
    from rtreid_ros.runtime.session import backend_for, model_path  # noqa: PLC0415

    path = model_path(options.model, builtin)
    values: dict[str, Any] = asdict(options)
    del values["model"]
    (known,) = (item.choices or () for item in describe(type(options)) if item.name == "backend")
    backend = backend_for(path.name, options.backend, known)
    return _digest([_content(file) for file in _files_of(path)], values, backend, _version(backend))


def model_folder(options: DetectorOptions | EmbedderOptions, builtin: str) -> str:
    """Name of the folder for what a model made: its file's, and the beginning of its identity."""
    stem = Path(options.model or builtin).stem
    return f"{stem}-{model_identity(options, builtin)[:10]}"


def _files_of(path: Path) -> list[Path]:
    """A model file and those it names: the weights of an OpenVINO network, external data of ONNX."""
    near = [path.with_suffix(".bin")] if path.suffix == ".xml" else []
    near += sorted(item for item in path.parent.glob(f"{path.name}*data") if item.is_file())
    return [path, *(item for item in near if item.is_file())]


def _content(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _version(backend: str) -> str:
    try:
        return metadata.version(_LIBRARIES[backend])
    except metadata.PackageNotFoundError:
        return "unknown"


def _stats(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    return [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in paths]


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
