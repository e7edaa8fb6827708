"""ONNX models in half precision: the whole arithmetic, or the stored weights alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16
from onnxruntime.transformers.onnx_model import OnnxModel

from rtreid_ros.runtime.onnx_export import fold_constants

LARGEST = float(np.finfo(np.float16).max)

SMALLEST_STORED = 256
"""Weights of fewer numbers stay float32: a Cast costs more than they do."""

SINGLE = ("InstanceNormalization", "GroupNormalization", "LayerNormalization", "ReduceL2", "LpNormalization")
"""Operators that stay float32: their sums of squares pass 65504 long before their roots do."""

ROOTS = ("Sqrt", "Pow")

STATISTICS = ("ReduceMean", "ReduceSum", "GlobalAveragePool", "Add", "Sub", "Mul", "Div", "Clip", "Max")
"""What stands between a power and its root."""


def half_graph(model: Any) -> Any:
    """`model` computing in float16, its inputs and outputs float32.

    Norms stay float32, and so does what lies between a power and its root: the generalised mean of GeM
    pooling, standard deviations.
    """
    for index, node in enumerate(model.graph.node):
        node.name = f"{node.op_type}_{index}"
    nodes = list(model.graph.node)
    converted = convert_float_to_float16(
        model,
        keep_io_types=True,
        op_block_list=[*DEFAULT_OP_BLOCK_LIST, *SINGLE],
        node_block_list=sorted(between_powers_and_roots(nodes) | _behind_last_norm(nodes)),
    )
    _skip_round_trips(converted.graph)
    ordered = OnnxModel(converted)
    ordered.topological_sort()
    return fold_constants(ordered.model)


def half_weights(model: Any) -> Any:
    """`model` with its weights stored as float16, each behind a Cast to float32.

    ONNX Runtime computes these Casts once, when it loads the file, as OpenVINO and TensorRT do.
    """
    casts = []
    for tensor in model.graph.initializer:
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.dtype != np.float32 or values.size < SMALLEST_STORED or np.abs(values).max() > LARGEST:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            helper.make_node("Cast", [tensor.name], [name], name=f"{name}_single", to=TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def between_powers_and_roots(nodes: list[Any]) -> set[str]:
    """Names of all nodes on ways from a power to a root through `STATISTICS` alone, ends included."""
    users: dict[str, list[Any]] = {}
    for node in nodes:
        for name in node.input:
            users.setdefault(name, []).append(node)

    def ways(value: str) -> set[str]:
        found: set[str] = set()
        for user in users.get(value, []):
            if user.op_type in ROOTS:
                found.add(user.name)
            elif user.op_type in STATISTICS and (beyond := ways(user.output[0])):
                found |= {user.name, *beyond}
        return found

    chosen: set[str] = set()
    for node in nodes:
        if node.op_type == "Pow" or (node.op_type == "Mul" and node.input[0] == node.input[1]):
            way = ways(node.output[0])
            chosen |= {node.name, *way} if way else set()
    return chosen


def _behind_last_norm(nodes: list[Any]) -> set[str]:
    """Names of the nodes that scale the rows to unit length."""
    last = max((index for index, node in enumerate(nodes) if node.op_type == "ReduceL2"), default=len(nodes))
    chosen: set[str] = set()
    values: set[str] = set()
    for node in nodes[last:]:  # in the order of computing
        if not chosen or values & set(node.input):
            chosen.add(node.name)
            values |= set(node.output)
    return chosen


def _skip_round_trips(graph: Any) -> None:
    """Take float32 to float16 and back out: between two float32 operators it only loses digits."""
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        before = makers.get(node.input[0]) if node.op_type == "Cast" else None
        # the converter's own, behind what it left in float32
        if before is not None and before.name.endswith("_cast_to_fp16_node") and _casts_to_single(node):
            node.op_type = "Identity"
            node.input[0] = before.input[0]
            del node.attribute[:]


def _casts_to_single(node: Any) -> bool:
    return any(item.name == "to" and item.i == TensorProto.FLOAT for item in node.attribute)
