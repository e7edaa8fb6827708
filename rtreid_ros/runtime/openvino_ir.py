"""Models run by OpenVINO: its own IR (``.xml`` beside ``.bin``) and ONNX files."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rtreid_ros.errors import MissingDependencyError, ModelError
from rtreid_ros.runtime.session import Array, TensorSpec, first_line

logger = logging.getLogger(__name__)

DEVICES = ("GPU", "CPU")
"""Devices in order of preference; a GPU (integrated or discrete) needs its driver."""


def device_order(available: Sequence[str]) -> tuple[str, ...]:
    """Those of `DEVICES` that OpenVINO sees on this machine (it may number them: ``GPU.0``)."""
    return tuple(name for name in DEVICES if any(item.split(".")[0] == name for item in available))


class OpenVinoSession:
    """A model run by OpenVINO. See `Session`.

    Args:
        path: the ``.xml`` of an IR, with its ``.bin`` beside it, or an ``.onnx`` file.
        threads: CPU threads of one inference; 0 = as many as there are cores.

    Raises:
        MissingDependencyError: OpenVINO is not installed.
        ModelError: the file is no readable model, or no device compiles it.
    """

    backend = "openvino"

    def __init__(self, path: Path, threads: int = 0) -> None:
        try:
            core = _core()
        except ImportError as error:
            raise MissingDependencyError(
                f"{path.name} needs OpenVINO, which is not installed; run: pip install 'rtreid_ros[openvino]'"
            ) from error
        self.name = path.name
        if path.suffix.lower() == ".xml" and not path.with_suffix(".bin").is_file():
            raise ModelError(
                f"{str(path)!r} has no {path.with_suffix('.bin').name} beside it, which holds its weights"
            )
        try:
            model = core.read_model(str(path))
        except Exception as error:  # OpenVINO raises RuntimeError and its own kinds
            raise ModelError(
                f"{str(path)!r} cannot be loaded by OpenVINO: {_reason(error)}; "
                "check that the file is complete (download or export it again)"
            ) from error
        self.inputs = tuple(_spec(item) for item in model.inputs)
        self.outputs = tuple(_spec(item) for item in model.outputs)
        self.metadata: Mapping[str, str] = {**_beside(path), **_inside(model)}
        self._compiled, self.provider = _compile(core, model, path.name, threads)
        self._request = self._compiled.create_infer_request()

    def run(self, array: Array) -> Sequence[Array]:
        """Every output for the one input `array`; see `Session.run`."""
        try:
            results = self._request.infer({0: array}, share_inputs=True)
        except Exception as error:  # OpenVINO raises RuntimeError and its own kinds
            raise ModelError(
                f"{self.name} failed on an input of shape {array.shape} ({array.dtype}): {_reason(error)}"
            ) from error
        return [results[index] for index in range(len(self.outputs))]


@cache
def _core() -> Any:
    """One for the process, which it outlives.

    Each gives the thread that makes it a stack for signals, and takes back its own when it goes, also when
    another has been put on top of it. Of several the next signal, Ctrl-C say, would find none and crash.
    """
    import openvino as ov  # noqa: PLC0415 (optional)

    return ov.Core()


def _compile(core: Any, model: Any, name: str, threads: int) -> tuple[Any, str]:
    """The model compiled on the first device that takes it, and that device's name."""
    devices = device_order(core.available_devices)
    reason = "no device found"
    for device in devices:
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU":
            # reduced precision would differ from machine to machine
            config["INFERENCE_PRECISION_HINT"] = "f32"
            if threads:
                config["INFERENCE_NUM_THREADS"] = threads
        try:
            compiled = core.compile_model(model, device, config)
        except Exception as error:  # OpenVINO raises RuntimeError and its own kinds
            reason = _reason(error)
            logger.warning("%s: OpenVINO's %s failed: %s", name, device, reason)
            continue
        logger.info("%s runs on OpenVINO %s", name, device)
        return compiled, device
    raise ModelError(f"{name}: OpenVINO cannot compile it on {', '.join(devices) or 'any device'}: {reason}")


def _inside(model: Any) -> dict[str, str]:
    """What converters write into the IR under ``rt_info/model_info``."""
    if not model.has_rt_info("model_info"):
        return {}
    info = model.get_rt_info("model_info").value
    return {str(key): str(getattr(value, "value", value)) for key, value in dict(info).items()}


def _beside(path: Path) -> dict[str, str]:
    """``metadata.yaml``, which Ultralytics' exporter writes into the folder of the IR."""
    file = path.with_name("metadata.yaml")
    if not file.is_file():
        return {}
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{str(file)!r} is no readable YAML: {first_line(error)}") from error
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}


def _spec(item: Any) -> TensorSpec:
    shape = tuple(size.get_length() if size.is_static else None for size in item.partial_shape)
    names = item.get_names()
    return TensorSpec(min(names) if names else "", shape, np.dtype(item.element_type.to_dtype()))


def _reason(error: BaseException) -> str:
    """OpenVINO's errors begin with lines that name its source files; the reason comes last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or [type(error).__name__])[-1][:300]
