"""Linking of tracklets, with the committed model."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import rtreid_ros
from rtreid_ros.errors import InputError, ModelError
from rtreid_ros.evaluation.mot_text import MotTable
from rtreid_ros.postprocess import PostprocessOptions
from rtreid_ros.postprocess.aflink.features import CHANNELS, ROWS, head, pair_features, tail
from rtreid_ros.postprocess.aflink.linking import Gates, link_tracks
from rtreid_ros.postprocess.aflink.model import LinkModel

MODELS = Path(rtreid_ros.__file__).parent / "models"
COMMITTED = MODELS / "aflink.onnx"
DEFAULTS = PostprocessOptions()
GATES = Gates(DEFAULTS.link_time, DEFAULTS.link_distance, DEFAULTS.link_confidence)


@pytest.fixture(scope="module")
def model():
    return LinkModel()


def ids_over_time(table):
    return dict(zip(table.frames.tolist(), table.ids.tolist(), strict=True))


class Judge:
    """A scorer that knows each pair's confidence by the tracklets' end and beginning in x."""

    def __init__(self, known):
        self.known = known
        self.calls = 0

    def score(self, tails, heads):
        self.calls += 1
        keys = zip(tails[:, -1, 1].round().tolist(), heads[:, 0, 1].round().tolist(), strict=True)
        return np.array([self.known.get(key, 0.0) for key in keys], np.float32)


def test_a_broken_straight_walk_becomes_one_track(people, model):
    broken = people((4, range(1, 60), 100, 3), (9, range(70, 130), 100, 3))
    linked = link_tracks(broken, model, GATES, 30)
    assert linked.links.tolist() == [[4, 9]]
    assert set(linked.table.ids) == {4}
    np.testing.assert_array_equal(linked.table.boxes, broken.boxes)


@pytest.mark.parametrize("rate", [10, 30])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_what_is_one_walk_does_not_depend_on_frame_rate_and_image_size(people, model, rate, scale):
    step = 30 // rate
    every = [frame for frame in range(1, 130) if not 60 <= frame < 72]
    broken = people(
        (
            1,
            [f // step for f in every if f < 60 and f % step == 0],
            100 * scale,
            3 * step * scale,
            160 * scale,
        ),
        (
            2,
            [f // step for f in every if f > 60 and f % step == 0],
            100 * scale,
            3 * step * scale,
            160 * scale,
        ),
        jitter=0.8 * scale,
        y=500 * scale,
    )
    gates = Gates(GATES.seconds, GATES.distance * scale, GATES.confidence)
    assert link_tracks(broken, model, gates, rate).links.tolist() == [[1, 2]]


def test_two_who_pass_in_opposite_directions_stay_two(people, model):
    # both at x = 280 in frame 60, where one track ends and the other begins some frames later
    passing = people((1, range(1, 60), 100, 3), (2, range(66, 130), 480, -3))
    assert len(link_tracks(passing, model, GATES, 30).links) == 0


def test_tracks_that_share_time_are_never_one(people, model):
    overlapping = people((1, range(1, 61), 100, 3), (2, range(60, 130), 100, 3))
    sure = Judge({})
    sure.score = lambda tails, heads: np.ones(len(tails), np.float32)
    assert len(link_tracks(overlapping, sure, GATES, 30).links) == 0
    assert len(link_tracks(overlapping, model, GATES, 30).links) == 0


def test_a_chain_of_pieces_becomes_one_track(people, model):
    pieces = people((7, range(1, 50), 100, 3), (3, range(58, 100), 100, 3), (5, range(108, 160), 100, 3))
    linked = link_tracks(pieces, model, GATES, 30)
    assert sorted(map(tuple, linked.links.tolist())) in ([(3, 5), (7, 3)], [(7, 3), (7, 5)])
    assert set(linked.table.ids) == {7}  # the earliest part's


def test_gates_of_time_and_distance_hold(people):
    sure = Judge({})
    sure.score = lambda tails, heads: np.ones(len(tails), np.float32)
    late = people((1, range(1, 31), 100, 0), (2, range(61, 90), 100, 0), jitter=0)
    assert len(link_tracks(late, sure, Gates(1.0, 75, 0.9), 30).links) == 0  # 31 frames
    assert len(link_tracks(late, sure, Gates(1.0, 75, 0.9), 31).links) == 1  # a second
    far = people((1, range(1, 31), 100, 0), (2, range(41, 90), 175, 0), jitter=0)
    assert len(link_tracks(far, sure, Gates(1.0, 75, 0.9), 30).links) == 1
    assert len(link_tracks(far, sure, Gates(1.0, 74.9, 0.9), 30).links) == 0


def test_links_are_the_best_for_all_together_not_the_best_first(people):
    # ends at 132 (track 1) and 142 (2); beginnings at 152 (3) and 162 (4); centres, 64 wide boxes
    table = people(
        (1, range(1, 31), 100, 0), (2, range(1, 31), 110, 0), (3, range(35, 60), 120, 0),
        (4, range(35, 60), 130, 0), jitter=0,
    )  # fmt: skip
    judge = Judge({(132, 152): 0.99, (132, 162): 0.97, (142, 152): 0.97, (142, 162): 0.2})
    linked = link_tracks(table, judge, Gates(1.0, 75, 0.95), 30)
    assert sorted(map(tuple, linked.links.tolist())) == [(1, 4), (2, 3)]
    assert len(set(linked.table.ids)) == 2


def test_all_pairs_are_judged_by_one_call_a_round(people):
    table = people(
        *[(i, range(1, 20), 100 * i, 0) for i in range(1, 9)], (20, range(25, 40), 100, 0), jitter=0
    )
    judge = Judge({(132, 132): 1.0})
    assert link_tracks(table, judge, GATES, 30).links.tolist() == [[1, 20]]
    assert judge.calls == 1  # nothing is left to judge after the link


def test_tables_without_anything_to_link_come_back(people, model):
    assert len(link_tracks(MotTable.empty(), model, GATES, 30).table) == 0
    single = people((3, [5], 100, 0))
    linked = link_tracks(single, model, GATES, 30)
    assert ids_over_time(linked.table) == {5: 3}
    lone_boxes = people((1, [5], 100, 0), (2, [6], 100, 0))
    assert len(link_tracks(lone_boxes, model, GATES, 30).table) == 2


def test_an_id_twice_in_a_frame_is_refused(people, model):
    with pytest.raises(InputError, match="id 1 occurs twice in frame 5"):
        link_tracks(people((1, [5, 5], 100, 0)), model, GATES, 30)


def test_features_are_relative_to_the_end_and_in_heights():
    way = np.array([[t / 10, 100 + 20 * t, 300, 80] for t in range(60)], float)
    features = pair_features(tail(way[:12])[None], head(way[14:19])[None])
    assert features.shape == (1, 2, ROWS, len(CHANNELS))
    columns = {name: features[0, ..., number] for number, name in enumerate(CHANNELS)}
    assert columns["seconds"][0, -2] == pytest.approx(-0.1)
    assert columns["x"][0, -2] == pytest.approx(-0.25)
    assert columns["seconds"][1, 0] == pytest.approx(0.3)
    assert columns["x"][1, 0] == pytest.approx(0.75)
    assert not columns["log_height"].any()
    assert not columns["y"].any()
    # at constant velocity one leads to the other, but for the doubt that few boxes leave
    assert np.abs(columns["ahead_x"]).max() < 0.05
    assert np.abs(columns["back_x"][0, -1]) < 0.15
    assert columns["present"].sum(axis=1).tolist() == [12, 5]
    assert not features[0, 0, : ROWS - 12].any()
    assert not features[0, 1, 5:].any()


def test_a_single_box_leads_nowhere():
    features = pair_features(
        tail(np.array([[1.0, 50, 60, 80]]))[None], head(np.array([[1.5, 90, 60, 80]]))[None]
    )
    assert features[0, 1, 0].tolist() == pytest.approx([0.5, 0.5, 0, 0, 0.5, 0, 0, 0, 1])


def test_the_committed_model_is_small_and_says_how_it_was_made(model):
    assert COMMITTED.stat().st_size < 500_000
    assert model.metadata["task"] == "aflink"
    assert model.metadata["license"] == "MIT"
    recipe = json.loads(model.metadata["recipe"])
    assert recipe["frames"] == "first-half"  # the second halves judge
    assert recipe["seed"] >= 0
    assert recipe["people"] > recipe["held_out_people"] > 0


def test_the_card_is_that_of_the_committed_file(model):
    card = (MODELS / "MODEL_CARD.md").read_text()
    assert hashlib.sha256(COMMITTED.read_bytes()).hexdigest() in card
    for name, value in json.loads(model.metadata["figures"]).items():
        assert f"| {name} | {value} |" in card
    for name in json.loads(model.metadata["recipe"])["sequences"]:
        assert name in card


def test_the_card_command_writes_what_the_committed_card_says():
    pytest.importorskip("onnx")
    from rtreid_ros.postprocess.aflink.card import section  # noqa: PLC0415

    assert section(MODELS).strip() in (MODELS / "MODEL_CARD.md").read_text()


def test_a_model_of_another_shape_is_refused():
    with pytest.raises(ModelError, match=r"reid_synthetic.onnx is no link model.*train-aflink"):
        LinkModel(str(MODELS / "reid_synthetic.onnx"))
    with pytest.raises(ModelError, match="does not exist"):
        LinkModel("none.onnx")


def test_equal_input_gives_equal_confidence(model):
    rng = np.random.default_rng(0)
    way = np.add(np.cumsum(rng.random((20, ROWS, 4)), axis=1), [0, 100, 100, 80])
    first, second = model.score(way, way + 1), model.score(way, way + 1)
    assert first.tobytes() == second.tobytes()
    assert ((first >= 0) & (first <= 1)).all()
    np.testing.assert_allclose(model.score(way[:1], way[:1] + 1), first[:1], atol=1e-6)
