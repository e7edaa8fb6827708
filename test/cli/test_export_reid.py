"""``rtreid export-reid``, and what it writes in ``rtreid track``."""

import json
import sys

import cv2
import numpy as np
import pytest
import torch
from support.reid_export import checkpoint_of

from rtreid_ros.reid.checkpoint import save_checkpoint
from rtreid_ros.reid.export import FORMATS, PRECISIONS
from rtreid_ros.reid.sides import Sides


@pytest.fixture
def best(tmp_path):
    """A checkpoint file of a very small ResNet18."""
    save_checkpoint(checkpoint_of(), tmp_path / "run" / "best.pt")
    return tmp_path / "run" / "best.pt"


@pytest.fixture
def folder(tmp_path):
    """A few crops."""
    rng = np.random.default_rng(0)
    (tmp_path / "crops").mkdir()
    for number in range(4):
        pixels = rng.integers(0, 256, (8, 4, 3), np.uint8).repeat(6, 0).repeat(6, 1)
        cv2.imwrite(str(tmp_path / "crops" / f"{number}.png"), pixels)
    return tmp_path / "crops"


def test_the_file_lies_beside_the_checkpoint_and_the_report_says_what_was_found(rtreid, best, folder):
    code, out, err = rtreid("export-reid", best, "--crops", folder, "--calls", 3)
    assert code == 0, err
    path = best.with_name("resnet18_32x16.onnx")
    assert path.is_file()
    first, parity, latency, use = out.splitlines()
    size = path.stat().st_size / 1e6
    assert first == f"{path}: onnx, fp32, {size:.2f} MB"
    assert parity.split()[:5] == ["parity", "cosine", "min", "1.000000,", "mean"]
    assert parity.endswith("4 crops of crops, in batches of 1, 8 and 32")
    assert " ms for 1, " in latency
    assert latency.endswith("onnx on CPUExecutionProvider, crops cut and scaled too, median of at least 3")
    assert use.endswith(f"rtreid track VIDEO --embedder {path}")


def test_several_formats_go_to_a_folder(rtreid, best, folder, tmp_path):
    output = tmp_path / "models"
    code, out, err = rtreid(
        *("export-reid", best, "--format", "onnx", "--format", "torchscript", "--precision", "fp16"),
        *("--output", output, "--crops", folder, "--calls", 0),
    )
    assert code == 0, err
    assert {path.name for path in output.iterdir()} == {
        "resnet18_32x16_fp16.onnx",
        "resnet18_32x16_fp16.torchscript",
    }
    assert "latency" not in out


def test_a_file_can_be_named_and_the_report_left_out(rtreid, best, folder, tmp_path):
    path = tmp_path / "models" / "people.onnx"
    words = ("export-reid", best, "--output", path, "--crops", folder, "--calls", 0, "--quiet")
    assert rtreid(*words) == (0, "", "")
    assert path.is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--format", "onxx"), "unknown export format 'onxx' (did you mean 'onnx'?)"),
        (("--precision", "fp8"), "unknown precision 'fp8'"),
        (("--format", "openvino", "--precision", "fp16"), "format openvino has no precision fp16"),
        (("--output", "people.xml"), "format onnx writes .onnx files, got 'people.xml'"),
        (("--format", "onnx", "--format", "pt2", "--output", "a.onnx"), "--output must be a folder"),
        (("--calls", "-1"), "--calls must be an integer >= 0, got -1"),
        (("--camera", "0"), "this resnet18 has no side information: it was trained with data.side=none"),
        (("--sequence", "0"), "--sequence is of a camera: give --camera, too"),
        (("--crops", "no/such/folder"), "no/such/folder"),
        (("--output", "run/best.pt/net.onnx"), "cannot write run/best.pt/net.onnx"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(rtreid, best, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = rtreid("export-reid", best, *words)
    assert (code, out) == (2, "")
    assert message in err
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["best.pt"]


def test_a_file_for_one_camera_says_so(rtreid, folder, tmp_path):
    sides = Sides("view", ((0, 0), (2, 1)), "street")
    save_checkpoint(checkpoint_of(sides=sides), tmp_path / "best.pt")
    words = ("export-reid", tmp_path / "best.pt", "--crops", folder, "--calls", 0)
    code, out, err = rtreid(*words, "--camera", 2, "--sequence", 1)
    assert code == 0, err
    assert "every picture is taken to be of camera 2 sequence 1" in out
    assert (tmp_path / "resnet18_32x16_camera2_1.onnx").is_file()
    code, out, _ = rtreid(*words)
    assert (code, "every picture" in out) == (0, False)
    code, _, err = rtreid(*words, "--camera", 1, "--sequence", 1)
    assert code == 2
    assert "it knows: camera 0 sequence 0, camera 2 sequence 1" in err


@pytest.mark.parametrize("content", [None, b"no checkpoint", "other"])
def test_what_is_no_checkpoint_is_refused(rtreid, tmp_path, content):
    path = tmp_path / "best.pt"
    if content == "other":
        torch.save({"weights": torch.zeros(3)}, path)
    elif content is not None:
        path.write_bytes(content)
    code, _, err = rtreid("export-reid", path)
    assert code == 2
    assert "checkpoint" in err
    assert str(path) in err


def test_the_checkpoint_of_another_architecture_is_refused(rtreid, tmp_path, folder):
    mixed = checkpoint_of()
    mixed.options["depth"] = 34
    save_checkpoint(mixed, tmp_path / "best.pt")
    code, _, err = rtreid("export-reid", tmp_path / "best.pt", "--crops", folder)
    assert code == 2
    assert "the weights do not fit resnet18" in err


def test_without_torch_the_extra_is_named(rtreid, best, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("rtreid_ros.reid.export")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "rtreid_ros.reid.checkpoint")
    code, _, err = rtreid("export-reid", best)
    assert code == 2
    assert "pip install 'rtreid_ros[train]'" in err


def test_help_names_every_format_and_precision(rtreid):
    _, out, _ = rtreid("export-reid", "--help")
    for name in (*FORMATS, *PRECISIONS):
        assert f"  {name}" in out or f": {name}" in out, name


def test_an_exported_model_tracks(rtreid, best, folder, tmp_path):
    assert rtreid("export-reid", best, "--crops", folder, "--calls", 0, "--precision", "fp16-weights")[0] == 0
    model = best.with_name("resnet18_32x16_fp16_weights.onnx")
    code, _, err = rtreid(
        *("track", "synthetic:frames=12,people=6", "--embedder", model, "--tracker", "deepsort"),
        *("--no-video", "--quiet", "--output", tmp_path / "out"),
    )
    assert code == 0, err
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["embedder"]["model"] == str(model)
    assert summary["frames"] == 12
