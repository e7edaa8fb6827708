"""Vectors of tracklets: which pictures they are made of, and who stands for them."""

import cv2
import numpy as np
import pytest
from support.told import Told

from rtreid_ros.datasets.identities import IdentitySet, open_identities
from rtreid_ros.errors import ConfigError, InputError, ModelError, SourceError
from rtreid_ros.evaluation.retrieval import SearchPlan, TrackletOptions, embed_tracklets, search
from rtreid_ros.evaluation.retrieval.tracklets import tracklets_of
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.sides import Sides
from rtreid_ros.runtime.info import ModelInfo

INFO = ModelInfo("net", "test", "cpu", "embedding", (4, 2))
LENGTHS = (5, 3, 1, 4)
"""Pictures of the tracklets: person 0 by two cameras, person 1 by two."""


def vectors_of(images):
    """Of each picture, which is of one value, a unit vector at an angle of that many degrees."""
    angles = np.radians([float(image.mean()) for image in images])
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


class Pictures:
    dim, info = 2, INFO

    def embed(self, image, boxes):
        return vectors_of([image[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes.astype(int)])


class Clips:
    dim, info, frames = 2, INFO, 2

    def __init__(self):
        self.seen = []

    def embed_clips(self, clips):
        self.seen += [[int(image.mean()) for image in clip] for clip in clips]
        means = np.stack([vectors_of(clip).mean(0) for clip in clips])
        return means / np.linalg.norm(means, axis=1, keepdims=True)


def people(broken=()):
    """Tracklets side by side as a camera sees them: row by row another one, values 10 * track + place."""
    rows = [(track, place) for place in range(5) for track in range(4) if place < LENGTHS[track]]
    tracks, places = np.array(rows).T
    values = 10 * tracks + places

    def read(row):
        if row in broken:
            raise SourceError(f"{row} is torn")
        return np.full((4, 2, 3), values[row], np.uint8)

    names = tuple(f"{value}.png" for value in values)
    return IdentitySet(names, tracks // 2, tracks % 2, np.full(len(rows), -1), read), values


def angles(features):
    return np.degrees(np.arctan2(features.vectors[:, 1], features.vectors[:, 0]))


def test_a_tracklet_is_what_a_camera_has_seen_of_somebody_in_order():
    pictures, values = people()
    assert [values[rows].tolist() for rows in tracklets_of(pictures)] == [
        [0, 1, 2, 3, 4],
        [10, 11, 12],
        [20],
        [30, 31, 32, 33],
    ]


@pytest.mark.parametrize(
    ("vector", "frames", "expected", "used"),
    [
        ("all", 0, [2, 11, 20, 31.5], 13),
        ("spaced", 2, [2, 11, 20, 31.5], 7),  # first and last
        ("spaced", 3, [2, 11, 20, 31.6667], 10),
        ("middle", 0, [2, 11, 20, 32], 4),
    ],
)
def test_vectors_of_pictures_are_averaged(vector, frames, expected, used):
    pictures, values = people()
    found = embed_tracklets(Pictures(), pictures, TrackletOptions(vector, frames), progress=False)
    np.testing.assert_allclose(angles(found.features), expected, atol=0.01)
    assert found.pictures == used
    assert found.features.identities.tolist() == [0, 0, 1, 1]
    assert found.features.cameras.tolist() == [0, 1, 0, 1]
    assert values[found.features.rows].tolist() == [2, 11, 20, 32]  # the one in the middle stands for it


@pytest.mark.parametrize(
    ("vector", "frames", "clips"),
    [
        ("all", 0, [[0, 1], [2, 3], [4, 4], [10, 11], [12, 12], [20, 20], [30, 31], [32, 33]]),
        ("spaced", 3, [[0, 2, 4], [10, 11, 12], [20, 20, 20], [30, 32, 33]]),
        ("middle", 0, [[2, 2], [11, 11], [20, 20], [32, 32]]),
    ],
)
def test_networks_of_clips_get_clips_in_order(vector, frames, clips):
    embedder = Clips()
    found = embed_tracklets(embedder, people()[0], TrackletOptions(vector, frames), progress=False)
    assert embedder.seen == clips
    assert len(found.features) == 4
    assert found.pictures == sum(map(len, clips))


@pytest.mark.parametrize("embedder", [Pictures(), Clips()], ids=["pictures", "clips"])
def test_what_cannot_be_read_is_left_out_and_named(embedder):
    pictures, values = people()
    broken = np.flatnonzero(np.isin(values, (4, 20)))
    pictures, _ = people(set(broken.tolist()))
    found = embed_tracklets(embedder, pictures, TrackletOptions(), progress=False).features
    assert sorted(found.unreadable) == ["20.png", "4.png"]
    assert found.identities.tolist() == [0, 0, 1]  # the tracklet of 20.png is lost
    if isinstance(embedder, Pictures):
        np.testing.assert_allclose(angles(found), [1.5, 11, 31.5], atol=0.01)
    pictures, _ = people(set(range(13)))
    with pytest.raises(SourceError, match="none of 13 pictures can be read"):
        embed_tracklets(embedder, pictures, TrackletOptions(), progress=False)


class ToldPictures(Told, Pictures):
    def embed(self, image, boxes):
        self.seen = self.numbers.tolist()
        return super().embed(image, boxes)


class ToldClips(Told, Clips):
    def embed_clips(self, clips):
        self.seen = [*getattr(self, "seen", []), *self.numbers.tolist()]
        return np.stack([vectors_of(clip).mean(0) for clip in clips])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(ToldPictures, [-1, -1, 0, 0, -1, 0, 0]), (ToldClips, [-1, 0, -1, 0])],  # 20.png stands alone
)
def test_a_tracklet_is_told_its_camera(kind, expected):
    embedder = kind(Sides("camera", ((1, 0),)))
    options = TrackletOptions("spaced", 2)
    found = embed_tracklets(embedder, people()[0], options, side=True, progress=False)
    assert embedder.seen == expected
    assert found.features.tricks == ("tracklets: spaced 2", "side information (camera)")


