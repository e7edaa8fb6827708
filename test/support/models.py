"""Tiny ONNX models made on the spot."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def _save(path, nodes, inputs, outputs, initializers=(), metadata=None):
    graph = helper.make_graph(nodes, "made_by_a_test", inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


def constant_detector(
    path, *outputs, size=(320, 320), shape=None, dtype=TensorProto.FLOAT, metadata=None, work=0
):
    """A model that puts out `outputs` whatever image it is given, after `work` products of large matrices."""
    image = helper.make_tensor_value_info("images", dtype, shape or [1, 3, *size])
    zero = numpy_helper.from_array(np.float32(0), "zero")
    # converters drop inputs that nothing depends on
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["mean"], keepdims=0),
    ]
    values, constants, last = [], [zero], "mean"
    if work:
        matrix = numpy_helper.from_array(np.eye(1000, dtype=np.float32), "matrix")
        constants.append(matrix)
        nodes.append(helper.make_node("Add", ["matrix", "mean"], ["product0"]))
        nodes += [
            helper.make_node("MatMul", [f"product{index}", "matrix"], [f"product{index + 1}"])
            for index in range(work)
        ]
        nodes.append(helper.make_node("ReduceMean", [f"product{work}"], ["worked"], keepdims=0))
        last = "worked"
    nodes.append(helper.make_node("Mul", [last, "zero"], ["nothing"]))
    for index, array in enumerate(outputs):
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), f"value{index}")
        constants.append(tensor)
        nodes.append(helper.make_node("Cast", ["nothing"], [f"nothing{index}"], to=tensor.data_type))
        nodes.append(helper.make_node("Add", [tensor.name, f"nothing{index}"], [f"output{index}"]))
        values.append(helper.make_tensor_value_info(f"output{index}", tensor.data_type, array.shape))
    return _save(path, nodes, [image], values, constants, metadata=metadata)


def mean_color_embedder(
    path, batch=None, size=(16, 8), dtype=TensorProto.FLOAT, metadata=None, shape=None, keep_axes=False
):
    """A model whose vector is the mean of each channel of the crop as the model gets it."""
    rows = batch or "batch"
    crops = helper.make_tensor_value_info("crops", dtype, shape or [rows, 3, *size])
    nodes = [helper.make_node("GlobalAveragePool", ["crops"], ["vectors" if keep_axes else "pooled"])]
    dims = [rows, 3, 1, 1] if keep_axes else [rows, 3]
    if not keep_axes:
        nodes.append(helper.make_node("Flatten", ["pooled"], ["vectors"]))
    return _save(
        path, nodes, [crops], [helper.make_tensor_value_info("vectors", dtype, dims)], metadata=metadata
    )


def two_headed_embedder(path, size=(16, 8), metadata=None):
    """A model with class logits ahead of its embedding, as exporters of training graphs make them."""
    crops = helper.make_tensor_value_info("crops", TensorProto.FLOAT, ["batch", 3, *size])
    weights = numpy_helper.from_array(np.ones((3, 10), np.float32), "weights")
    nodes = [
        helper.make_node("GlobalAveragePool", ["crops"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embeddings"]),
        helper.make_node("MatMul", ["embeddings", "weights"], ["logits"]),
    ]
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10]),
        helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["batch", 3]),
    ]
    return _save(path, nodes, [crops], outputs, [weights], metadata)


def brittle_detector(path, rows, size=(320, 320), metadata=None):
    """A detector that finds `rows` (x, y, width, height, score) in dark images and fails in white ones.

    The mean of the image is an index into a table; of white it points behind the end.
    """
    table = np.zeros((3, 5, 2100), np.float32)
    for index, row in enumerate(rows):
        table[:, :, index] = row
    four = numpy_helper.from_array(np.array(4, np.float32), "four")
    one = numpy_helper.from_array(np.array([1]), "one")
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[0, 1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "four"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["number"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["number", "one"], ["index"]),
        helper.make_node("Gather", ["table", "index"], ["output0"], axis=0),
    ]
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *size])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, 2100])
    constants = [four, one, numpy_helper.from_array(table, "table")]
    return _save(path, nodes, [image], [output], constants, metadata)


def brightness_detector(path, rows, size=(320, 320), metadata=None):
    """A detector of any batch whose boxes lie the farther right, the brighter the image is.

    It finds `rows` (x, y, width, height, score) in black images, and 100 pixels further right in white ones.
    """
    table = np.zeros((1, 5, 2100), np.float32)
    for index, row in enumerate(rows):
        table[0, :, index] = row
    step = np.zeros((1, 5, 1), np.float32)
    step[0, 0] = 100
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Squeeze", ["mean", "last"], ["brightness"]),
        helper.make_node("Mul", ["brightness", "step"], ["shift"]),
        helper.make_node("Add", ["table", "shift"], ["output0"]),
    ]
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, *size])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 5, 2100])
    constants = [
        numpy_helper.from_array(table, "table"),
        numpy_helper.from_array(step, "step"),
        numpy_helper.from_array(np.array([3]), "last"),
    ]
    return _save(path, nodes, [image], [output], constants, metadata)
