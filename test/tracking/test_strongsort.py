"""StrongSORT on scenes whose answer follows from the paper."""

import logging

import numpy as np
import pytest
from support.scenes import CONFIRMED, LOST, ids_in_results, person, see

from rtreid_ros.errors import InputError
from rtreid_ros.tracking import create_tracker
from rtreid_ros.types import Detections


@pytest.fixture
def tracker():
    return create_tracker("strongsort")


def confirmed_pair(tracker, frames=5):
    """Two people side by side, ids 1 and 2, looks 0 and 1."""
    for _ in range(frames):
        tracker.update(see(person(100), person(116), looks=[0, 1]))


def test_looks_decide_between_people_who_change_places(tracker):
    """They step past each other between two frames: by position the ids would swap."""
    confirmed_pair(tracker, frames=12)
    tracks = tracker.update(see(person(100), person(116), looks=[1, 0]))
    assert tracks.states.tolist() == [CONFIRMED, CONFIRMED]
    assert tracks.detection_index.tolist() == [1, 0]


def test_without_looks_position_decides(caplog):
    tracker = create_tracker("strongsort")
    with caplog.at_level(logging.WARNING):
        for _ in range(12):
            tracker.update(see(person(100), person(116)))
        tracks = tracker.update(see(person(100), person(116)))
    assert tracks.detection_index.tolist() == [0, 1]
    assert tracks.embeddings is None
    assert caplog.text.count("without embeddings") == 1


def test_someone_who_comes_back_is_known_by_looks_not_by_place(tracker):
    """1 is hidden for half a second; at the same place someone else appears first."""
    for _ in range(6):
        tracker.update(see(person(100), looks=[0]))
    tracker.update(Detections.empty())
    for _ in range(8):
        tracks = tracker.update(see(person(108), looks=[5]))
    assert ids_in_results(tracks) == [2]
    for _ in range(6):
        tracker.update(Detections.empty())
    tracks = tracker.update(see(person(104), person(96), looks=[5, 0]))
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.detection_index.tolist() == [1, 0]


def test_looks_alone_do_not_reach_beyond_the_motion_gate(tracker):
    for _ in range(6):
        tracker.update(see(person(100), looks=[0]))
    tracks = tracker.update(see(person(900), looks=[0]))
    assert tracks.states[0] == LOST
    assert tracks.ids.tolist() == [1, 2]


def test_a_person_turning_round_is_kept_by_overlap(tracker):
    """Wholly different looks, same place, seen in the last frame: the second association."""
    for _ in range(6):
        tracker.update(see(person(100), looks=[0]))
    assert ids_in_results(tracker.update(see(person(101), looks=[6]))) == [1]


def test_one_missed_frame_closes_the_second_association(tracker):
    for _ in range(6):
        tracker.update(see(person(100), looks=[0]))
    tracker.update(Detections.empty())
    tracks = tracker.update(see(person(101), looks=[6]))
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.states[0] == LOST


def test_weak_detections_are_ignored(tracker):
    for _ in range(5):
        assert len(tracker.update(see(person(100), scores=0.59, looks=[0]))) == 0


def test_embeddings_are_smoothed_and_of_unit_length(tracker):
    """Equation 1 with momentum 0.9, by hand for three frames."""
    looks, expected = np.eye(8)[[0, 1, 2]], np.eye(8)[0]
    tracker.update(see(person(100), looks=[0]))
    for look, axis in zip(looks[1:], (1, 2), strict=True):
        expected = 0.9 * expected + 0.1 * look
        expected /= np.linalg.norm(expected)
        tracks = tracker.update(see(person(100), looks=[axis]))
    np.testing.assert_allclose(tracks.embeddings, [expected], atol=1e-6)


def test_a_sure_detection_pulls_the_filter_harder():
    """NSA: measurement noise times 1 - score."""
    pulled = []
    for score in (0.6, 0.99):
        tracker = create_tracker("strongsort", report="filter", min_hits=1)
        for _ in range(10):
            tracker.update(see(person(100), looks=[0]))
        tracks = tracker.update(see(person(106), scores=score, looks=[0]))
        pulled.append((tracks.boxes[0, 0] + tracks.boxes[0, 2]) / 2)
    assert 100 < pulled[0] < pulled[1] <= 106
    assert pulled[1] > 105.8


def test_scores_of_one_twice_in_one_moment_stay_finite():
    tracker = create_tracker("strongsort", report="filter")
    for _ in range(4):
        tracks = tracker.update(see(person(100), scores=1.0, looks=[0]), stamp=1.0)
    assert np.isfinite(tracks.boxes).all()


def test_embeddings_of_another_length_are_refused_and_harm_nothing(tracker):
    confirmed_pair(tracker)
    short = see(person(100), person(116)).with_embeddings(np.eye(2, 4))
    with pytest.raises(InputError, match=r"4 dimensions.*had 8.*reset"):
        tracker.update(short)
    assert ids_in_results(tracker.update(see(person(100), person(116), looks=[0, 1]))) == [1, 2]
    tracker.reset()
    tracker.update(short)


def test_frames_without_embeddings_among_others_are_bridged_by_position(tracker):
    confirmed_pair(tracker)
    for _ in range(3):
        assert ids_in_results(tracker.update(see(person(100), person(116)))) == [1, 2]
    tracks = tracker.update(see(person(100), person(116), looks=[1, 0]))
    assert tracks.detection_index.tolist() == [1, 0]


def test_tracks_begun_without_embeddings_learn_them_later(tracker):
    for _ in range(4):
        tracker.update(see(person(100), person(300)))
    tracks = tracker.update(see(person(100), person(300), looks=[3, 4]))
    assert ids_in_results(tracks) == [1, 2]
    np.testing.assert_allclose(tracks.embeddings, np.eye(8)[[3, 4]], atol=1e-6)


@pytest.mark.parametrize(("gallery", "expected"), [(10, [1]), (0, [2])])
def test_past_looks_are_remembered_beyond_the_average(gallery, expected):
    """Look 0 for 15 frames, then look 1 for 60, so that the average is look 1; hidden; back with look 0."""
    tracker = create_tracker("strongsort", gallery=gallery, min_hits=1)
    for look, frames in [(0, 15), (1, 60)]:
        for _ in range(frames):
            tracks = tracker.update(see(person(100), looks=[look]))
    assert tracks.embeddings[0, 1] > 0.99
    for _ in range(5):
        tracker.update(Detections.empty())
    assert ids_in_results(tracker.update(see(person(100), looks=[0]))) == expected
