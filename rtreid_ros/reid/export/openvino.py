"""OpenVINO's intermediate representation."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

from rtreid_ros.errors import MissingDependencyError
from rtreid_ros.reid.export.base import Format, Plan
from rtreid_ros.reid.export.onnx import write as write_onnx


def check() -> None:
    """Nothing, where OpenVINO is installed.

    Raises:
        MissingDependencyError: it is not.
    """
    if importlib.util.find_spec("openvino") is None:
        raise MissingDependencyError(
            "the format openvino needs OpenVINO, which is not installed; "
            "run: pip install 'rtreid_ros[openvino]'"
        )


def write(plan: Plan, path: Path) -> None:
    """Convert the ONNX file; the metadata go where `OpenVinoSession` and other readers look for them."""
    import openvino as ov  # noqa: PLC0415 (optional)

    source = path.with_suffix(".onnx")
    write_onnx(replace(plan, precision="fp32"), source)
    model = ov.convert_model(str(source))
    for key, value in plan.metadata.items():
        model.set_rt_info(value, ["model_info", key])
    ov.save_model(model, str(path), compress_to_fp16=plan.precision == "fp16-weights")
    source.unlink()


OPENVINO = Format(
    ".xml",
    "OpenVINO IR, for Intel's CPUs and GPUs; in which precision it computes is set where it runs",
    ("fp32", "fp16-weights"),
    write,
    check,
    companions=(".bin",),
)
