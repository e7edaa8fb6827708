"""The embedders that the package brings."""

import hashlib

import numpy as np
import pytest

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.evaluation.retrieval import embed_set, judge_retrieval
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.backends import PEOPLE, embedder_beside
from rtreid_ros.runtime.model_card import CARD
from rtreid_ros.runtime.session import BUILTINS


@pytest.mark.parametrize(
    ("detector", "embedder", "meant"),
    [
        ("", "", ""),
        ("yolox.onnx", "", PEOPLE),
        ("", "mine.onnx", "mine.onnx"),
        ("yolox.onnx", "mine.onnx", "mine.onnx"),
    ],
)
def test_beside_a_detector_of_the_real_world_stands_an_embedder_of_real_people(detector, embedder, meant):
    assert embedder_beside(detector, embedder) == meant


@pytest.fixture(scope="module")
def people():
    return create_embedder(EmbedderOptions(model=PEOPLE, threads=1))


def test_the_embedder_of_real_people_takes_small_crops_and_says_how(people):
    assert (people.dim, people.info.input_size) == (512, (128, 64))
    image = np.random.default_rng(0).integers(0, 256, (90, 60, 3), dtype=np.uint8)
    vectors = people.embed(image, np.array([[0, 0, 60, 90], [10, 10, 40, 80]], np.float32))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_embedder_of_real_people_knows_those_it_has_learnt_again(people, shared_data):
    root = shared_data / "reid" / "market1501_bounding_box_train.tar"
    data = open_identities("market1501", str(root), "mod5", ("query", "gallery"))
    some = [
        np.isin(part.identities, np.unique(data.query.identities)[:40]) for part in (data.query, data.gallery)
    ]
    query, gallery = (
        embed_set(people, part[rows], progress=False)
        for part, rows in zip((data.query, data.gallery), some, strict=True)
    )
    assert judge_retrieval(query, gallery).rank(1) > 0.97


def test_the_card_is_that_of_the_committed_file():
    digest = hashlib.sha256((BUILTINS / PEOPLE).read_bytes()).hexdigest()
    assert digest in (BUILTINS / CARD).read_text()
