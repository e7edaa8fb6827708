"""What every loaded model is, whichever library runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.registry import suggest

Array = NDArray[Any]

COMPILES_EACH_SHAPE = "TensorrtExecutionProvider"
"""A new batch size costs it minutes, so a model always gets the same one."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a model; `None` in `shape` is a size the caller chooses."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} [{sizes}] {self.dtype}"


class Session(Protocol):
    """A loaded model: arrays in, arrays out. One instance serves one thread at a time."""

    @property
    def name(self) -> str:
        """File name of the model."""

    @property
    def backend(self) -> str:
        """Name of the library that runs it."""

    @property
    def provider(self) -> str:
        """Execution provider or device really in use."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What it takes."""

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What it gives."""

    @property
    def metadata(self) -> Mapping[str, str]:
        """Text the exporter stored in the model: ``names``, ``imgsz``, ``preprocessing``, ..."""

    def run(self, array: Array) -> Sequence[Array]:
        """Every output, in order, for the one input `array`.

        Raises:
            ModelError: the model fails on this input.
        """


BUILTINS = Path(__file__).parent.parent / "models"
"""Folder of the models that the package brings."""

SUFFIXES: Mapping[str, tuple[str, ...]] = {
    ".onnx": ("onnx",),
    ".xml": ("openvino",),
    ".pt": ("ultralytics",),
    ".pth": ("ultralytics",),
    ".engine": ("ultralytics",),
    ".torchscript": ("torch", "ultralytics"),
    ".pt2": ("torch",),
    ".tflite": ("ultralytics",),
    ".mlpackage": ("ultralytics",),
}
"""Backends that read files of a suffix; `auto` takes the first that the stage has."""


def backend_for(model: str, backend: str, known: Sequence[str]) -> str:
    """`backend`, or for ``auto`` the one of `known` that reads files like `model`.

    Raises:
        ConfigError: no known backend reads the suffix; the message lists those we know.
    """
    if backend != "auto":
        return backend
    suffix = Path(model).suffix.lower()
    found = next((name for name in SUFFIXES.get(suffix, ()) if name in known), None)
    if found is None:
        pairs = [(item, name) for item, names in SUFFIXES.items() for name in names if name in known]
        listing = ", ".join(f"{item} ({name})" for item, name in pairs)
        hint = suggest(suffix, [item for item, _ in pairs])
        raise ConfigError(
            f"no backend reads {model!r} by its suffix {suffix!r}{hint}; known: {listing}; "
            f"or name the backend: {', '.join(known)}"
        )
    return found


def model_path(model: str, builtin: str) -> Path:
    """The file of `model`: a path, else the file name of a built-in model; empty = the one named `builtin`.

    Raises:
        ModelError: no such file.
    """
    path = Path(model).expanduser() if model else BUILTINS / builtin
    if model == path.name and not path.exists() and (BUILTINS / model).is_file():
        path = BUILTINS / model
    if not model and not path.is_file():
        raise ModelError(
            f"the built-in model {builtin} is not where it was installed ({path}); reinstall rtreid_ros"
        )
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        names = ", ".join(sorted(item.name for item in BUILTINS.glob("*.onnx")))
        raise ModelError(
            f"model file {model!r} {what}; give the path of a model file (looked in {Path.cwd()}), or the "
            f"name of a built-in one ({names})"
        )
    if path.stat().st_size == 0:
        raise ModelError(f"model file {model!r} is empty; download or export it again")
    return path


def first_line(error: BaseException) -> str:
    """The first line of a library's error; of a long one the end, where the reason stands."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if len(text) <= 250 else f"... {text[-240:]}"
