"""Half precision in ONNX files, computed by onnx's reference: its float16 really is one everywhere."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn
from torch.nn import functional

from rtreid_ros.reid.export.half import SMALLEST_STORED, half_graph, half_weights
from rtreid_ros.reid.models.blocks.pooling import GeM
from rtreid_ros.runtime.onnx_export import export_onnx


class Deviation(nn.Module):
    def forward(self, x):
        return x.flatten(2).std(2)


class Normed(nn.Module):
    """A statistic of maps 30 to 120 high, as rows of unit length."""

    def __init__(self, statistic):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 1)
        self.norm = nn.InstanceNorm2d(6, affine=True)
        self.statistic = statistic
        self.linear = nn.Linear(6, 8)

    def forward(self, images):
        maps = 30 + 90 * torch.sigmoid(self.norm(200 * self.conv(images)))
        return functional.normalize(self.linear(self.statistic(maps)), dim=1)


def made(net, tmp_path, size=(16, 8)):
    path = tmp_path / "net.onnx"
    export_onnx(net, torch.zeros(2, 3, *size), path, {"task": "test"}, output="rows", batched=True)
    return onnx.load(str(path))


def computed(model, images):
    onnx.checker.check_model(model, full_check=True)
    return ReferenceEvaluator(model).run(None, {"images": images.numpy()})[0]


def types_of(model):
    inferred = onnx.shape_inference.infer_shapes(model)
    values = (*inferred.graph.value_info, *inferred.graph.output)
    return {item.name: item.type.tensor_type.elem_type for item in values}


@pytest.fixture
def images():
    return torch.randn(3, 3, 16, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("statistic", [GeM(), Deviation()])
def test_powers_sums_and_roots_do_not_overflow(statistic, images, tmp_path):
    torch.manual_seed(0)
    net = Normed(statistic).eval()
    with torch.no_grad():
        expected = net(images).numpy()
    rows = computed(half_graph(made(net, tmp_path)), images)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, expected, atol=5e-3)


def test_convolutions_compute_in_half_and_what_would_overflow_does_not(tmp_path):
    model = half_graph(made(Normed(GeM()), tmp_path))
    types = types_of(model)
    kinds = {}
    for node in model.graph.node:
        kinds.setdefault(node.op_type, set()).add(types[node.output[0]])
    assert kinds["Conv"] == kinds["Gemm"] == kinds["Sigmoid"] == {TensorProto.FLOAT16}
    for kind in ("InstanceNormalization", "Pow", "ReduceMean", "ReduceL2", "Div"):
        assert kinds[kind] == {TensorProto.FLOAT}, kind


def test_single_precision_is_not_left_between_two_operators_that_need_it(tmp_path):
    model = half_graph(made(Normed(GeM()), tmp_path))
    made_by = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        if node.op_type == "Cast":
            before = made_by.get(node.input[0])
            assert before is None or before.op_type != "Cast"


def test_metadata_inputs_and_outputs_stay_as_they_are(tmp_path):
    model = half_graph(made(Normed(GeM()), tmp_path))
    (taken,), (given,) = model.graph.input, model.graph.output
    assert (taken.name, given.name) == ("images", "rows")
    assert taken.type.tensor_type.elem_type == given.type.tensor_type.elem_type == TensorProto.FLOAT
    assert taken.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert [(item.key, item.value) for item in model.metadata_props] == [("task", "test")]


def test_a_square_far_from_any_root_does_not_keep_what_follows_in_single_precision(images, tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 6, 1)
            self.gem = GeM()

        def forward(self, images):
            return functional.normalize(self.gem(self.conv(images.square())), dim=1)

    types = types_of(half_graph(made(Net(), tmp_path)))
    model = half_graph(made(Net(), tmp_path))
    first = model.graph.node[1]
    assert first.op_type in ("Mul", "Pow")
    assert types[first.output[0]] == TensorProto.FLOAT16


def test_stored_weights_are_halves_behind_a_cast_and_small_ones_stay(images, tmp_path):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 40, 3), nn.ReLU(), nn.Flatten(), nn.Linear(40 * 14 * 6, 4)).eval()
    model = half_weights(made(net, tmp_path))
    stored = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    assert sorted(
        (array.dtype.name, array.shape) for array in stored.values() if array.dtype != np.int64
    ) == [
        ("float16", (4, 3360)),
        ("float16", (40, 3, 3, 3)),
        ("float32", (4,)),
        ("float32", (40,)),
    ]
    assert {node.op_type for node in model.graph.node[:2]} == {"Cast"}
    for layer in (net[0], net[3]):  # what is computed are the rounded weights, in single precision
        layer.weight.data = layer.weight.data.half().float()
    with torch.no_grad():
        np.testing.assert_allclose(computed(model, images), net(images).numpy(), atol=1e-5)


def test_weights_beyond_half_precision_stay_single(images, tmp_path):
    net = nn.Conv2d(3, 40, 3, bias=False).eval()
    assert net.weight.numel() > SMALLEST_STORED
    net.weight.data[0, 0, 0, 0] = 1e5
    model = half_weights(made(net, tmp_path))
    assert [item.data_type for item in model.graph.initializer] == [TensorProto.FLOAT]
