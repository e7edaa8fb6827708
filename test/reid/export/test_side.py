"""Files for one fixed camera."""

from dataclasses import replace

import numpy as np
import pytest
from support.reid_export import SIZE, checkpoint_of, vectors_of

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.export import default_name, export_checkpoint
from rtreid_ros.reid.sides import Sides
from rtreid_ros.runtime.ort import OrtSession

CAMERAS = Sides("camera", ((0, 0), (3, 0)), "street")
VIEWS = Sides("view", ((0, 1), (3, 0), (3, 2)), "street")


def embed(path, images):
    """``(N, D)`` of whole pictures, as a robot embeds them."""
    embedder = create_embedder(EmbedderOptions(model=str(path)))
    return np.concatenate(
        [embedder.embed(image, np.array([[0, 0, *image.shape[1::-1]]], np.float32)) for image in images]
    )


VIT = {"height": SIZE[0], "width": SIZE[1], "depth": 2}


@pytest.mark.parametrize(
    ("name", "options", "sides", "side", "number"),
    [
        ("resnet18", {}, CAMERAS, (3, None), 1),
        ("resnet18", {}, VIEWS, (3, 2), 2),
        ("vit_tiny", VIT, CAMERAS, (0, None), 0),
    ],
    ids=["camera", "view", "transformer"],
)
def test_the_file_computes_what_the_network_does_when_told_that_camera(
    crops, tmp_path, name, options, sides, side, number
):
    checkpoint = checkpoint_of(name, sides=sides, **options)
    export_checkpoint(checkpoint, tmp_path / "net.onnx", "onnx", crops=crops, calls=0, side=side)
    found = embed(tmp_path / "net.onnx", crops.images)
    told, unknown = (vectors_of(checkpoint, crops.images, known) for known in (number, None))
    np.testing.assert_allclose(found, told, atol=1e-5)
    assert not np.allclose(found, unknown, atol=1e-2)


def test_so_does_the_network_of_the_frames_of_clips(crops, tmp_path):
    options = {"frame_network": "resnet18", "frame_options": ("width=0.125",)}
    clips = checkpoint_of("temporal", sides=CAMERAS, **options)
    weights = {name[6:]: value for name, value in clips.weights.items() if name.startswith("frame.")}
    frames = replace(clips, model="resnet18", options={"width": 0.125}, classes=0, weights=weights)
    export_checkpoint(clips, tmp_path / "net.onnx", "onnx", crops=crops, calls=0, side=(3, None))
    np.testing.assert_allclose(
        embed(tmp_path / "net.onnx", crops.images), vectors_of(frames, crops.images, 1), atol=1e-5
    )


@pytest.mark.parametrize(("name", "precision"), [("onnx", "fp16-weights"), ("torchscript", "fp16")])
def test_so_do_files_of_half_the_size_and_other_formats(crops, tmp_path, name, precision):
    checkpoint = checkpoint_of(sides=CAMERAS)
    path = tmp_path / default_name(checkpoint, name, precision, (3, None))
    report = export_checkpoint(checkpoint, path, name, precision, crops, 0, (3, None))
    assert report.side == "camera 3"
    np.testing.assert_allclose(embed(path, crops.images), vectors_of(checkpoint, crops.images, 1), atol=4e-3)


def test_the_file_says_whose_it_is_and_by_default_that_cameras_are_unknown(crops, tmp_path):
    checkpoint = checkpoint_of(sides=VIEWS)
    for side, told in ((None, "unknown"), ((3, 0), "camera 3 sequence 0")):
        report = export_checkpoint(checkpoint, tmp_path / "net.onnx", "onnx", crops=crops, calls=0, side=side)
        assert report.side == OrtSession(tmp_path / "net.onnx").metadata["side"] == told
    export_checkpoint(checkpoint, tmp_path / "net.onnx", "onnx", crops=crops, calls=0)
    np.testing.assert_allclose(
        embed(tmp_path / "net.onnx", crops.images), vectors_of(checkpoint, crops.images), atol=1e-5
    )


def test_the_default_name_says_the_camera_or_view():
    checkpoint = checkpoint_of(sides=VIEWS)
    assert default_name(checkpoint, "onnx", "fp32", (3, None)) == "resnet18_32x16_camera3.onnx"
    assert default_name(checkpoint, "onnx", "fp16", (3, 2)) == "resnet18_32x16_camera3_2_fp16.onnx"


def test_cameras_that_training_has_not_seen_are_refused_and_so_are_networks_without(crops, tmp_path):
    def complaint(sides, side):
        with pytest.raises(ConfigError) as caught:
            export_checkpoint(
                checkpoint_of(sides=sides), tmp_path / "net.onnx", "onnx", crops=crops, side=side
            )
        return str(caught.value)

    assert "training has not seen camera 1 of street; it knows: camera 0, camera 3" in complaint(
        CAMERAS, (1, None)
    )
    assert "of kind view: give a camera and its sequence" in complaint(VIEWS, (3, None))
    assert "this resnet18 has no side information: it was trained with data.side=none" in complaint(
        Sides(), (3, None)
    )
    assert not list(tmp_path.iterdir())
