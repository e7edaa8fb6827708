"""Networks read back from ONNX files."""

import shutil

import onnx
import pytest
import torch

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.export.base import Plan
from rtreid_ros.reid.export.metadata import describe_export
from rtreid_ros.reid.export.network import DeployedNetwork
from rtreid_ros.reid.export.onnx import ONNX
from rtreid_ros.reid.export.reading import load_exported
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.runtime.session import BUILTINS

SIZE = (64, 32)


def lived_in(name, options):
    """A network whose batch norms have seen something."""
    torch.manual_seed(1)
    model = create_model(name, 3, **options).eval()
    for norm in model.modules():
        if isinstance(norm, torch.nn.modules.batchnorm._BatchNorm):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    return model


def written(model, name, options, path, precision="fp32"):
    checkpoint = Checkpoint(name, options, 3, 0, SIZE, PRESETS["imagenet"], model.state_dict(), epoch=4)
    ONNX.write(Plan(model, SIZE, precision, describe_export(checkpoint, precision, "unknown")), path)
    return path


@pytest.mark.parametrize(
    ("name", "options", "precision"),
    [
        ("seresnet18_ibn", {"width": 0.125}, "fp16-weights"),
        ("striped_mobile", {"width": 0.25, "dim": 32}, "fp32"),  # its linear layer is a matrix product
    ],
)
def test_what_export_wrote_is_read_back(name, options, precision, tmp_path):
    model = lived_in(name, options)
    found = load_exported(written(model, name, options, tmp_path / "net.onnx", precision))
    checkpoint = found.checkpoint
    assert (checkpoint.model, checkpoint.size, checkpoint.classes) == (name, SIZE, 0)
    assert checkpoint.preprocessing == PRESETS["imagenet"]
    assert checkpoint.epoch == 4
    assert found.folded
    one, other = DeployedNetwork(model, SIZE), DeployedNetwork(checkpoint.create_model(), SIZE)
    with torch.inference_mode():
        likeness = (one(one.example()) * other(one.example())).sum(1)
    assert likeness.min() > 0.999


def test_the_built_in_embedders_are_read_back():
    for name in ("osnet_x0_25_market1501.onnx", "reid_synthetic.onnx"):
        assert load_exported(BUILTINS / name).folded


def test_what_cannot_be_read_back_is_said(tmp_path):
    with pytest.raises(ModelError, match="no model"):
        load_exported(tmp_path / "nowhere.onnx")
    (tmp_path / "torn.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"torn\.onnx is no ONNX file"):
        load_exported(tmp_path / "torn.onnx")
    with pytest.raises(ModelError, match="unless rtreid export-reid wrote it; give the checkpoint"):
        load_exported(shutil.copy(BUILTINS / "person_synthetic.onnx", tmp_path / "other.onnx"))
    options = {"width": 0.125}
    path = written(lived_in("seresnet18_ibn", options), "seresnet18_ibn", options, tmp_path / "net.onnx")
    model = onnx.load(path)
    next(item for item in model.graph.node if item.op_type == "Conv").op_type = "Gemm"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"of seresnet18_ibn cannot be read back \(where the network has"):
        load_exported(path)


def test_a_file_that_computes_something_else_is_refused(tmp_path):
    options = {"width": 0.125}
    path = written(lived_in("seresnet18_ibn", options), "seresnet18_ibn", options, tmp_path / "net.onnx")
    model = onnx.load(path)
    next(node for node in model.graph.node if node.op_type == "Relu").op_type = "Sigmoid"
    onnx.save(model, path)
    with pytest.raises(ModelError, match=r"vectors of the network differ from the file's \(cosine 0"):
        load_exported(path)
