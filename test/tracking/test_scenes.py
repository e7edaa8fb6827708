"""The same small scenes for all trackers; what each must make of them follows from its paper."""

import numpy as np
import pytest
from support.scenes import (
    CONFIRMED,
    LOST,
    TENTATIVE,
    ids_by_detection,
    ids_in_results,
    nobody,
    person,
    see,
)

from rtreid_ros.tracking import TRACKERS, create_tracker

EVERY_TRACKER = pytest.mark.parametrize("name", sorted(TRACKERS))
BY_LOOKS = [name for name in sorted(TRACKERS) if TRACKERS[name].uses_embeddings]


def pair(a, b, looks=True):
    """Two people, whom embeddings tell apart if there are any."""
    return see(a, b, looks=[0, 1] if looks else None)


# ----------------------------------------------------------------------- crossing


@pytest.mark.parametrize(
    ("name", "looks"), [(name, False) for name in sorted(TRACKERS)] + [(name, True) for name in BY_LOOKS]
)
def test_two_people_who_cross_at_an_even_pace_keep_their_ids(name, looks):
    """Where they meet, a step moves each by a third of their width: prediction tells them apart."""
    tracker = create_tracker(name)
    for k in range(41):
        frame = pair(person(100 + 8 * k, 200), person(420 - 8 * k, 212), looks)
        tracks = tracker.update(frame)
        assert ids_by_detection(tracks, 2) == [1, 2]
    assert ids_in_results(tracks) == [1, 2]


def turn_back(tracker, looks):
    """Two people meet, and both go back where they came from. Ids after that, left person first.

    A filter of constant velocity has them go on: whoever came from the left is expected on the right.
    """
    for k in range(-20, 8):
        tracks = tracker.update(pair(person(300 - 8 * abs(k), 200), person(300 + 8 * abs(k), 212), looks))
    return ids_by_detection(tracks, 2)


@EVERY_TRACKER
def test_people_who_meet_and_turn_back_are_exchanged_by_motion_alone(name):
    """IoU 0.79 with where the other should be, 0.43 with where they should be themselves.

    The direction of motion of OC-SORT sees them both still going on from where they were three
    frames ago, so its momentum is the same for either choice.
    """
    assert turn_back(create_tracker(name, min_hits=1), looks=False) == [2, 1]


@pytest.mark.parametrize(
    ("name", "options"),
    [("deepsort", {}), ("strongsort", {}), ("botsort", {"proximity_limit": 0.8}), ("deepocsort", {})],
)
def test_people_who_meet_and_turn_back_are_known_by_their_looks(name, options):
    assert turn_back(create_tracker(name, min_hits=1, **options), looks=True) == [1, 2]


def test_the_looks_of_botsort_count_only_for_pairs_that_are_near():
    """1 - IoU is 0.57 where they turn: beyond the paper's 0.5, looks are not asked."""
    assert turn_back(create_tracker("botsort", min_hits=1, proximity_limit=0.5), looks=True) == [2, 1]


# ----------------------------------------------------------- occlusion and return


@EVERY_TRACKER
@pytest.mark.parametrize("looks", [False, True])
def test_someone_hidden_while_walking_is_found_where_the_walk_has_led(name, looks):
    """Hidden for 20 frames, which are 100 pixels: no box of the last sight overlaps."""
    tracker = create_tracker(name)
    dim = 8 if looks else 0
    for k in range(60):
        here = see(person(100 + 5 * k), looks=[0] if looks else None)
        tracks = tracker.update(nobody(dim) if 30 <= k < 50 else here)
    assert ids_in_results(tracks) == [1]


