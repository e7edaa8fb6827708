"""Models run by ONNX Runtime."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.runtime.session import Array, TensorSpec, first_line

logger = logging.getLogger(__name__)

PROVIDERS = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
"""Our names of execution providers, and ONNX Runtime's."""

DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}

_ERRORS_ONLY = 3
_FATAL_ONLY = 4


def available_providers() -> tuple[str, ...]:
    """The execution providers this build of ONNX Runtime holds, in our names and order.

    Being in the build does not mean that its libraries are on this machine: only a session tells.
    """
    present = set(ort.get_available_providers())
    return tuple(name for name, full in PROVIDERS.items() if full in present)


def cpu_count() -> int:
    """Cores this process may use, which in a container is fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def provider_options(name: str) -> dict[str, str]:
    """Settings for one of our provider names."""
    if name == "tensorrt":
        # building an engine takes minutes: keep it for the next start
        cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "rtreid_ros" / "tensorrt"
        return {"trt_engine_cache_enable": "True", "trt_engine_cache_path": str(cache)}
    if name == "cuda":
        # the default tries every algorithm anew for each batch size, and its choice varies from run to run
        return {"cudnn_conv_algo_search": "HEURISTIC"}
    return {}


class OrtSession:
    """An ONNX model. See `Session`.

    Args:
        path: the ``.onnx`` file.
        providers: our names of execution providers (`PROVIDERS`), tried in this order.
        threads: CPU threads of one inference; 0 = as many as there are cores.

    Raises:
        ModelError: the file is no readable ONNX model or none of the wanted providers can run it.
        ConfigError: none of `providers` is in this build of ONNX Runtime.
    """

    backend = "onnx"

    def __init__(self, path: Path, providers: Sequence[str] = tuple(PROVIDERS), threads: int = 0) -> None:
        self.name = path.name
        self._session, self.provider = _open(path, providers, threads)
        self.inputs = tuple(_spec(item) for item in self._session.get_inputs())
        self.outputs = tuple(_spec(item) for item in self._session.get_outputs())
        self.metadata: Mapping[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self._output_names = [item.name for item in self.outputs]

    def run(self, array: Array) -> Sequence[Array]:
        """Every output for the one input `array`; see `Session.run`."""
        try:
            outputs: Sequence[Array] = self._session.run(self._output_names, {self.inputs[0].name: array})
        except Exception as error:  # ONNX Runtime's own hierarchy starts at Exception
            raise ModelError(
                f"{self.name} failed on an input of shape {array.shape} ({array.dtype}): {first_line(error)}"
            ) from error
        return outputs


def _open(path: Path, wanted: Sequence[str], threads: int) -> tuple[Any, str]:
    """A session on the first of the wanted providers that really comes up, and that one's full name."""
    present = available_providers()
    order = [name for name in wanted if name in present]
    missing = [name for name in wanted if name not in present]
    if not order:
        raise ConfigError(
            f"none of the execution providers {', '.join(wanted) or '(none given)'} is in this build of "
            f"ONNX Runtime; it has: {', '.join(present)}"
        )
    if "cuda" in order or "tensorrt" in order:
        _load_cuda_libraries()
    while True:
        settings = ort.SessionOptions()
        settings.log_severity_level = _ERRORS_ONLY if order == ["cpu"] else _FATAL_ONLY
        settings.intra_op_num_threads = threads or cpu_count()
        settings.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        settings.use_deterministic_compute = True
        # threads that wait by spinning take the cores from the other stages: 2.5 times the CPU time per frame
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(
                str(path),
                settings,
                providers=[(PROVIDERS[name], provider_options(name)) for name in order],
                enable_fallback=0,  # its fallback prints to the terminal; ours logs
            )
        except Exception as error:  # ONNX Runtime's own hierarchy starts at Exception
            if order[0] != "cpu" and len(order) > 1:
                logger.warning("%s: %s failed: %s", path.name, PROVIDERS[order[0]], first_line(error))
                order = order[1:]
                continue
            raise ModelError(
                f"{str(path)!r} cannot be loaded as an ONNX model: {first_line(error)}; "
                "check that the file is complete (download or export it again) and that ONNX Runtime "
                f"{ort.__version__} is not too old for it"
            ) from error
        break

    used = str(session.get_providers()[0])
    for name in order[: _index(order, used)]:
        logger.warning(
            "%s: %s did not come up (its libraries are missing or do not fit; see `rtreid doctor`)",
            path.name,
            PROVIDERS[name],
        )
    if used not in {PROVIDERS[name] for name in wanted}:
        raise ModelError(
            f"{path.name}: none of the wanted execution providers came up ({', '.join(order)}), only {used}; "
            "add cpu to the providers or repair their libraries"
        )
    absent = f" (not in this build of ONNX Runtime: {', '.join(missing)})" if missing else ""
    logger.info("%s runs on %s%s", path.name, used, absent)
    return session, used


def _load_cuda_libraries() -> None:
    """Find CUDA where pip puts it (the ``nvidia-*`` packages), which the dynamic linker does not search."""
    if not hasattr(ort, "preload_dlls"):  # before 1.21
        return
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        ort.preload_dlls(msvc=False)
    for line in said.getvalue().splitlines():
        logger.warning("CUDA: %s", line)


def _index(order: Sequence[str], used: str) -> int:
    names = [PROVIDERS[name] for name in order]
    return names.index(used) if used in names else len(names)


def _spec(item: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in item.shape)
    return TensorSpec(item.name, shape, np.dtype(DTYPES.get(item.type, np.object_)))
