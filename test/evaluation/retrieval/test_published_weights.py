"""Published weights on real pictures: through our evaluation, and through plain code."""

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from support.retrieval import cosine_distances, search, summary

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.evaluation.retrieval import embed_set, judge_retrieval
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.checkpoint import Checkpoint, save_checkpoint
from rtreid_ros.reid.export.exporting import export_checkpoint
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.models.session import NetworkSession, open_checkpoint
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.session_embedder import SessionEmbedder


@pytest.fixture(scope="module")
def pictures(shared_data):
    """Queries and gallery of the first 5 identities held out of Market-1501's training part."""
    tar = shared_data / "reid" / "market1501_bounding_box_train.tar"
    held_out = open_identities("market1501", str(tar), "mod5", ("query", "gallery"))
    chosen = np.unique(held_out.query.identities)[:5]
    return [part[np.isin(part.identities, chosen)] for part in (held_out.query, held_out.gallery)]


def prepared(part):
    """``(N, 3, 256, 128)`` as Torchreid does it, with nothing of ours but the reading."""
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    images = [cv2.cvtColor(part.read(row), cv2.COLOR_BGR2RGB) for row in range(len(part))]
    scaled = np.stack([cv2.resize(image, (128, 256), interpolation=cv2.INTER_LINEAR) for image in images])
    return ((scaled / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)


def published(shared_data):
    path = shared_data / "weights" / "reid" / "osnet_x0_25_market1501.pth"
    return torch.load(path, map_location="cpu", weights_only=True)


def torch_path(shared_data):
    weights = published(shared_data)
    model = create_model("osnet_x0_25", len(weights["classifier.bias"])).eval()
    model.load_state_dict(weights)
    session = NetworkSession(model, "osnet", (256, 128), PRESETS["imagenet"], ["cpu"])

    def plain(batch):
        with torch.no_grad():
            return model(torch.from_numpy(batch)).numpy()

    return SessionEmbedder(session, EmbedderOptions()), plain


def onnx_path(shared_data):
    path = shared_data / "weights" / "reid" / "osnet_x0_25_msmt17.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    embedder = create_embedder(EmbedderOptions(model=str(path), preprocessing="imagenet"))
    return embedder, lambda batch: session.run(None, {name: batch})[0]


@pytest.mark.parametrize("open_path", [torch_path, onnx_path])
def test_score_the_same_through_our_evaluation_as_through_a_plain_one(shared_data, pictures, open_path):
    embedder, plain = open_path(shared_data)
    figures = judge_retrieval(*(embed_set(embedder, part, progress=False) for part in pictures)).as_dict()
    query, gallery = (plain(prepared(part)) for part in pictures)
    labels = [(part.identities, part.cameras, part.sequences) for part in pictures]
    expected = search(cosine_distances(query, gallery), *labels)
    for name, value in summary(expected).items():
        assert figures[name] == pytest.approx(value, abs=1e-9), name
    assert figures["queries"] == sum(item["ap"] is not None for item in expected)
    assert figures["map"] > 0.5  # the vectors do tell people apart


def test_a_checkpoint_and_its_exported_file_score_the_same(shared_data, pictures, tmp_path):
    weights = published(shared_data)
    classes = len(weights["classifier.bias"])
    checkpoint = Checkpoint("osnet_x0_25", {}, classes, 0, (256, 128), PRESETS["imagenet"], weights)
    save_checkpoint(checkpoint, tmp_path / "best.pt")
    export_checkpoint(checkpoint, tmp_path / "best.onnx", "onnx", calls=0)
    embedders = (
        open_checkpoint(tmp_path / "best.pt", EmbedderOptions()),
        create_embedder(EmbedderOptions(model=str(tmp_path / "best.onnx"))),
    )
    one, other = ([embed_set(item, part, progress=False) for part in pictures] for item in embedders)
    for mine, theirs in zip(one, other, strict=True):
        np.testing.assert_allclose(mine.vectors, theirs.vectors, atol=1e-4)
    assert judge_retrieval(*one).map == pytest.approx(judge_retrieval(*other).map, abs=1e-3)
    assert judge_retrieval(*one).rank(1) == judge_retrieval(*other).rank(1)