@EVERY_TRACKER
@pytest.mark.parametrize(("missed", "expected"), [(1, 1), (9, 1), (10, 1), (11, 2), (25, 2)])
def test_a_track_lives_through_as_many_missed_frames_as_max_lost_holds(name, missed, expected):
    """Half a second at 20 frames per second: the tenth missed frame is the last it survives."""
    tracker = create_tracker(name, frame_rate=20, max_lost=0.5)
    for _ in range(12):
        tracker.update(see(person(100), looks=[0]))
    for _ in range(missed):
        tracker.update(nobody(8))
    tracks = tracker.update(see(person(100), looks=[0]))
    assert tracks.ids.tolist() == [expected]


# --------------------------------------------------------------------- low scores


@pytest.mark.parametrize(
    ("name", "options", "continues"),
    [
        ("sort", {}, False),
        ("deepsort", {}, False),
        ("strongsort", {}, False),
        ("bytetrack", {}, True),
        ("botsort", {}, True),
        ("ocsort", {}, False),
        ("ocsort", {"byte": True}, True),
        ("deepocsort", {}, False),
        ("deepocsort", {"byte": True}, True),
    ],
)
def test_half_hidden_people_are_followed_by_those_that_associate_every_box(name, options, continues):
    """Scores fall to 0.3 for five frames; above all of these detectors' thresholds before and after."""
    tracker = create_tracker(name, **options)
    for _ in range(10):
        tracker.update(see(person(100), looks=[0]))
    for _ in range(5):
        tracks = tracker.update(see(person(100), scores=0.3, looks=[0]))
        assert tracks.ids.tolist() == [1]
        assert tracks.states.tolist() == [CONFIRMED if continues else LOST]
    assert ids_in_results(tracker.update(see(person(100), looks=[0]))) == [1]


@EVERY_TRACKER
def test_a_low_score_begins_no_track(name):
    options = {"byte": True} if name.endswith("ocsort") else {}
    tracker = create_tracker(name, **options)
    for _ in range(5):
        assert len(tracker.update(see(person(100), scores=0.3, looks=[0]))) == 0


@pytest.mark.parametrize(
    ("name", "options"),
    [("bytetrack", {}), ("botsort", {}), ("ocsort", {"byte": True}), ("deepocsort", {"byte": True})],
)
def test_high_scores_choose_before_low_ones(name, options):
    """The low one lies exactly where the track is expected, the high one ten pixels aside."""
    tracker = create_tracker(name, **options)
    for _ in range(10):
        tracker.update(see(person(100)))
    tracks = tracker.update(see(person(100), person(110), scores=[0.3, 0.9]))
    assert tracks.detection_index.tolist() == [1]


# ------------------------------------------------------------------- camera shake


def shaking(name, told):
    """A camera jolts to and fro by two people's widths; they stand still. Ids in every frame."""
    tracker = create_tracker(name)
    places, offset, ids = [(200, 200), (360, 210), (620, 260)], 0.0, []
    for k in range(20):
        jolt = 0.0 if k < 6 else (90.0 if k % 2 else -90.0)
        offset += jolt
        frame = see(*[person(x + offset, y) for x, y in places])
        motion = np.array([[1, 0, jolt], [0, 1, 0]]) if told else None
        ids.append(ids_by_detection(tracker.update(frame, camera_motion=motion), 3))
    return ids


@EVERY_TRACKER
def test_a_shaking_camera_is_no_matter_if_its_motion_is_told(name):
    assert shaking(name, told=True) == [[1, 2, 3]] * 20
    assert not {1, 2, 3} & set(shaking(name, told=False)[6])  # the first jolt: strangers, all of them


@EVERY_TRACKER
def test_who_was_hidden_while_the_camera_turned_is_found_where_the_camera_now_has_them(name):
    """Ten frames of 30 pixels each, with nobody in sight."""
    found = {}
    for told in (True, False):
        tracker = create_tracker(name)
        for _ in range(12):
            tracker.update(see(person(400)))
        motion = np.array([[1.0, 0, -30], [0, 1, 0]]) if told else None
        for _ in range(10):
            tracker.update(nobody(), camera_motion=motion)
        found[told] = ids_by_detection(tracker.update(see(person(70)), camera_motion=motion), 1)
    assert found == {True: [1], False: [2]}


