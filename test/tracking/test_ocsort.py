"""OC-SORT on scenes and figures that follow from the paper."""

import copy

import numpy as np
import pytest
from support.filters import assert_same, covariance, dense_of
from support.scenes import CONFIRMED, ids_in_results, nobody, person, see

from rtreid_ros import boxes
from rtreid_ros.tracking import create_tracker
from rtreid_ros.tracking.state_spaces import XYSR
from rtreid_ros.types import Detections


def walked(tracker, pace, frames=30, start=100.0):
    """Someone has walked straight on, `pace` pixels a frame; where they were seen last."""
    for k in range(frames):
        tracker.update(see(person(start + pace * k)))
    return start + pace * (frames - 1)


def predicted_box(tracker):
    """Where the only track will be expected in the next frame."""
    return copy.deepcopy(tracker).update(Detections.empty()).boxes


# ----------------------------------------------------------------- momentum (OCM)


def chosen_of_two(inertia, first, second, scores=(0.9, 0.9)):
    """Which of two detections is taken by someone who walks 2 pixels a frame to the right."""
    tracker = create_tracker("ocsort", inertia=inertia)
    last = walked(tracker, 2)
    frame = see(person(last + first[0], 200 + first[1]), person(last + second[0], 200 + second[1]))
    frame = Detections(frame.boxes, np.array(scores, np.float32))
    return int(tracker.update(frame).detection_index[0])


def critical_inertia(first, second, constancy, scores=(0.9, 0.9)):
    """The inertia at which both are worth the same: IoU + inertia * constancy * score (section 4.2)."""
    tracker = create_tracker("ocsort")
    last = walked(tracker, 2)
    places = see(person(last + first[0], 200 + first[1]), person(last + second[0], 200 + second[1])).boxes
    one, other = boxes.iou(predicted_box(tracker), places)[0]
    return float(other - one) / (constancy[0] * scores[0] - constancy[1] * scores[1])


SAME, OPPOSITE = 0.5, -0.5
"""Constancy of direction ``(pi / 2 - |angle|) / pi`` for no turn and for half a turn."""


@pytest.mark.parametrize(
    ("first", "second", "constancy", "scores"),
    [
        ((20, 0), (-14, 0), (SAME, OPPOSITE), (0.9, 0.9)),
        ((20, 0), (-14, 0), (SAME, OPPOSITE), (0.7, 0.9)),  # each times its own score
        ((20, 0), (-14, 0), (SAME, OPPOSITE), (1.0, 0.6)),
        # Three frames ago, they were 4 pixels further left: straight down from there is a right angle.
        ((20, 0), (-4, 24), (SAME, 0.0), (0.9, 0.9)),
        ((20, 0), (-4, -24), (SAME, 0.0), (0.8, 0.6)),
        # ... and from there, 16 pixels ahead and 16 down are half of one.
        ((22, 0), (12, 16), (SAME, 0.25), (0.9, 0.9)),
    ],
)
def test_momentum_is_worth_inertia_times_constancy_times_score(first, second, constancy, scores):
    """`first` overlaps less but lies ahead; from the inertia that makes up for it, it is taken."""
    critical = critical_inertia(first, second, constancy, scores)
    assert 0 < critical < 1 / 1.05
    assert chosen_of_two(0.95 * critical, first, second, scores) == 1
    assert chosen_of_two(1.05 * critical, first, second, scores) == 0


def test_momentum_cannot_replace_overlap():
    """An IoU of 0.31 with the prediction is enough, one of 0.29 is not, however straight ahead."""
    for offset, found in ((21, True), (22, False)):
        tracker = create_tracker("ocsort", inertia=1.0)
        last = walked(tracker, 2)
        assert (ids_in_results(tracker.update(see(person(last + 2 + offset)))) == [1]) == found


def test_the_direction_looks_back_delta_t():
    """They walked right, and have gone left for two frames: seen from three frames back that is
    still a way to the right of it, seen from one frame back it is not."""
    picked = {}
    for delta_t in (1.0, 3.0):
        tracker = create_tracker("ocsort", delta_t=delta_t, inertia=0.8)
        last = walked(tracker, 6)
        for step in (2, 4):
            tracker.update(see(person(last - step)))
        picked[delta_t] = tracker.tracks.heading[0].tolist()
    assert picked == {1.0: [-1, 0], 3.0: [1, 0]}


