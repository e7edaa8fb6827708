"""A model on two sets, plain and with tricks."""

import numpy as np
import pytest
from support.told import Told

from rtreid_ros.datasets.identities import IdentitySet
from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.retrieval import (
    CameraBiasOptions,
    RerankOptions,
    RetrievalOptions,
    SearchPlan,
    check_side,
    embed_set,
    judge_distances,
    judge_retrieval,
    remove_camera_bias,
    rerank,
    search,
)
from rtreid_ros.evaluation.retrieval.report import table
from rtreid_ros.reid.sides import Sides

PEOPLE = np.random.default_rng(0).uniform(60, 200, (8, 2, 3))
"""Colours of the left and the right side of everybody."""


class Halves:
    """An embedder that sees the mean colours of the left and the right half of a crop."""

    dim = 6

    def embed(self, image, boxes):
        rows = []
        for x1, y1, x2, y2 in boxes.astype(int):
            middle = (x1 + x2) // 2
            sides = [image[y1:y2, x1:middle], image[y1:y2, middle:x2]]
            row = np.concatenate([side.reshape(-1, 3).mean(axis=0) for side in sides]) - 120
            rows.append(row / np.linalg.norm(row))
        return np.array(rows, np.float32)


class Sided(Told, Halves):
    """Takes the light of the cameras that it knows out of the colours."""

    def embed(self, image, boxes):
        rows = super().embed(image, boxes)
        if self.numbers is None:
            return rows
        rows -= 0.1 * np.where(self.numbers < 0, 0, self.numbers)[:, None].astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def people(seed, broken=()):
    """Eight people by three cameras of different light, some turned around."""
    rng = np.random.default_rng(seed)
    who, cameras = np.repeat(np.arange(8), 3), np.tile(np.arange(3), 8)
    turned = rng.random(24) < 0.3
    noise = rng.normal(0, 25, (24, 2, 3))

    def read(row):
        if row in broken:
            raise SourceError("torn")
        sides = PEOPLE[who[row]][:: -1 if turned[row] else 1] + noise[row] + 15 * cameras[row]
        return np.repeat(sides[None], 8, axis=0).repeat(4, axis=1).clip(0, 255).astype(np.uint8)

    return IdentitySet(tuple(f"{row}.png" for row in range(24)), who, cameras, np.full(24, -1), read)


def scores(figures):
    return figures.as_dict() | {"best": figures.best.tolist()}


def test_every_step_adds_one_trick_to_those_before():
    query_set, gallery_set = people(1), people(2)
    plan = SearchPlan(RetrievalOptions(best=3), True, CameraBiasOptions(ridge=0.1), RerankOptions(4, 2))
    found = search("halves", Halves(), query_set, gallery_set, plan, progress=False)
    plain = [embed_set(Halves(), part) for part in (query_set, gallery_set)]
    flipped = [embed_set(Halves(), part, flip=True) for part in (query_set, gallery_set)]
    cleaned = remove_camera_bias(*flipped, plan.camera_bias)
    expected = [
        judge_retrieval(*plain, plan.judging),
        judge_retrieval(*flipped, plan.judging),
        judge_retrieval(*cleaned, plan.judging),
        judge_distances(rerank(*cleaned, plan.rerank), *cleaned, plan.judging, (plan.rerank.name,)),
    ]
    assert [scores(step) for step in found.steps] == [scores(step) for step in expected]
    assert len({step.map for step in found.steps}) == 4
    assert [len(step.tricks) for step in found.steps] == [0, 1, 2, 3]
    assert found.labels() == [
        "halves",
        "+ flip",
        "+ camera bias removed (lambda 0.1)",
        "+ re-ranked (k1 4, k2 2, lambda 0.3)",
    ]
    assert found.views == 96
    np.testing.assert_array_equal(found.query.vectors, plain[0].vectors)


@pytest.mark.parametrize(
    ("plan", "labels"),
    [
        (SearchPlan(), ["m"]),
        (SearchPlan(flip=True), ["m", "+ flip"]),
        (SearchPlan(rerank=RerankOptions()), ["m", "+ re-ranked (k1 20, k2 6, lambda 0.3)"]),
        (
            SearchPlan(RetrievalOptions(protocol="image-to-track"), camera_bias=CameraBiasOptions()),
            ["m (image-to-track)", "+ camera bias removed (lambda 0.05)"],
        ),
    ],
)
def test_only_what_is_asked_for_is_done_and_all_of_it_is_named(plan, labels):
    assert search("m", Halves(), people(1), people(2), plan, progress=False).labels() == labels


def test_side_information_comes_first_and_what_was_unknown_is_counted():
    query_set, gallery_set = people(1), people(2, broken={5})  # by camera 2
    embedder = Sided(Sides("camera", ((0, 0), (1, 0)), "street"))
    plan = SearchPlan(flip=True, side=True)
    found = search("m", embedder, query_set, gallery_set, plan, progress=False)
    assert found.labels() == ["m", "+ side information (camera)", "+ flip"]
    plain = search("m", Halves(), query_set, gallery_set, SearchPlan(), progress=False)
    assert scores(found.steps[0]) == scores(plain.steps[0])
    np.testing.assert_array_equal(found.query.vectors, plain.query.vectors)
    for step, flip in zip(found.steps[1:], (False, True), strict=True):
        told = [embed_set(embedder, part, flip=flip, side=True) for part in (query_set, gallery_set)]
        assert scores(step) == scores(judge_retrieval(*told, plan.judging))
    assert len({step.map for step in found.steps}) == 3
    assert found.views == 3 * (24 + 23)
    assert found.side == ("camera", 8 + 7, 24 + 23)
    assert found.as_dict()["side"] == {"kind": "camera", "unknown": 15, "vectors": 47}
    assert plain.as_dict()["side"] is None
    assert "; side information (camera) unknown for 15 of 47; 1 pictures cannot" in table([found], [1])


def test_who_knows_no_cameras_is_told_none():
    plan = SearchPlan(side=True)
    nobody = type("Nobody", (Halves,), {"info": type("Info", (), {"name": "net.onnx"})})
    with pytest.raises(ConfigError, match=r"net\.onnx cannot be told which camera a picture is of"):
        search("m", nobody(), people(1), people(2), plan, progress=False)
    with pytest.raises(ConfigError, match="it knows nothing"):
        search("m", Sided(Sides()), people(1), people(2), plan, progress=False)


def test_cameras_of_another_data_set_are_refused():
    embedder = Sided(Sides("camera", ((0, 0), (1, 0)), "street"))
    embedder.info = type("Info", (), {"name": "best.pt"})
    check_side(embedder, "street")
    with pytest.raises(ConfigError, match=r"best\.pt knows the cameras of street, not those of veri776"):
        check_side(embedder, "veri776")


def test_models_that_read_different_pictures_say_so_each():
    whole = search("a", Halves(), people(1), people(2), SearchPlan(), progress=False)
    torn = search("b", Halves(), people(1), people(2, broken={3}), SearchPlan(), progress=False)
    assert torn.as_dict()["unreadable"] == ["3.png"]
    lines = table([whole, torn], [1, 2.5]).splitlines()
    assert lines[-2:] == [
        "a: 24 queries judged, 0 skipped for want of a right match, 24 in the gallery",
        "b: 24 queries judged, 0 skipped for want of a right match, 23 in the gallery; "
        "1 pictures cannot be read and are left out",
    ]
    assert lines[2].split()[-1] == "2.5"
