"""Execution providers of ONNX Runtime, tried with a model of one operation, and built-in models."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.cli.checks.base import Check

if TYPE_CHECKING:
    from rtreid_ros.runtime.info import ModelInfo

_SIZE = 4
_ADVICE = {
    "tensorrt": "needs onnxruntime-gpu and TensorRT's libraries: pip install onnxruntime-gpu tensorrt",
    "cuda": "needs an NVIDIA driver and pip install 'onnxruntime-gpu[cuda,cudnn]' in place of onnxruntime",
    "openvino": "pip install onnxruntime-openvino in place of onnxruntime; .xml models need only openvino",
    "cpu": "reinstall onnxruntime",
}


def provider_checks() -> list[Check]:
    """Which providers are in this build and really compute."""
    try:
        from rtreid_ros.runtime.ort import PROVIDERS, available_providers  # noqa: PLC0415
    except Exception as error:  # a broken onnxruntime is reported with the core packages too
        return [Check("onnxruntime", "broken", f"cannot be imported: {error}", "reinstall onnxruntime")]
    present = available_providers()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "probe.onnx"
        model.write_bytes(probe_model())
        return [
            _try(name, model)
            if name in present
            else Check(name, "missing", f"{full} is not in this build of ONNX Runtime", _ADVICE[name])
            for name, full in PROVIDERS.items()
        ]


def _try(name: str, model: Path) -> Check:
    from rtreid_ros.errors import RtreidError  # noqa: PLC0415
    from rtreid_ros.runtime.ort import OrtSession  # noqa: PLC0415

    broken = "broken" if name == "cpu" else "warning"
    logger = logging.getLogger("rtreid_ros.runtime")
    level = logger.level
    logger.setLevel(logging.ERROR)  # the finding says it all
    try:
        session = OrtSession(model, (name,))
        (out,) = session.run(np.arange(_SIZE, dtype=np.float32) - 2)
    except RtreidError as error:
        return Check(name, broken, f"in this build, but does not come up: {error}", _ADVICE[name])
    finally:
        logger.setLevel(level)
    if not np.array_equal(out, [0, 0, 0, 1]):
        return Check(name, broken, f"computes wrongly: {out}", _ADVICE[name])
    return Check(name, "ok", f"{session.provider} computes")


def model_checks() -> list[Check]:
    """The built-in models: there, and loadable."""
    from rtreid_ros.detection import create_detector  # noqa: PLC0415
    from rtreid_ros.reid import create_embedder  # noqa: PLC0415

    return [
        _model("detector", lambda: create_detector().info),
        _model("embedder", lambda: create_embedder().info),
    ]


def _model(stage: str, load: Callable[[], ModelInfo]) -> Check:
    from rtreid_ros.errors import RtreidError  # noqa: PLC0415

    try:
        info = load()
    except RtreidError as error:
        return Check(stage, "warning", str(error), f"name a model of your own with --{stage}")
    return Check(stage, "ok", f"{info}; knows the synthetic scene only")


def probe_model() -> bytes:
    """An ONNX model, ``y = relu(x)`` for four floats, spelt out in protobuf (onnx.proto, version 8)."""

    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([number << 3 | 2, len(content)]) + content

    def number(tag: int, value: int) -> bytes:
        return bytes([tag << 3, value])

    def tensor(name: bytes) -> bytes:
        shape = field(1, number(1, _SIZE))
        kind = field(1, number(1, 1) + field(2, shape))  # element type 1 is float
        return field(1, name) + field(2, kind)

    node = field(1, b"x") + field(2, b"y") + field(4, b"Relu")
    graph = field(1, node) + field(2, b"probe") + field(11, tensor(b"x")) + field(12, tensor(b"y"))
    return number(1, 8) + field(7, graph) + field(8, number(2, 13))
