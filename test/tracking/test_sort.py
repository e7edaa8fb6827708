"""SORT on scenes whose answer follows from the paper."""

import numpy as np
import pytest
from support.scenes import CONFIRMED, LOST, ids_by_detection, nobody, person, see

from rtreid_ros.tracking import create_tracker


def test_a_match_needs_the_least_overlap():
    """IoU of boxes 40 wide, 21 and 22 pixels apart: 0.31 and 0.29."""
    for offset, found in ((21, True), (22, False)):
        tracker = create_tracker("sort")
        tracker.update(see(person(100)))
        tracks = tracker.update(see(person(100 + offset)))
        assert (ids_by_detection(tracks, 1) == [1]) == found


def test_the_assignment_is_the_best_for_all_together():
    """IoU of the first track with the left and right detection is 0.48 and 0.82, of the second 0.21
    and 0.67. The greatest, taken first, would leave the second track with nothing."""
    tracker = create_tracker("sort")
    tracker.update(see(person(100), person(112)))
    tracks = tracker.update(see(person(86), person(104)))
    assert tracks.detection_index.tolist() == [0, 1]


def test_weak_detections_are_nothing():
    tracker = create_tracker("sort")
    assert len(tracker.update(see(person(100), scores=0.49))) == 0
    tracker.update(see(person(100), scores=0.5))
    assert tracker.update(see(person(100), scores=0.49)).states.tolist() == [LOST]


def test_the_score_plays_no_part_beyond_the_threshold():
    for score in (0.5, 1.0):
        tracker = create_tracker("sort")
        tracker.update(see(person(100), scores=score))
        assert tracker.update(see(person(121), scores=score)).ids.tolist() == [1]


def test_the_prediction_leads_not_the_last_box():
    """15 pixels a frame for ten frames; then one detection where they go, one where they were."""
    tracker = create_tracker("sort")
    for k in range(10):
        tracker.update(see(person(100 + 15 * k)))
    tracks = tracker.update(see(person(100 + 15 * 9), person(100 + 15 * 10)))
    assert tracks.detection_index[0] == 1


def test_a_missed_frame_makes_a_believed_track_lost_and_a_found_one_believed_at_once():
    tracker = create_tracker("sort")
    for _ in range(5):
        tracker.update(see(person(100)))
    assert tracker.update(nobody()).states.tolist() == [LOST]
    assert tracker.update(see(person(100))).states.tolist() == [CONFIRMED]


@pytest.mark.parametrize("frame_rate", [10, 30])
def test_with_the_papers_max_lost_one_missed_frame_is_survived_two_are_not(frame_rate):
    """T_lost = 1 (section 3.4), here as seconds."""
    for missed, expected in ((1, [1]), (2, [2])):
        tracker = create_tracker("sort", frame_rate=frame_rate, max_lost=1 / frame_rate)
        for _ in range(5):
            tracker.update(see(person(100)))
        for _ in range(missed):
            tracker.update(nobody())
        assert tracker.update(see(person(100))).ids.tolist() == expected


def test_areas_change_at_a_constant_rate_and_shapes_keep():
    """Someone comes nearer: the area grows by 400 square pixels a frame at an aspect ratio of 0.4."""
    tracker = create_tracker("sort", report="filter")
    for k in range(60):
        height = np.sqrt((4000 + 400 * k) / 0.4)
        tracker.update(see((300, 200, 0.4 * height, height)))
    box = tracker.update(nobody()).boxes[0]
    width, height = box[2:] - box[:2]
    assert width * height == pytest.approx(4000 + 400 * 60, rel=0.01)
    assert width / height == pytest.approx(0.4, rel=1e-3)
