"""Models run by torch: TorchScript (``.torchscript``) and exported programs (``.pt2``)."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rtreid_ros.errors import ConfigError, MissingDependencyError, ModelError
from rtreid_ros.runtime.session import Array, TensorSpec, first_line

logger = logging.getLogger(__name__)

METADATA_FILE = "metadata.json"
"""Extra file of the archive that holds the metadata, a JSON object of text."""

SIZE_KEY = "imgsz"
"""Key of the metadata with ``[height, width]`` of the input, which such files do not say otherwise."""


class TorchSession:
    """A model run by torch. See `Session`.

    Args:
        path: a ``.torchscript`` or ``.pt2`` file whose metadata say the size of its input.
        providers: ``cuda`` and ``cpu`` count; a GPU is taken where there is one and it is wanted.
        threads: CPU threads of all torch in this process; 0 = torch's own choice.

    Raises:
        MissingDependencyError: torch is not installed.
        ConfigError: none of `providers` is there.
        ModelError: the file is no readable model, or does not say the size of its input.
    """

    backend = "torch"

    def __init__(self, path: Path, providers: Sequence[str] = ("cuda", "cpu"), threads: int = 0) -> None:
        try:
            import torch  # noqa: PLC0415 (optional)
        except ImportError as error:
            raise MissingDependencyError(
                f"{path.name} needs torch, which is not installed; run: pip install 'rtreid_ros[train]'"
            ) from error
        self.name = path.name
        self.provider = _device(torch, providers)
        if threads:
            torch.set_num_threads(threads)
        try:
            self._net, text = _load(torch, path, self.provider)
        except Exception as error:  # torch raises whatever its parts raise
            raise ModelError(
                f"{str(path)!r} cannot be loaded by torch {torch.__version__}: {first_line(error)}; "
                "check that the file is complete (export it again)"
            ) from error
        self.metadata: Mapping[str, str] = _metadata(path.name, text)
        self.inputs = (
            TensorSpec("images", (None, 3, *_size(path.name, self.metadata)), np.dtype(np.float32)),
        )
        self.outputs = (TensorSpec("output", (None, None), np.dtype(np.float32)),)
        self._torch = torch
        logger.info("%s runs on torch, %s", path.name, self.provider)

    def run(self, array: Array) -> Sequence[Array]:
        """The one output for the one input `array`; see `Session.run`."""
        torch = self._torch
        try:
            with torch.inference_mode():
                output = self._net(torch.from_numpy(array).to(self.provider))
        except Exception as error:  # torch raises whatever its parts raise
            raise ModelError(
                f"{self.name} failed on an input of shape {array.shape} ({array.dtype}): {first_line(error)}"
            ) from error
        if not isinstance(output, torch.Tensor):
            raise ModelError(f"{self.name} gives a {type(output).__name__}; it must give one tensor")
        return [output.float().cpu().numpy()]


def _device(torch: Any, wanted: Sequence[str]) -> str:
    if "cuda" in wanted and torch.cuda.is_available():
        return "cuda"
    if "cpu" in wanted:
        return "cpu"
    raise ConfigError(
        f"torch runs on cuda and cpu, and of the wanted providers ({', '.join(wanted) or 'none given'}) "
        "none is there; add cpu"
    )


def _load(torch: Any, path: Path, device: str) -> tuple[Any, str]:
    """The network and the text of its metadata."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as a whole
        extra: dict[str, Any] = {METADATA_FILE: ""}
        if path.suffix.lower() == ".pt2":
            program = torch.export.load(path, extra_files=extra)
            if device != "cpu":
                from torch.export.passes import move_to_device_pass  # noqa: PLC0415 (optional)

                program = move_to_device_pass(program, device)
            return program.module(), extra[METADATA_FILE]
        net = torch.jit.load(str(path), map_location=device, _extra_files=extra)
    text = extra[METADATA_FILE]
    return net, text.decode() if isinstance(text, bytes) else text


def _metadata(name: str, text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        content = json.loads(text)
        return {str(key): str(value) for key, value in content.items()}
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{name}: its {METADATA_FILE} is no JSON object: {error}") from error


def _size(name: str, metadata: Mapping[str, str]) -> tuple[int, int]:
    """``(height, width)`` of the input."""
    text = metadata.get(SIZE_KEY, "")
    try:
        height, width = json.loads(text)
        if min(height, width) >= 1:
            return int(height), int(width)
    except (ValueError, TypeError):
        pass
    raise ModelError(
        f"{name} does not say the size of its input: its {METADATA_FILE} needs {SIZE_KEY!r}, "
        f"such as '[256, 128]', and has {text!r}; `rtreid export-reid` writes it"
    )
