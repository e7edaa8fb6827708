"""Embedding sets of pictures with the embedder that is deployed."""

import logging

import numpy as np
import pytest
from support.models import mean_color_embedder
from support.told import Told

from rtreid_ros.datasets.identities import IdentitySet
from rtreid_ros.errors import InputError, ModelError, SourceError
from rtreid_ros.evaluation.retrieval import embed_set, embed_views, judge_retrieval
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.sides import Sides


def pictures(count, broken=(), seed=0, black=()):
    """Pictures of many sizes; what they show has a left and a right."""
    rng = np.random.default_rng(seed)
    images = [rng.integers(1, 256, (*rng.integers(5, 60, 2), 3), dtype=np.uint8) for _ in range(count)]
    for row in black:
        images[row][:] = 0

    def read(row):
        if row in broken:
            raise SourceError(f"picture {row} is torn")
        return images[row]

    names = tuple(f"{row}.jpg" for row in range(count))
    numbers = np.arange(count)
    return IdentitySet(names, numbers, numbers + 100, numbers + 200, read), images


class LeftHalf:
    """An embedder that sees nothing but the mean colour of the left half of a crop."""

    dim = 3

    def embed(self, image, boxes):
        rows = []
        for x1, y1, x2, y2 in boxes.astype(int):
            colour = image[y1:y2, x1 : (x1 + x2 + 1) // 2].reshape(-1, 3).mean(axis=0)
            rows.append(colour / np.linalg.norm(colour))
        return np.array(rows, np.float32).reshape(-1, 3)


@pytest.fixture
def embedder(tmp_path):
    path = mean_color_embedder(tmp_path / "mean.onnx")
    return create_embedder(EmbedderOptions(model=str(path), preprocessing="unit", batch_size=7))


def test_each_picture_gets_the_vector_it_has_alone(embedder):
    chosen, images = pictures(150)  # more than two sheets
    features = embed_set(embedder, chosen)
    whole = [
        embedder.embed(image, np.array([[0, 0, *image.shape[1::-1]]], np.float32))[0] for image in images
    ]
    np.testing.assert_array_equal(features.vectors, np.array(whole))
    assert features.identities.tolist() == list(range(150))
    assert features.cameras[3] == 103
    assert features.sequences[3] == 203
    assert (features.tricks, features.unreadable) == ((), ())


def test_unreadable_pictures_are_named_skipped_and_counted(embedder, caplog):
    broken = {0, 66, *range(70, 80)}
    chosen, images = pictures(90, broken)
    with caplog.at_level(logging.WARNING):
        features = embed_set(embedder, chosen)
    assert len(features) == 78
    assert features.unreadable[:2] == ("0.jpg", "66.jpg")
    assert features.rows.tolist() == [row for row in range(90) if row not in broken]
    assert features.identities.tolist() == features.rows.tolist()
    last = embedder.embed(images[89], np.array([[0, 0, *images[89].shape[1::-1]]], np.float32))[0]
    np.testing.assert_array_equal(features.vectors[-1], last)
    (record,) = caplog.records
    assert "12 of 90 pictures cannot be read and are left out: picture 0 is torn; " in record.getMessage()


def test_a_sheet_without_a_readable_picture_is_no_trouble(embedder):
    chosen, _ = pictures(130, set(range(64)))
    assert embed_set(embedder, chosen).rows.tolist() == list(range(64, 130))


def test_flip_adds_the_mirrored_picture_and_says_so():
    chosen, images = pictures(70)
    plain, both = embed_views(LeftHalf(), chosen)
    expected = []
    for image in images:
        whole = np.array([[0, 0, *image.shape[1::-1]]], np.float32)
        views = [LeftHalf().embed(view, whole)[0] for view in (image, image[:, ::-1])]
        expected.append(np.mean(views, axis=0))
    np.testing.assert_allclose(both.vectors, expected, atol=1e-6)
    assert not np.allclose(plain.vectors, both.vectors, atol=1e-3)
    assert (plain.tricks, both.tricks) == ((), ("flip",))
    np.testing.assert_array_equal(embed_set(LeftHalf(), chosen, flip=True).vectors, both.vectors)
    np.testing.assert_array_equal(embed_set(LeftHalf(), chosen).vectors, plain.vectors)
    assert judge_retrieval(both, both).tricks == ("flip",)


class Repeats(Told):
    """Gives back the side information that it is told."""

    dim = 2

    def embed(self, image, boxes):
        numbers = np.full(len(boxes), -7) if self.numbers is None else self.numbers
        return np.stack([np.ones(len(boxes)), numbers], axis=1).astype(np.float32)


def test_each_picture_is_told_its_own_camera_and_those_nobody_knows_are_unknown():
    chosen, _ = pictures(150, broken={0, 70})
    known = tuple((camera, 0) for camera in range(100, 240, 2))
    features = embed_set(Repeats(Sides("camera", known)), chosen, side=True)
    rows = features.rows
    assert rows.tolist() == [row for row in range(150) if row not in {0, 70}]
    expected = np.where((rows % 2 == 0) & (rows < 140), rows // 2, -1)
    np.testing.assert_array_equal(features.vectors[:, 1], expected)
    assert features.tricks == ("side information (camera)",)
    assert (embed_set(Repeats(Sides("camera", known)), chosen).vectors[:, 1] == -7).all()
    views = Sides("view", ((101, 201), (102, 999)))
    assert embed_set(Repeats(views), chosen, side=True).vectors[:3, 1].tolist() == [0, -1, -1]


def test_a_picture_without_a_direction_is_named(embedder):
    chosen, _ = pictures(20, black=(7, 9), broken=(2,))
    with pytest.raises(ModelError, match=r"mean\.onnx gives no finite vector for 2 of 19 .* such as 7\.jpg"):
        embed_set(embedder, chosen)


def test_nothing_to_embed_is_refused(embedder):
    with pytest.raises(InputError, match="the set is empty"):
        embed_set(embedder, pictures(0)[0])
    with pytest.raises(SourceError, match="none of 3 pictures can be read; the first: picture 0 is torn"):
        embed_set(embedder, pictures(3, {0, 1, 2})[0])
