"""Writing a network as ONNX, with all that a runtime needs to know inside the file. Needs torch."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
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
    model = _with_known_sizes(optimizer.optimize(onnx.load_from_string(buffer.getvalue())))
    model = optimizer.optimize(model)
    onnx.helper.set_model_props(model, dict(metadata))
    model.producer_name = "rtreid_ros"
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def _with_known_sizes(model: Any) -> Any:
    """Constants for the sizes that are asked for at run time but do not depend on the batch."""
    model = onnx.shape_inference.infer_shapes(model)
    sizes = {item.name: item.type.tensor_type.shape.dim for item in model.graph.value_info}
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    measured = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Shape"}
    for node in model.graph.node:
        if node.op_type != "Gather" or not {measured.get(node.input[0])} & set(sizes):
            continue
        index = constants.get(node.input[1])
        if index is not None and index.ndim == 0:
            size = sizes[measured[node.input[0]]][int(index)]
            if size.HasField("dim_value"):
                node.op_type = "Constant"
                del node.input[:], node.attribute[:]
                value = numpy_helper.from_array(np.array(size.dim_value, np.int64))
                node.attribute.append(onnx.helper.make_attribute("value", value))
    return model
