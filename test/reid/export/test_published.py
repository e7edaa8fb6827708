"""Trained weights and real crops through the export."""

import numpy as np
import pytest
import torch
from support.reid_export import vectors_of

from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.checkpoint import Checkpoint
from rtreid_ros.reid.export import export_checkpoint
from rtreid_ros.reid.export.crops import stored_crops
from rtreid_ros.reid.preprocessing import PRESETS


@pytest.fixture(scope="module")
def published(shared_data):
    """OSNet x0.25 trained on MSMT17."""
    weights = torch.load(shared_data / "weights/reid/osnet_x0_25_msmt17.pth", weights_only=True)
    weights = {
        name.removeprefix("module."): value for name, value in weights.get("state_dict", weights).items()
    }
    classes = len(weights["classifier.bias"])
    options = {"relu": True}
    return Checkpoint("osnet_x0_25", options, classes, 0, (128, 64), PRESETS["imagenet"], weights)


@pytest.mark.parametrize(
    ("precision", "cosine", "megabytes"),
    [("fp32", 0.99999, 0.95), ("fp16", 0.9995, 0.55), ("fp16-weights", 0.9999, 0.6)],
)
def test_published_weights_embed_real_crops_as_in_torch(
    published, shared_data, tmp_path, precision, cosine, megabytes
):
    crops = stored_crops(shared_data / "reid/market1501_bounding_box_train.tar", 12)
    path = tmp_path / "osnet.onnx"
    report = export_checkpoint(published, path, "onnx", precision, crops, calls=0)
    assert report.crops == "12 crops of market1501_bounding_box_train.tar"
    assert report.megabytes < megabytes
    assert cosine <= report.parity.least <= 1.00001
    embedder = create_embedder(EmbedderOptions(model=str(path)))
    expected = vectors_of(published, crops.images[:3])
    for image, vector in zip(crops.images, expected, strict=False):
        box = np.array([[0, 0, image.shape[1], image.shape[0]]], np.float32)
        assert float(embedder.embed(image, box)[0] @ vector) >= cosine
    assert np.triu(expected @ expected.T, 1).max() < 0.95  # so that likeness to the right one says something