def test_where_frames_are_missing_the_direction_looks_back_as_many_looks():
    """The same walk and turn with every third frame only: three looks are nine frames."""
    tracker = create_tracker("ocsort")
    path = [100 + 6 * k for k in range(20)]
    for k, x in enumerate([*path, path[-1] - 2, path[-1] - 4]):
        tracker.update(see(person(x)), stamp=3 * k / 30)
    assert tracker.tracks.heading.tolist() == [[1, 0]]


# ----------------------------------------------------------------- recovery (OCR)


@pytest.mark.parametrize(("name", "found"), [("ocsort", 1), ("deepocsort", 1), ("sort", 2), ("bytetrack", 2)])
def test_who_stops_while_hidden_is_found_at_the_last_observation(name, found):
    """They walk 10 pixels a frame, stop behind a pillar, and come out ten frames later where they
    went in. The prediction has gone on by 100 pixels, two and a half times their width."""
    tracker = create_tracker(name)
    last = walked(tracker, 10)
    for _ in range(10):
        tracker.update(nobody())
    tracks = tracker.update(see(person(last)))
    assert tracks.ids[tracks.detection_index == 0].tolist() == [found]


def test_recovery_asks_for_the_least_overlap_and_for_high_scores():
    for offset, score, expected in [(21, 0.9, [1]), (22, 0.9, [1, 2]), (0, 0.59, [1])]:
        tracker = create_tracker("ocsort")
        last = walked(tracker, 10)
        for _ in range(10):
            tracker.update(nobody())
        tracks = tracker.update(see(person(last - offset), scores=score))
        assert tracks.ids.tolist() == expected
        assert (tracks.detection_index[0] == 0) == (offset == 21)


@pytest.mark.parametrize(("byte", "taken"), [(True, 0), (False, 1)])
def test_with_byte_low_scores_choose_before_recovery(byte, taken):
    """After ten hidden frames, a low score where the walk would have led, a high one where it was
    last seen: the low one goes on with the track before recovery is asked."""
    tracker = create_tracker("ocsort", byte=byte)
    last = walked(tracker, 10)
    for _ in range(10):
        tracker.update(nobody())
    tracks = tracker.update(see(person(last + 110), person(last), scores=[0.3, 0.9]))
    assert tracks.detection_index[0] == taken


# ---------------------------------------------------------------- re-update (ORU)


def led_along_the_line(dense, start, end, elapsed, frames):
    """Section 4.1: virtual observations on the straight line, then up to the moment of the real one."""
    for k in range(1, frames + 1):
        dense.predict()
        dense.update(XYSR().measure((start + k / elapsed * (end - start))[None])[0])


@pytest.mark.parametrize("missed", [1, 3, 12])
def test_after_a_gap_the_filter_is_as_if_it_had_seen_the_straight_line(missed):
    tracker = create_tracker("ocsort")
    path = [see(person(100 + 6 * k + k % 3, 200 - k)).boxes for k in range(12)]
    dense = None
    for box in path:
        tracker.update(Detections(box, [0.9]))
        measured = XYSR().measure(box.astype(np.float64))[0]
        if dense is None:
            dense = dense_of(XYSR(), measured)
        else:
            dense.predict()
            dense.update(measured)
    assert_same(tracker.tracks.motion, [dense])
    for _ in range(missed):
        tracker.update(nobody())
    # back where they were, a little up and taller: nothing the prediction could have known
    end = path[-1] + np.array([[2, -6, 2, 4]], np.float32)
    tracks = tracker.update(Detections(end, [0.9]))
    assert tracks.ids.tolist() == [1]
    led_along_the_line(dense, path[-1][0].astype(float), end[0].astype(float), missed + 1, missed)
    dense.predict()
    dense.update(XYSR().measure(end.astype(np.float64))[0])
    assert_same(tracker.tracks.motion, [dense], rtol=1e-7)


def test_tracks_that_return_together_from_gaps_of_their_own_are_led_apart():
    """Each as it would be alone."""
    first, second = [person(100 + 5 * k) for k in range(20)], [person(800 - 4 * k, 400) for k in range(20)]

    def scene(tracker, with_first, with_second):
        for k in range(20):
            people = []
            if with_first and (k < 10 or k >= 16):
                people.append(first[k])
            if with_second and (k < 13 or k >= 16):
                people.append(second[k])
            tracker.update(see(*people))
        return tracker.tracks.motion

    both = scene(create_tracker("ocsort"), True, True)
    for row, alone in enumerate(
        (scene(create_tracker("ocsort"), True, False), scene(create_tracker("ocsort"), False, True))
    ):
        np.testing.assert_array_equal(both.position[row], alone.position[0])
        np.testing.assert_array_equal(covariance(both, row), covariance(alone, 0))


