"""Detections and Tracks: structure of arrays."""

import numpy as np
import pytest

from rtreid_ros.types import Detections, Tracks, TrackState


def test_detections_fill_in_columns_and_select_rows():
    detections = Detections([[0, 0, 2, 2], [1, 1, 3, 4]], [0.5, 0.25])
    assert detections.class_ids.tolist() == [0, 0]
    assert detections[np.array([False, True])].boxes.tolist() == [[1, 1, 3, 4]]


def test_an_empty_frame_has_four_columns():
    assert Detections([], []).boxes.shape == (0, 4)
    assert len(Tracks.empty().confirmed()) == 0


@pytest.mark.parametrize(
    ("boxes", "scores"), [([[0, 0, 1]], [1]), ([[0, 0, 1, 1]], [1, 2]), (np.zeros((1, 1, 4)), [1])]
)
def test_arrays_that_disagree_are_refused(boxes, scores):
    with pytest.raises(ValueError, match=r"boxes|scores"):
        Detections(boxes, scores)


def test_validity_needs_finite_numbers_and_positive_size():
    boxes = [
        [0, 0, 1, 1],
        [np.nan, 0, 1, 1],
        [0, 0, np.inf, 1],
        [1, 1, 1, 2],
        [3, 3, 2, 4],
        [0, 0, 1, 1],
        [0, 0, 1, 1],
    ]
    scores = [0.5, 0.5, 0.5, 0.5, 0.5, np.nan, 1.5]
    assert Detections(boxes, scores).is_valid().tolist() == [True] + [False] * 6


def test_only_confirmed_tracks_go_into_results():
    states = np.array([TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.LOST], np.uint8)
    three = np.arange(3)
    tracks = Tracks(
        ids=three + 1,
        boxes=np.zeros((3, 4), np.float32),
        scores=np.ones(3, np.float32),
        class_ids=three.astype(np.int32),
        states=states,
        ages=np.zeros(3, np.float32),
        time_since_update=np.zeros(3, np.float32),
        detection_index=three,
        velocities=np.zeros((3, 2), np.float32),
    )
    assert tracks.confirmed().ids.tolist() == [2]
