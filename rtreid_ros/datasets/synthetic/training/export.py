"""Writing a network as ONNX, with all that a runtime needs to know inside the file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

OPSET = 17
AUTHOR = "rtreid_ros contributors"
LICENCE = "MIT"


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
    """Write `net` in evaluation mode to `path` as FP32 ONNX of opset 17, batch normalisation folded in.

    Args:
        net: a torch module with one input and one output.
        example: an input of the right shape.
        path: file to write.
        metadata: becomes the file's ``metadata_props``.
        inputs: name of the input.
        output: name of the output.
        batched: the first axis may have any length.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {inputs: {0: "batch"}, output: {0: "batch"}} if batched else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the older exporter, which we need
        torch.onnx.export(
            net.eval(),
            (example,),
            str(path),
            input_names=[inputs],
            output_names=[output],
            opset_version=OPSET,
            dynamic_axes=axes,
            dynamo=False,  # the other exporter writes opset 18 and more
        )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, {"author": AUTHOR, "license": LICENCE, **metadata})
    model.producer_name = "rtreid_ros"
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