@EVERY_TRACKER
def test_a_zooming_camera_scales_what_is_remembered(name):
    """Everything grows by half about the corner of the picture, from one frame to the next."""
    affine = np.array([[1.5, 0, 0], [0, 1.5, 0]])
    tracker = create_tracker(name)
    for _ in range(12):
        tracker.update(see(person(400)))
    tracks = tracker.update(nobody(), camera_motion=affine)
    np.testing.assert_allclose(tracks.boxes, 1.5 * see(person(400)).boxes, atol=0.5)


# --------------------------------------------------------------- direction change


@EVERY_TRACKER
def test_someone_who_turns_a_corner_is_kept(name):
    """At 5 pixels a frame the filter's error at the corner is an eighth of their width."""
    tracker = create_tracker(name)
    x, y = 100.0, 200.0
    for k in range(60):
        dx, dy = [(5, 0), (0, 5), (-5, 0)][k // 20]
        x, y = x + dx, y + dy
        tracks = tracker.update(see(person(x, y)))
        assert tracks.ids.tolist() == [1]
        assert tracks.states.tolist() == [CONFIRMED] or k < 2


# ------------------------------------------------------- beginning and believing


@pytest.mark.parametrize(
    ("name", "believed"),
    [
        ("sort", [True, True, True]),
        ("ocsort", [True, True, True]),
        ("deepocsort", [True, True, True]),
        ("bytetrack", [True, True, True]),
        ("botsort", [True, True, True]),
        ("deepsort", [False, False, True]),
        ("strongsort", [False, False, True]),
    ],
)
def test_belief_in_those_of_the_first_frame(name, believed):
    """At the start of a sequence the SORT family reports at once for `min_hits` frames, ByteTrack's
    for one; DeepSORT's waits for three detections also then."""
    tracker = create_tracker(name)
    states = [tracker.update(see(person(100), looks=[0])).states[0] for _ in believed]
    assert [state == CONFIRMED for state in states] == believed


@pytest.mark.parametrize(
    ("name", "late", "needed"),
    [
        ("sort", 3, 3),
        ("ocsort", 3, 3),
        ("deepocsort", 3, 3),
        ("bytetrack", 1, 2),
        ("botsort", 1, 2),
        ("deepsort", 0, 3),
        ("strongsort", 0, 3),
    ],
)
def test_belief_in_those_who_come_later(name, late, needed):
    """After `late` frames the start of the sequence is over: `needed` detections convince."""
    tracker = create_tracker(name)
    for _ in range(late):
        tracker.update(nobody(8))
    states = [tracker.update(see(person(100), looks=[0])).states[0] for _ in range(4)]
    assert states == [TENTATIVE] * (needed - 1) + [CONFIRMED] * (5 - needed)
    if late:
        tracker.reset()
        for _ in range(late - 1):
            tracker.update(nobody(8))
        assert tracker.update(see(person(100), looks=[0])).states.tolist() == [CONFIRMED]


@EVERY_TRACKER
def test_a_tentative_track_that_is_missed_survives_in_the_sort_family_alone(name):
    """SORT keeps it and begins to count anew; DeepSORT and ByteTrack delete it at its first miss."""
    tracker = create_tracker(name, min_hits=3)
    for _ in range(5):
        tracker.update(nobody(8))
    for _ in range(2):
        tracker.update(see(person(100), looks=[0]))
    tracks = tracker.update(nobody(8))
    survives = name in ("sort", "ocsort", "deepocsort")
    assert tracks.states.tolist() == ([TENTATIVE] if survives else [])
    states = []
    for _ in range(3):
        tracks = tracker.update(see(person(100), looks=[0]))
        assert tracks.ids.tolist() == ([1] if survives else [2])
        states.append(tracks.states[0])
    assert states == [TENTATIVE, TENTATIVE, CONFIRMED]
