"""What can be tested without a GPU: refusals, the file, and what TensorRT is asked for."""

import json
import struct
import sys
from types import SimpleNamespace

import onnx
import pytest
import torch

from rtreid_ros.errors import ConfigError, ExportError, MissingDependencyError, ModelError
from rtreid_ros.reid.export import check_format
from rtreid_ros.reid.export.base import Plan
from rtreid_ros.reid.export.tensorrt import split_metadata, with_metadata, write


def test_without_tensorrt_the_way_through_onnx_runtime_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        MissingDependencyError, match=r"rtreid_ros\[tensorrt\].*ONNX Runtime's TensorRT provider"
    ):
        check_format("tensorrt", "fp32")


def test_without_a_gpu_it_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"on the GPU that will run it, and torch finds none here"):
        check_format("tensorrt", "fp32")


def test_metadata_stand_before_the_engine():
    content = with_metadata(b"\x00engine", {"task": "reid"})
    (length,) = struct.unpack("<i", content[:4])
    assert json.loads(content[4 : 4 + length]) == {"task": "reid"}
    assert split_metadata(content) == (b"\x00engine", {"task": "reid"})


@pytest.mark.parametrize(
    "content", [b"", b"ab", struct.pack("<i", 4) + b"nope", struct.pack("<i", -9) + b"xx"]
)
def test_other_files_are_refused(content):
    with pytest.raises(ModelError, match="no engine of rtreid export-reid"):
        split_metadata(content)


@pytest.fixture
def tensorrt(monkeypatch):
    """The part of TensorRT's API that building uses; notes what it is told."""
    told = {}

    class Builder:
        def __init__(self, logger):
            pass

        def create_network(self, flags):
            told["flags"] = flags
            return SimpleNamespace()

        def create_builder_config(self):
            return SimpleNamespace(add_optimization_profile=lambda profile: told.setdefault("added", True))

        def create_optimization_profile(self):
            return SimpleNamespace(set_shape=lambda *shapes: told.update(shapes=shapes))

        def build_serialized_network(self, network, config):
            return told.get("engine", b"engine")

    class OnnxParser:
        num_errors = 1

        def __init__(self, network, logger):
            pass

        def parse(self, content):
            told["onnx"] = content
            return "refused" not in told

        def get_error(self, index):
            return told["refused"]

    def make_logger(level):
        return level

    make_logger.ERROR = 1
    module = SimpleNamespace(
        __version__="11.0",
        Logger=make_logger,
        Builder=Builder,
        OnnxParser=OnnxParser,
        NetworkDefinitionCreationFlag=SimpleNamespace(STRONGLY_TYPED=1),
    )
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    return told


@pytest.fixture
def plan(checkpoint):
    return Plan(checkpoint.create_model(), checkpoint.size, "fp16", {"task": "reid"})


def test_an_engine_takes_any_batch_and_the_precision_of_the_onnx_file(tensorrt, plan, tmp_path):
    write(plan, tmp_path / "net.engine")
    assert split_metadata((tmp_path / "net.engine").read_bytes()) == (b"engine", {"task": "reid"})
    assert [path.name for path in tmp_path.iterdir()] == ["net.engine"]
    assert tensorrt["shapes"] == ("images", (1, 3, 32, 16), (8, 3, 32, 16), (32, 3, 32, 16))
    assert tensorrt["added"]
    assert tensorrt["flags"] == 1 << 1
    initializers = onnx.load_from_string(tensorrt["onnx"]).graph.initializer
    assert onnx.TensorProto.FLOAT16 in {item.data_type for item in initializers}


def test_what_tensorrt_refuses_is_told(tensorrt, plan, tmp_path):
    tensorrt["engine"] = None
    with pytest.raises(ExportError, match=r"TensorRT 11\.0 builds no engine"):
        write(plan, tmp_path / "net.engine")
    tensorrt["refused"] = "unsupported node"
    with pytest.raises(ExportError, match="cannot read the network: unsupported node"):
        write(plan, tmp_path / "net.engine")
