"""Deep OC-SORT on scenes and figures that follow from the paper."""

import numpy as np
import pytest
from support.scenes import ids_by_detection, look, person, see, seen_as

from rtreid_ros.tracking import create_tracker

# ------------------------------------------------- dynamic appearance (section 3.2)


@pytest.mark.parametrize(
    ("score", "momentum"),
    [
        (1.0, 0.95),
        (0.9, 0.95 + 0.05 * 0.25),
        (0.8, 0.975),
        (0.7, 0.95 + 0.05 * 0.75),
        (0.6, 1.0),  # just good enough to be tracked: it changes nothing
    ],
)
def test_the_embedding_changes_by_how_sure_the_detection_is(score, momentum):
    """alpha = a + (1 - a) (1 - (score - threshold) / (1 - threshold)), a = 0.95, threshold 0.6."""
    tracker = create_tracker("deepocsort")
    tracker.update(see(person(100), looks=[0]))
    tracks = tracker.update(see(person(100), scores=score, looks=[1]))
    expected = momentum * np.eye(8)[0] + (1 - momentum) * np.eye(8)[1]
    np.testing.assert_allclose(tracks.embeddings[0], expected / np.linalg.norm(expected), atol=1e-6)
    assert tracks.embeddings[0, 1] > 0 or score == 0.6


def test_scores_below_the_threshold_leave_looks_alone():
    tracker = create_tracker("deepocsort", byte=True)
    tracker.update(see(person(100), looks=[0]))
    tracks = tracker.update(see(person(100), scores=0.3, looks=[1]))
    assert tracks.detection_index.tolist() == [0]
    np.testing.assert_array_equal(tracks.embeddings, np.eye(8)[[0]])


# ------------------------------------------------- adaptive weighting (section 3.3)


def test_extra_weight_is_the_mean_lead_over_the_second_best_of_track_and_detection():
    alike = np.array([[0.9, 0.2, 0.1], [0.3, 0.7, 0.6], [0.25, 0.35, 0.8]], np.float32)
    # leads of rows: min(0.7, 0.5), 0.1, 0.45; of columns: min(0.6, 0.5), 0.35, 0.2
    rows, columns = np.array([0.5, 0.1, 0.45]), np.array([0.5, 0.35, 0.2])
    expected = (rows[:, None] + columns) / 2
    np.testing.assert_allclose(create_tracker("deepocsort")._distinction(alike), expected, atol=1e-6)
    wide = create_tracker("deepocsort", adaptive_margin=0.6)._distinction(alike)
    assert wide[0, 0] == pytest.approx((0.6 + 0.6) / 2)
    none = create_tracker("deepocsort", adaptive_margin=0.0)._distinction(alike)
    np.testing.assert_array_equal(none, 0)


def test_who_is_alone_stands_out_by_the_margin():
    """A single detection has no second best: its tracks lead by all that is allowed."""
    alike = np.array([[0.9], [0.6]], np.float32)
    expected = np.full((2, 1), (0.5 + 0.3) / 2)
    np.testing.assert_allclose(create_tracker("deepocsort")._distinction(alike), expected, atol=1e-6)


@pytest.mark.parametrize(("margin", "ids"), [(0.0, [2, 1]), (0.5, [1, 2])])
def test_distinct_looks_outweigh_a_place(margin, ids):
    """Two people stand 12 pixels apart and change places within a frame.

    Each is like themselves by a cosine of 0.5 and unlike the other, so a pair's looks are worth
    (w + lead) * 0.5 with a lead of 0.5 at most, and places 1 - 28 / 52 = 0.46: with weight 0.75,
    0.375 without the lead and 0.625 with it.
    """
    tracker = create_tracker("deepocsort", adaptive_margin=margin, inertia=0.0)
    for _ in range(4):
        tracker.update(see(person(100), person(112), looks=[0, 1]))
    frame = seen_as(see(person(112), person(100)), look(0, 2, 0.5), look(1, 3, 0.5))
    assert ids_by_detection(tracker.update(frame), 2) == ids


@pytest.mark.parametrize(("weight", "ids"), [(0.9, [2, 1]), (0.95, [1, 2])])
def test_looks_are_weighed_against_overlap(weight, ids):
    """The same exchange without the lead: 0.46 of overlap is outweighed from 0.92 on."""
    tracker = create_tracker("deepocsort", adaptive_margin=0.0, inertia=0.0, appearance_weight=weight)
    for _ in range(4):
        tracker.update(see(person(100), person(112), looks=[0, 1]))
    frame = seen_as(see(person(112), person(100)), look(0, 2, 0.5), look(1, 3, 0.5))
    assert ids_by_detection(tracker.update(frame), 2) == ids


def test_looks_do_not_reach_beyond_the_least_overlap():
    """IoU 0.29, the very same looks: the paper adds appearance to pairs that overlap."""
    for offset, expected in ((21, [1]), (22, [2])):
        tracker = create_tracker("deepocsort")
        for _ in range(4):
            tracker.update(see(person(100), looks=[0]))
        tracks = tracker.update(see(person(100 + offset), looks=[0]))
        assert ids_by_detection(tracks, 1) == expected


def test_recovery_is_by_position_alone():
    """Someone stops while hidden and comes back with other looks: found by the last observation."""
    tracker = create_tracker("deepocsort")
    for k in range(20):
        tracker.update(see(person(100 + 10 * k), looks=[0]))
    for _ in range(8):
        tracker.update(see().with_embeddings(np.zeros((0, 8), np.float32)))
    tracks = tracker.update(see(person(290), looks=[6]))
    assert ids_by_detection(tracks, 1) == [1]
