"""DeepSORT on scenes whose answer follows from the paper."""

import numpy as np
import pytest
from support.scenes import (
    CONFIRMED,
    LOST,
    TENTATIVE,
    ids_by_detection,
    ids_in_results,
    look,
    nobody,
    person,
    see,
    seen_as,
)

from rtreid_ros.tracking import create_tracker

OWN, OTHER = look(0), look(0, 1, 0.9)
"""Two looks a cosine distance of 0.1 apart: either is within the limit of 0.2 of the other."""


def two_rivals(tracker):
    """Two people alike, 10 pixels apart; the first is not seen for three frames, the second is."""
    for _ in range(6):
        tracker.update(seen_as(see(person(100), person(110)), OWN, OTHER))
    for _ in range(3):
        tracks = tracker.update(seen_as(see(person(110)), OTHER))
    assert tracks.states.tolist() == [LOST, CONFIRMED]


def test_the_track_seen_last_chooses_first():
    """The cascade (listing 1): one detection, where the first was seen last and with just its looks.
    Both are within their limits, so the second, seen a frame ago, has it."""
    tracker = create_tracker("deepsort")
    two_rivals(tracker)
    tracks = tracker.update(seen_as(see(person(100)), OWN))
    assert ids_by_detection(tracks, 1) == [2]


def test_without_a_cascade_the_more_alike_has_it():
    """StrongSORT (woC), on the same scene: by appearance and place the detection is the first's."""
    tracker = create_tracker("strongsort")
    two_rivals(tracker)
    tracks = tracker.update(seen_as(see(person(100)), OWN))
    assert ids_by_detection(tracks, 1) == [1]


def test_the_cascade_leaves_to_others_what_the_first_cannot_have():
    """The second has looks of its own now, beyond its limit: the first gets the detection."""
    tracker = create_tracker("deepsort")
    strange = look(2)
    for _ in range(6):
        tracker.update(seen_as(see(person(100), person(110)), OWN, strange))
    for _ in range(3):
        tracker.update(seen_as(see(person(110)), strange))
    tracks = tracker.update(seen_as(see(person(100)), OWN))
    assert ids_by_detection(tracks, 1) == [1]


@pytest.mark.parametrize(("cosine", "found"), [(0.81, True), (0.79, False)])
def test_looks_must_be_within_the_limit_of_cosine_distance(cosine, found):
    """0.2 of cosine distance. The track was lost before, so that overlap alone does not help."""
    tracker = create_tracker("deepsort")
    for _ in range(5):
        tracker.update(seen_as(see(person(100)), look(0)))
    tracker.update(nobody(8))
    tracks = tracker.update(seen_as(see(person(100)), look(0, 1, cosine)))
    assert (ids_by_detection(tracks, 1) == [1]) == found


@pytest.mark.parametrize(("matches", "found"), [(50, True), (99, True), (100, False)])
def test_a_look_is_remembered_for_as_many_matches_as_the_budget_holds(matches, found):
    """Look 0, then look 1 for a while; lost; back with look 0. The last hundred looks are kept."""
    tracker = create_tracker("deepsort")
    tracker.update(see(person(100), looks=[0]))
    for _ in range(matches):
        tracks = tracker.update(see(person(100), looks=[1]))
    assert tracks.ids.tolist() == [1]
    tracker.update(nobody(8))
    tracks = tracker.update(see(person(100), looks=[0]))
    assert (ids_by_detection(tracks, 1) == [1]) == found


def test_the_budget_is_an_option():
    tracker = create_tracker("deepsort", gallery=5, min_hits=1)
    tracker.update(see(person(100), looks=[0]))
    for _ in range(5):
        tracker.update(see(person(100), looks=[1]))
    tracker.update(nobody(8))
    assert ids_by_detection(tracker.update(see(person(100), looks=[0])), 1) == [2]


def test_the_nearest_of_all_looks_counts_where_people_compete():
    """Two people side by side change looks at every frame. Each is known by one of long ago."""
    tracker = create_tracker("deepsort")
    wardrobe = [(0, 4), (1, 5), (2, 6), (3, 7)]
    for looks in wardrobe:
        for _ in range(3):
            tracker.update(see(person(100), person(112), looks=looks))
    for _ in range(2):
        tracker.update(nobody(8))
    tracks = tracker.update(see(person(112), person(100), looks=[0, 5]))
    assert ids_by_detection(tracks, 2) == [1, 2]


def test_the_gate_closes_for_who_is_too_far():
    """However alike: 300 pixels in a frame are beyond the 95 % quantile of the filter."""
    tracker = create_tracker("deepsort")
    for _ in range(8):
        tracker.update(see(person(100), looks=[0]))
    tracks = tracker.update(see(person(400), looks=[0]))
    assert tracks.states.tolist() == [LOST, TENTATIVE]


def test_a_person_turning_round_is_kept_by_overlap_if_seen_in_the_last_frame():
    for missed, expected in ((0, [1]), (1, [2])):
        tracker = create_tracker("deepsort")
        for _ in range(6):
            tracker.update(see(person(100), looks=[0]))
        for _ in range(missed):
            tracker.update(nobody(8))
        assert ids_by_detection(tracker.update(see(person(101), looks=[6])), 1) == expected


def test_tentative_tracks_are_matched_by_position_alone():
    tracker = create_tracker("deepsort")
    for axis in (0, 1, 2):
        tracks = tracker.update(see(person(100), looks=[axis]))
    assert tracks.ids.tolist() == [1]
    assert ids_in_results(tracks) == [1]


def test_overlap_by_position_must_be_enough():
    """1 - IoU at most 0.7: 21 and 22 pixels aside have an IoU of 0.31 and 0.29."""
    for offset, expected in ((21, [1]), (22, [2])):
        tracker = create_tracker("deepsort")
        tracker.update(see(person(100), looks=[0]))
        assert tracker.update(see(person(100 + offset), looks=[0])).ids.tolist() == expected


def test_distance_iou_finds_who_no_longer_overlaps():
    """60 pixels aside nothing is shared: 1 - IoU is 1, but 1 - (DIoU + 1) / 2 is
    (1 + 3600 / 20000) / 2 = 0.59, within the same limit of 0.7; at 170, it is 0.71."""
    for overlap, offset, expected in (("iou", 60, [2]), ("diou", 60, [1]), ("diou", 170, [2])):
        tracker = create_tracker("deepsort", overlap=overlap)
        tracker.update(see(person(100), looks=[0]))
        assert tracker.update(see(person(100 + offset), looks=[0])).ids.tolist() == expected


def test_the_embedding_reported_is_the_last_one():
    tracker = create_tracker("deepsort", min_hits=1)
    tracker.update(see(person(100), looks=[0]))
    tracks = tracker.update(seen_as(see(person(100)), look(0, 1, 0.9)))
    np.testing.assert_allclose(tracks.embeddings, [look(0, 1, 0.9)])