@pytest.mark.parametrize("gap", [2.5, 45.5])
def test_an_irregular_gap_is_led_along_too(gap):
    """Missed once 1.2 frames after the last sight, back at the end of the gap, 10 pixels before that."""
    tracker = create_tracker("ocsort", frame_rate=10, max_lost=6.0)
    for k in range(20):
        tracker.update(see(person(100 + 6 * k)), stamp=k / 10)
    tracker.update(nobody(), stamp=(19 + 1.2) / 10)
    back = 100 + 6 * 19 - 10
    tracks = tracker.update(see(person(back)), stamp=(19 + gap) / 10)
    assert ids_in_results(tracks) == [1]
    motion = tracker.tracks.motion
    assert np.isfinite(motion.position).all()
    assert np.linalg.eigvalsh(covariance(motion, 0)[:7, :7]).min() > 0
    pace, line = tracks.velocities[0, 0], -10 / (gap / 10)
    if gap > 20:  # virtual observations enough to believe the line
        np.testing.assert_allclose(motion.position[0, :2], [back, 200], atol=1)
        assert pace == pytest.approx(line, abs=2)
    else:  # a few, that turn somebody who went 60 pixels a second for two
        np.testing.assert_allclose(motion.position[0, :2], [back, 200], atol=5)
        assert line < pace < 50
    assert ids_in_results(tracker.update(see(person(back - 1)), stamp=(20 + gap) / 10)) == [1]


def test_frames_that_never_came_are_no_gap():
    """Told of a longer step, nobody was missed: one prediction, one update."""
    tracker, dense = create_tracker("ocsort"), None
    for k in range(10):
        box = see(person(100 + 5 * k)).boxes
        tracker.update(Detections(box, [0.9]), stamp=k / 30)
        measured = XYSR().measure(box.astype(np.float64))[0]
        if dense is None:
            dense = dense_of(XYSR(), measured)
        else:
            dense.predict()
            dense.update(measured)
    box = see(person(100 + 5 * 12)).boxes
    assert tracker.update(Detections(box, [0.9]), stamp=12 / 30).states.tolist() == [CONFIRMED]
    for _ in range(3):
        dense.predict()
    dense.update(XYSR().measure(box.astype(np.float64))[0])
    assert_same(tracker.tracks.motion, [dense], rtol=1e-7)


# ----------------------------------------------------------------- camera motion


def test_the_camera_turns_what_was_observed_and_the_direction_of_motion():
    """The picture is turned by a right angle about its corner: who went right goes down."""
    tracker = create_tracker("ocsort")
    last = walked(tracker, 6)
    affine = np.array([[0.0, -1, 500], [1, 0, 0]])
    tracker.update(nobody(), camera_motion=affine)
    rows = tracker.tracks
    np.testing.assert_allclose(rows.heading, [[0, 1]], atol=1e-6)
    np.testing.assert_allclose(rows.observed.centers[0, 0], [500 - 200, last], atol=1e-3)
    np.testing.assert_allclose(rows.observed.centers[0, 1], [500 - 200, last - 6], atol=1e-3)


@pytest.mark.parametrize("name", ["ocsort", "deepocsort"])
def test_a_scene_seen_by_a_panning_camera_is_the_same_scene_elsewhere(name):
    """With a gap in which somebody turns round: recovery and re-update rest on what was observed,
    which pans along. Pixels are whole, so that nothing is rounded."""
    still, panned = create_tracker(name, report="filter"), create_tracker(name, report="filter")
    rng = np.random.default_rng(0)
    offset = np.zeros(2)
    x = 300.0
    for k in range(60):
        x += 8 if k < 25 else -4
        pan = rng.integers(-60, 61, 2)
        offset = offset + pan
        motion = np.column_stack([np.eye(2), pan])
        hidden = 20 <= k < 32
        here = nobody() if hidden else see(person(x))
        there = nobody() if hidden else see(person(x + offset[0], 200 + offset[1]))
        tracks, moved = still.update(here), panned.update(there, camera_motion=motion)
        assert moved.ids.tolist() == tracks.ids.tolist() == [1]
        np.testing.assert_allclose(moved.boxes, tracks.boxes + np.tile(offset, 2), atol=2e-2)
        np.testing.assert_allclose(moved.velocities, tracks.velocities, atol=1e-2)
