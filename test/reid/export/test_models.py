"""Every network of the registry as ONNX, with a batch of one and of several."""

import numpy as np
import pytest
import torch
from support.reid_export import checkpoint_of, unsettle
from support.reid_models import SHAPES, distinct_models, small_options

from rtreid_ros.errors import ExportError
from rtreid_ros.reid.export import export_checkpoint
from rtreid_ros.reid.export.base import Plan
from rtreid_ros.reid.export.onnx import write
from rtreid_ros.reid.models import MODELS, create_model
from rtreid_ros.runtime.ort import OrtSession

SIZE = (64, 32)
VARIANTS = [
    ("seresnet18_ibn", {"dense_skip": True}),
    ("taresnet18_ibn", {"attention": "triplet-deviation"}),
    ("resnet18", {"pooling": "attention"}),
    ("resnet18", {"pooling": "max", "renorm": "all", "dim": 24}),
]


def compare(name, options, tmp_path, precision, tolerance, cameras=0):
    torch.manual_seed(0)
    model = unsettle(create_model(name, 3, cameras, **options)).eval()
    plan = Plan(model, SIZE, precision, {})
    write(plan, tmp_path / "net.onnx")
    session = OrtSession(tmp_path / "net.onnx", ("cpu",), threads=1)
    for rows in (1, 3):
        images = torch.randn(rows, 3, *SIZE, generator=torch.Generator().manual_seed(rows))
        with torch.no_grad():
            vectors = model(images).numpy()
        expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        np.testing.assert_allclose(session.run(images.numpy())[0], expected, atol=tolerance)


@pytest.mark.parametrize("name", distinct_models())
def test_the_file_gives_the_vectors_of_the_network_for_any_batch(name, tmp_path):
    if MODELS[name].cls.__name__ in SHAPES:
        pytest.skip("takes clips, and is refused: see test_networks_that_take_clips_are_refused")
    compare(name, small_options(name), tmp_path, "fp32", 2e-5)


@pytest.mark.parametrize(("name", "options"), VARIANTS)
def test_so_do_the_variants(name, options, tmp_path):
    compare(name, {**small_options(name), **options}, tmp_path, "fp32", 2e-5)


@pytest.mark.parametrize(("name", "options"), [("caresnet18_ibn", {}), *VARIANTS[1:3]])
def test_half_precision_is_near(name, options, tmp_path):
    compare(name, {**small_options(name), **options}, tmp_path, "fp16", 5e-3)


def test_side_information_is_left_out_because_robots_have_none(tmp_path):
    compare("resnet18", small_options("resnet18"), tmp_path, "fp32", 2e-5, cameras=4)


def test_networks_that_take_clips_are_refused(crops, tmp_path):
    clips = checkpoint_of("resnet3d_18", **small_options("resnet3d_18"))
    with pytest.raises(ExportError, match=r"resnet3d_18 does not embed single crops.*\(B, T, 3, H, W\)"):
        export_checkpoint(clips, tmp_path / "net.onnx", "onnx", crops=crops)
    assert not list(tmp_path.iterdir())


def test_of_averaged_clips_the_network_of_the_frames_is_exported_and_with_attention_none(crops, tmp_path):
    options = {"frame_network": "resnet18", "frame_options": ("width=0.125",)}
    average = checkpoint_of("temporal", **options)
    report = export_checkpoint(average, tmp_path / "net.onnx", "onnx", crops=crops, calls=0)
    assert report.parity.least > 0.9999
    attention = checkpoint_of("temporal", pooling="attention", **options)
    with pytest.raises(ExportError, match=r"temporal cannot be exported: model\.pooling=attention weighs"):
        export_checkpoint(attention, tmp_path / "other.onnx", "onnx", crops=crops)
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]
