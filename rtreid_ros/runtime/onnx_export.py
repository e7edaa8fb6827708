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
from onnxscript import ir
from onnxscript.optimizer import fold_constants_ir
from onnxscript.rewriter import rewrite
from onnxscript.rewriter.rules.common import fuse_batchnorm_into_conv_rule, fuse_batchnorm_into_gemm_rule

OPSET = 17
"""Old enough for every runtime in use (ONNX Runtime from 1.12), new enough for layer normalisation."""

OWN = {"author": "rtreid_ros contributors", "license": "MIT"}
"""Metadata of models that this project makes from its own data."""

BATCH_NORMS = (fuse_batchnorm_into_conv_rule, fuse_batchnorm_into_gemm_rule)


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
    model = fold_constants(onnx.load_from_string(buffer.getvalue()))
    if _put_known_sizes(model):
        model = fold_constants(model)
    onnx.helper.set_model_props(model, dict(metadata))
    model.producer_name = "rtreid_ros"
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


def fold_constants(model: Any) -> Any:
    """The model without what can be computed beforehand, batch norms behind linear layers included.

    onnxscript's ``optimize`` does this and more, but tries rules for minutes on graphs of thousands of nodes.
    """
    network = ir.from_proto(model)
    fold_constants_ir(network, onnx_shape_inference=True)
    rewrite(network, BATCH_NORMS)
    passes = ir.passes.common
    for step in (
        passes.IdentityEliminationPass(),
        passes.RemoveUnusedNodesPass(),
        passes.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0),
        passes.DeduplicateInitializersPass(),
    ):
        step(network)
    return ir.to_proto(network)


def _put_known_sizes(model: Any) -> bool:
    """Put constants for sizes that are asked for at run time but do not depend on the batch; any found?"""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    sizes = {item.name: item.type.tensor_type.shape.dim for item in (*inferred.input, *inferred.value_info)}
    constants = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    measured = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Shape"}
    found = False
    for node in model.graph.node:
        if node.op_type != "Gather" or node.input[1] not in constants:
            continue
        index, shape = constants[node.input[1]], sizes.get(measured.get(node.input[0]))
        asked = [shape[int(axis)] for axis in index.flat] if shape is not None else []
        if asked and all(size.HasField("dim_value") for size in asked):
            value = np.array([size.dim_value for size in asked], np.int64).reshape(index.shape)
            node.op_type = "Constant"
            del node.input[:], node.attribute[:]
            node.attribute.append(onnx.helper.make_attribute("value", numpy_helper.from_array(value)))
            found = True
    return found
