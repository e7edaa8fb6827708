"""The gallery's parts, each by itself."""

import numpy as np
import pytest

from rtreid_ros.gallery.calibration import Calibration, Model
from rtreid_ros.gallery.clock import CommonClock
from rtreid_ros.gallery.deciding import probabilities
from rtreid_ros.gallery.exemplars import Exemplars
from rtreid_ros.gallery.looks import CameraMeans, Looks
from rtreid_ros.ordering import Order

SECOND = 10**9


def unit(rows):
    rows = np.asarray(rows, np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def test_a_full_set_gives_up_the_older_of_the_two_most_alike():
    looks = Exemplars(3, 2)
    looks.reserve(1)
    angles = (0.0, 0.1, 1.5, 0.8)
    for angle in angles:
        looks.add(0, unit([np.cos(angle), np.sin(angle)]), 0)
    kept, _ = looks.of(0)
    assert np.arctan2(kept[:, 1], kept[:, 0]) == pytest.approx([0.1, 1.5, 0.8], abs=1e-6)


def test_a_rare_camera_keeps_its_looks():
    looks = Exemplars(4, 8)
    looks.reserve(1)
    rng = np.random.default_rng(0)
    looks.add(0, unit(rng.normal(size=8)), 1)
    for _ in range(50):
        looks.add(0, unit(rng.normal(size=8)), 0)
    assert sorted(looks.of(0)[1].tolist()) == [0, 0, 0, 1]


def test_with_more_cameras_than_room_the_oldest_look_goes():
    looks = Exemplars(2, 2)
    looks.reserve(1)
    for camera in range(4):
        looks.add(0, unit([1, camera]), camera)
    assert looks.of(0)[1].tolist() == [2, 3]


def test_probability_is_shared_by_identities_that_explain_alike():
    own, new = probabilities(np.array([[6.0, 6.0]]), np.ones((1, 2), bool), np.zeros((1, 1), bool), 0.3)
    assert own[0, 0] == own[0, 1] < 0.5
    assert own.sum() + new[0] == pytest.approx(1)


def test_probability_is_shared_by_rivals_for_one_identity():
    odds, possible = np.array([[8.0, -8.0], [8.0, -8.0]]), np.ones((2, 2), bool)
    alone, _ = probabilities(odds, possible, np.zeros((2, 2), bool), 0.3)
    rivals, _ = probabilities(odds, possible, ~np.eye(2, dtype=bool), 0.3)
    assert alone[:, 0].min() > 0.95
    assert rivals[:, 0].max() < 0.51


def test_a_rival_who_is_clearly_somebody_else_takes_nothing():
    odds, possible = np.array([[8.0, -8.0], [-8.0, 8.0]]), np.ones((2, 2), bool)
    own, _ = probabilities(odds, possible, ~np.eye(2, dtype=bool), 0.3)
    assert np.diag(own).min() > 0.95


def test_the_more_people_are_known_the_more_it_takes_to_be_one_of_them():
    few, _ = probabilities(np.full((1, 2), [4.0, -9.0]), np.ones((1, 2), bool), np.zeros((1, 1), bool), 0.3)
    odds = np.full((1, 200), -9.0)
    odds[0, 0] = 4.0
    many, new = probabilities(odds, np.ones((1, 200), bool), np.zeros((1, 1), bool), 0.3)
    assert few[0, 0] > 0.95
    assert many[0, 0] < 0.5 < new[0]


def test_with_nobody_known_everybody_is_new():
    own, new = probabilities(np.zeros((2, 0)), np.zeros((2, 0), bool), np.zeros((2, 2), bool), 0.3)
    assert own.shape == (2, 0)
    assert new.tolist() == [1, 1]


def test_more_alike_never_speaks_against():
    odds = Model(0.4, 0.1, 0.8, 0.1).log_odds(np.linspace(-1, 1, 201, dtype=np.float32))
    assert (np.diff(odds) >= 0).all()
    assert odds[0] < -5
    assert odds[-1] > 5
    assert np.abs(odds).max() < 9.3  # a certainty may be none


@pytest.mark.parametrize(("common", "different"), [(0.0, 0.0), (1.0, 0.5), (2.0, 0.8)])
def test_similarities_of_different_people_are_learnt(common, different):
    rng = np.random.default_rng(1)
    calibration, means = Calibration(), CameraMeans()
    calibration.reset(64)
    means.reset(64)
    means.widen(1)
    shared = unit(rng.normal(size=64)) * common
    for _ in range(300):
        pair = unit(unit(rng.normal(size=(2, 64))) + shared)
        shares = np.ones((1, 1), np.float32)
        calibration.different.add(Looks(pair[:1], shares), Looks(pair[1:], shares))
        calibration.alike.add(Looks(pair[:1], shares), Looks(pair[:1], shares))
    model = calibration.model(means)
    assert model.different_mean == pytest.approx(different, abs=0.05)
    assert model.different_mean + 2 * model.different_sd < model.again_mean < 1


def test_what_a_camera_puts_into_all_its_looks_is_taken_out():
    rng = np.random.default_rng(2)
    means = CameraMeans()
    means.reset(32)
    means.widen(2)
    people, tint = unit(rng.normal(size=(200, 32))), unit(rng.normal(size=(2, 32)))
    for camera in (0, 1):
        for person in people:
            means.add(camera, unit(person + tint[camera]))
    views = [
        Looks(unit(people + tint[camera]), np.tile(np.eye(2, dtype=np.float32)[camera], (200, 1)))
        for camera in (0, 1)
    ]
    raw = np.einsum("nd,nd->n", views[0].means, views[1].means)
    clean = np.einsum("nd,nd->n", means.clean(views[0]), means.clean(views[1]))
    assert raw.mean() < 0.6
    assert clean.mean() > 0.9


def test_a_first_look_is_compared_as_it_is():
    means = CameraMeans()
    means.reset(4)
    means.widen(1)
    looks = Looks(np.eye(4, dtype=np.float32)[:1], np.ones((1, 1), np.float32))
    assert means.clean(looks).tolist() == [[1, 0, 0, 0]]


def test_time_goes_on_when_a_camera_begins_again_and_others_keep_in_step():
    clock = CommonClock()
    for stamp in (100, 110):
        assert clock.advance("a", stamp * SECOND) == (stamp * SECOND, Order.NEXT)
        clock.advance("b", (stamp + 1) * SECOND)
    assert clock.advance("a", 100 * SECOND) == (110 * SECOND, Order.RESTART)
    assert clock.advance("b", 105 * SECOND)[0] == 115 * SECOND
    assert clock.advance("a", 105 * SECOND) == (115 * SECOND, Order.NEXT)
    assert clock.now == 115 * SECOND


def test_a_small_step_back_is_late():
    clock = CommonClock()
    clock.advance("a", 10 * SECOND)
    assert clock.advance("a", 10 * SECOND - 1)[1] is Order.LATE
