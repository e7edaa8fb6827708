"""ONNX, for ONNX Runtime, OpenVINO and TensorRT."""

from __future__ import annotations

from pathlib import Path

import onnx

from rtreid_ros.reid.export.base import Format, Plan
from rtreid_ros.reid.export.half import half_graph, half_weights
from rtreid_ros.runtime.onnx_export import export_onnx

INPUT, OUTPUT = "images", "embeddings"


def write(plan: Plan, path: Path) -> None:
    """Write input ``images`` (batch, 3, H, W) and output ``embeddings`` (batch, D), both float32."""
    network = plan.network()
    export_onnx(network, network.example(), path, plan.metadata, inputs=INPUT, output=OUTPUT, batched=True)
    if plan.precision != "fp32":
        convert = {"fp16": half_graph, "fp16-weights": half_weights}[plan.precision]
        model = convert(onnx.load(str(path)))
        onnx.checker.check_model(model, full_check=True)
        onnx.save(model, str(path))


ONNX = Format(".onnx", "for ONNX Runtime on CPU, CUDA and TensorRT", ("fp32", "fp16", "fp16-weights"), write)
