"""Every format and precision: what is written runs where it is deployed, and says what it is."""

import json

import numpy as np
import pytest
from support.reid_export import SIZE, checkpoint_of, vectors_of

from rtreid_ros.errors import ConfigError, ExportError, MissingDependencyError, SinkError
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.export import FORMATS, PRECISIONS, check_format, default_name, export_checkpoint
from rtreid_ros.reid.export import exporting as module
from rtreid_ros.reid.export.base import Format
from rtreid_ros.runtime.openvino_ir import OpenVinoSession
from rtreid_ros.runtime.ort import OrtSession
from rtreid_ros.runtime.torch_file import TorchSession

SESSIONS = {".onnx": OrtSession, ".xml": OpenVinoSession, ".torchscript": TorchSession, ".pt2": TorchSession}

CASES = [
    (name, precision)
    for name in FORMATS
    for precision in FORMATS[name].precisions
    if name != "tensorrt"  # needs a GPU; see test_tensorrt.py
]


@pytest.fixture(scope="module")
def exported(checkpoint, crops, tmp_path_factory):
    """Reports by format and precision, each written once."""
    folder = tmp_path_factory.mktemp("exported")
    made = {}

    def get(name, precision):
        if (name, precision) not in made:
            path = folder / default_name(checkpoint, name, precision)
            made[name, precision] = export_checkpoint(checkpoint, path, name, precision, crops, calls=0)
        return made[name, precision]

    return get


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_the_file_computes_what_the_network_does(exported, checkpoint, crops, name, precision):
    report = exported(name, precision)
    embedder = create_embedder(EmbedderOptions(model=str(report.path)))
    assert embedder.info.input_size == SIZE
    expected = vectors_of(checkpoint, crops.images)
    tolerance = 1e-5 if precision == "fp32" else 4e-3
    for image, vector in zip(crops.images, expected, strict=True):
        box = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
        np.testing.assert_allclose(embedder.embed(image, box)[0], vector, atol=tolerance)
    assert report.parity.least >= (0.99999 if precision == "fp32" else 0.999)
    assert report.parity.least <= report.parity.mean <= 1.00001
    assert report.crops == "11 crops of a test"


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_the_file_says_what_it_is(exported, checkpoint, name, precision):
    path = exported(name, precision).path
    session = SESSIONS[path.suffix](path)
    said = session.metadata
    assert (said["task"], said["normalized"], said["model"]) == ("reid", "true", "resnet18")
    assert (said["precision"], said["classes"], said["epoch"]) == (precision, "5", "7")
    assert said["preprocessing"] == checkpoint.preprocessing.to_json()
    assert json.loads(said["imgsz"]) == list(SIZE)
    assert json.loads(said["figures"]) == {"map": 0.5, "rank1": 0.75}
    assert json.loads(said["options"]) == {"width": 0.125}
    assert said["version"]
    (taken,) = session.inputs
    assert (taken.shape, taken.dtype) == ((None, 3, *SIZE), np.float32)
    assert session.outputs[0].dtype == np.float32


def test_onnx_names_its_input_and_output(exported):
    session = OrtSession(exported("onnx", "fp32").path)
    assert [item.name for item in (*session.inputs, *session.outputs)] == ["images", "embeddings"]
    rows = session.run(np.random.default_rng(0).normal(size=(5, 3, *SIZE)).astype(np.float32))[0]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "small"), [("onnx", "fp16"), ("onnx", "fp16-weights"), ("torchscript", "fp16")]
)
def test_half_precision_makes_the_file_smaller(exported, name, small):
    assert exported(name, small).megabytes < 0.7 * exported(name, "fp32").megabytes


def test_openvino_stores_half_the_weights(exported):
    sizes = [
        exported("openvino", precision).path.with_suffix(".bin").stat().st_size
        for precision in ("fp16-weights", "fp32")
    ]
    assert sizes[0] < 0.6 * sizes[1]
    report = exported("openvino", "fp32")
    assert report.megabytes == pytest.approx((report.path.stat().st_size + sizes[1]) / 1e6)


def test_nothing_else_is_left_in_the_folder(exported):
    for case in CASES:
        exported(*case)
    folder = exported("onnx", "fp32").path.parent
    expected = {f"resnet18_32x16{suffix}" for suffix in (".onnx", ".torchscript", ".pt2", ".xml", ".bin")}
    expected |= {f"resnet18_32x16_fp16{suffix}" for suffix in (".onnx", ".torchscript", ".pt2")}
    expected |= {f"resnet18_32x16_fp16_weights{suffix}" for suffix in (".onnx", ".xml", ".bin")}
    assert {path.name for path in folder.iterdir()} == expected


