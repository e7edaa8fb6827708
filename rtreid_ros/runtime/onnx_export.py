"""Writing a network as ONNX, with all that a runtime needs to know inside the file. Needs torch."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxscript import optimizer

OPSET = 17
"""Old enough for every runtime in use (ONNX Runtime from 1.12), new enough for layer normalisation."""

OWN = {"author": "rtreid_ros contributors", "license": "MIT"}
"""Metadata of models that this project makes from its own data."""


def export_onnx(
    net: Any,
    example: Any,
    path: Path,
    metadata: Mapping[str, str],
    *,
    inputs: str = "images",
    output: str,
    batched: bool = False,
) -> None:
    """Write `net` in evaluation mode to `path` as FP32 ONNX of opset 17.

    Constants are computed, and batch normalisation goes into the convolution or linear layer before it.

    Args:
        net: a torch module with one input and one output.
        example: an input of the right shape.
        path: file to write.
        metadata: becomes the file's ``metadata_props``.
        inputs: name of the input.
        output: name of the output.
        batched: the first axis may have any length.

    Raises:
        OSError: `path` cannot be written.
    """
    axes = {inputs: {0: "batch"}, output: {0: "batch"}} if batched else None
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # of the older exporter, which we need: that it is old, and what it takes for constant
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.eval(),
            (example,),
            buffer,
            input_names=[inputs],
            output_names=[output],
            opset_version=OPSET,
            dynamic_axes=axes,
            dynamo=False,  # the other exporter writes opset 18 and more
        )
    model = optimizer.optimize(onnx.load_from_string(buffer.getvalue()))
    onnx.helper.set_model_props(model, dict(metadata))
    model.producer_name = "rtreid_ros"
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
