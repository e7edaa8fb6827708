import numpy as np
import onnx
import pytest
import torch
from torch import nn

from rtreid_ros.runtime.onnx_export import OPSET, export_onnx
from rtreid_ros.runtime.ort import OrtSession


@pytest.fixture
def network():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(24, 5), nn.BatchNorm1d(5)
    )
    for layer in (net[1], net[4]):
        nn.init.normal_(layer.running_mean)
        nn.init.uniform_(layer.running_var, 0.5, 2)
        nn.init.normal_(layer.weight)
    return net.eval()


def test_constants_and_batch_norms_are_folded(network, tmp_path):
    path = tmp_path / "below" / "net.onnx"
    export_onnx(network, torch.zeros(2, 3, 4, 5), path, {"task": "test"}, output="rows", batched=True)
    model = onnx.load(str(path))
    assert {node.op_type for node in model.graph.node} <= {"Conv", "Flatten", "Reshape", "Gemm"}
    assert [(item.domain, item.version) for item in model.opset_import] == [("", OPSET)]
    assert model.producer_name == "rtreid_ros"


def test_the_file_computes_the_same_for_any_batch_and_holds_what_it_was_given(network, tmp_path):
    path = tmp_path / "net.onnx"
    export_onnx(network, torch.zeros(2, 3, 4, 5), path, {"task": "test"}, output="rows", batched=True)
    session = OrtSession(path)
    assert session.metadata == {"task": "test"}
    assert [str(item) for item in (*session.inputs, *session.outputs)] == [
        "images [?, 3, 4, 5] float32",
        "rows [?, 5] float32",
    ]
    for rows in (1, 2, 7):
        pixels = torch.randn(rows, 3, 4, 5)
        with torch.no_grad():
            expected = network(pixels).numpy()
        np.testing.assert_allclose(session.run(pixels.numpy())[0], expected, atol=1e-5)


def test_a_batch_of_fixed_size_stays_fixed(network, tmp_path):
    export_onnx(network, torch.zeros(1, 3, 4, 5), tmp_path / "net.onnx", {}, output="rows")
    assert OrtSession(tmp_path / "net.onnx").inputs[0].shape == (1, 3, 4, 5)


def test_a_place_that_cannot_be_written_is_an_os_error(network, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        export_onnx(network, torch.zeros(1, 3, 4, 5), tmp_path / "file" / "net.onnx", {}, output="rows")


def test_sizes_that_do_not_depend_on_the_batch_are_constants(tmp_path):
    class Halves(nn.Module):
        def forward(self, images):
            first, second = images.split((images.shape[1] // 2, images.shape[1] - images.shape[1] // 2), 1)
            return torch.cat((images.std((2, 3)), first.mean((2, 3)), second.mean((2, 3))), 1)

    export_onnx(Halves(), torch.zeros(2, 3, 4, 5), tmp_path / "net.onnx", {}, output="rows", batched=True)
    graph = onnx.load(str(tmp_path / "net.onnx")).graph
    assert not {"Shape", "Gather", "Identity", "Constant"} & {node.op_type for node in graph.node}
    pixels = torch.randn(3, 3, 4, 5)
    found = OrtSession(tmp_path / "net.onnx").run(pixels.numpy())[0]
    np.testing.assert_allclose(found, Halves()(pixels).numpy(), atol=1e-6)