def test_times_are_taken_where_they_are_wanted(checkpoint, crops, tmp_path):
    report = export_checkpoint(checkpoint, tmp_path / "net.onnx", "onnx", "fp32", crops, calls=3)
    assert [(item.batch, item.calls) for item in report.latency] == [(1, 3), (8, 3), (32, 3)]
    assert all(item.milliseconds > 0 for item in report.latency)
    assert report.runs_on == "onnx on CPUExecutionProvider"


def test_paths_in_the_recipe_lose_their_folders(crops, tmp_path):
    config = {"data": {"root": "/home/me/market.tar", "dataset": "market1501", "sets": ["~/a/b", "x/y"]}}
    export_checkpoint(checkpoint_of(config=config), tmp_path / "net.onnx", "onnx", crops=crops, calls=0)
    recipe = json.loads(OrtSession(tmp_path / "net.onnx").metadata["recipe"])
    assert recipe == {"data": {"root": "market.tar", "dataset": "market1501", "sets": ["b", "x/y"]}}


def spoiled(tmp_path, monkeypatch, spoil):
    """The format onnx, whose network goes through `spoil` before it is written."""

    def write(plan, path):
        model = plan.model
        spoil(model)
        FORMATS["onnx"].write(plan, path)

    monkeypatch.setattr(module, "FORMATS", {"onnx": Format(".onnx", "", tuple(PRECISIONS), write)})
    old = tmp_path / "net.onnx"
    old.write_text("an older file")
    return old


@pytest.mark.parametrize("rate", [0.3, float("nan")])
def test_a_file_that_computes_something_else_is_refused(checkpoint, crops, tmp_path, monkeypatch, rate):
    def spoil(model):
        model.conv1.weight.data[:, 0] *= rate

    old = spoiled(tmp_path, monkeypatch, spoil)
    with pytest.raises(ExportError, match=r"cosine (0\.9|nan).*at least 0\.9999 is wanted$"):
        export_checkpoint(checkpoint, old, "onnx", crops=crops, calls=0)
    assert old.read_text() == "an older file"
    assert list(tmp_path.iterdir()) == [old]


def test_a_network_the_exporter_refuses_is_an_export_error(checkpoint, crops, tmp_path, monkeypatch):
    def spoil(model):
        model.conv1 = None

    old = spoiled(tmp_path, monkeypatch, spoil)
    with pytest.raises(ExportError, match="resnet18 as onnx, fp32: the network cannot be written so"):
        export_checkpoint(checkpoint, old, "onnx", crops=crops, calls=0)
    assert old.read_text() == "an older file"
    assert list(tmp_path.iterdir()) == [old]


def test_half_precision_that_overflows_on_a_gpu_is_refused_and_an_alternative_named(
    crops, tmp_path, monkeypatch
):
    loud = checkpoint_of()
    loud.weights["bn1.weight"] *= 3e4  # weights stay below 65504, maps do not
    path = tmp_path / "net.onnx"
    with pytest.raises(ExportError, match="half precision does not suit it: try fp16-weights or fp32"):
        export_checkpoint(loud, path, "onnx", "fp16", crops, calls=0)
    assert not list(tmp_path.iterdir())
    assert export_checkpoint(loud, path, "onnx", "fp16-weights", crops, calls=0).parity.least > 0.999
    # what a processor computes of the file alone would not have shown it
    monkeypatch.setattr(module, "prove_half", lambda *arguments: None)
    assert export_checkpoint(loud, path, "onnx", "fp16", crops, calls=0).parity.least > 0.999


def test_a_place_that_cannot_be_written_is_named(checkpoint, crops, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SinkError, match=r"cannot write .*file/net\.onnx"):
        export_checkpoint(checkpoint, tmp_path / "file" / "net.onnx", "onnx", crops=crops, calls=0)


def test_the_suffix_must_be_the_formats(checkpoint, crops, tmp_path):
    with pytest.raises(ConfigError, match=r"format openvino writes \.xml files, got .*net\.onnx"):
        export_checkpoint(checkpoint, tmp_path / "net.onnx", "openvino", crops=crops)


def test_unknown_and_unsuitable_names_are_refused():
    with pytest.raises(ConfigError, match=r"unknown export format 'onxx' \(did you mean 'onnx'\?\)"):
        check_format("onxx", "fp32")
    with pytest.raises(ConfigError, match=r"unknown precision 'fp61' \(did you mean 'fp16'\?\)"):
        check_format("onnx", "fp61")
    with pytest.raises(
        ConfigError, match="format openvino has no precision fp16; it has: fp32, fp16-weights"
    ):
        check_format("openvino", "fp16")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"rtreid_ros\[openvino\]"):
        check_format("openvino", "fp32")


def test_the_default_name_says_model_size_and_precision(checkpoint):
    assert default_name(checkpoint, "onnx", "fp32") == "resnet18_32x16.onnx"
    assert default_name(checkpoint, "openvino", "fp16-weights") == "resnet18_32x16_fp16_weights.xml"