def test_a_search_is_of_tracklets_and_says_so():
    pictures, _ = people()
    found = search(
        "net", Clips(), pictures, pictures, SearchPlan(tracklets=TrackletOptions()), progress=False
    )
    assert found.labels() == ["net (tracklets: all 2)"]
    assert found.steps[0].queries == 4
    assert found.views == 32
    assert found.steps[0].rank(2) == 1


def test_what_makes_no_sense_is_refused():
    pictures, _ = people()
    with pytest.raises(ConfigError, match="net takes clips: judge tracklets"):
        search("net", Clips(), pictures, pictures, SearchPlan(), progress=False)
    plan = SearchPlan(flip=True, tracklets=TrackletOptions())
    with pytest.raises(ConfigError, match="the flip is for single pictures"):
        search("net", Pictures(), pictures, pictures, plan, progress=False)
    with pytest.raises(InputError, match="no pictures to embed"):
        embed_tracklets(Pictures(), pictures[[]], TrackletOptions(), progress=False)
    opposite = type(
        "Opposite",
        (Pictures,),
        {"embed": lambda _self, _image, boxes: np.array([[1, 0], [-1, 0]] * 9)[: len(boxes)]},
    )
    with pytest.raises(ModelError, match="net gives no direction for a tracklet"):
        embed_tracklets(opposite(), pictures[pictures.identities == 1][1:], TrackletOptions(), progress=False)


def test_people_of_a_real_street_are_found_again_by_the_second_half_of_their_tracklets(shared_data, tmp_path):
    source = shared_data / "mot" / "MOT15" / "TUD-Stadtmitte"
    video = cv2.VideoCapture(str(source / "TUD-Stadtmitte.mp4"))
    (tmp_path / "img1").mkdir()
    (tmp_path / "gt").mkdir()
    for name in ("seqinfo.ini", "gt/gt.txt"):
        (tmp_path / name).write_bytes((source / name).read_bytes())
    for number in range(1, 180):
        readable, image = video.read()
        assert readable
        if number % 10 == 1:
            cv2.imwrite(str(tmp_path / "img1" / f"{number:06d}.jpg"), image)
    found = open_identities("mot", str(tmp_path), "mod5_tracklets", step=10)
    assert set(found.query.identities.tolist()) == set(found.gallery.identities.tolist()) == {5, 10}
    embedder = create_embedder(EmbedderOptions(model="osnet_x0_25_market1501.onnx", threads=1))
    plan = SearchPlan(tracklets=TrackletOptions())
    judged = search("osnet", embedder, found.query, found.gallery, plan, progress=False)
    assert judged.steps[0].queries == 2
    assert judged.steps[0].rank(1) == 1
