"""Global ids judged by hand-made cameras."""

import numpy as np
import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.global_ids import CameraRun, judge_global_ids
from rtreid_ros.types import GroundTruth, Tracks, TrackState

pytest.importorskip("trackeval", reason="TrackEval is not installed here")
BOXES = np.array([[10, 10, 50, 110], [200, 10, 240, 110]], np.float32)


def run(people, local, given, frames=10):
    """A camera in which two people stand still, tracked perfectly."""
    count = len(people)
    truth = GroundTruth(
        np.array(people),
        BOXES[:count],
        np.zeros(count, np.int32),
        np.ones(count, np.float32),
        np.ones(count, bool),
    )
    tracks = Tracks(
        ids=np.array(local),
        boxes=BOXES[:count],
        scores=np.ones(count, np.float32),
        class_ids=np.zeros(count, np.int32),
        states=np.full(count, TrackState.CONFIRMED, np.uint8),
        ages=np.zeros(count, np.float32),
        time_since_update=np.zeros(count, np.float32),
        detection_index=np.arange(count),
        velocities=np.zeros((count, 2), np.float32),
    )
    return CameraRun([truth] * frames, [tracks] * frames, [np.array(given)] * frames)


def test_right_ids_are_perfect_and_local_ids_alone_are_half():
    scores = judge_global_ids({"a": run([1, 2], [1, 2], [7, 8]), "b": run([2, 1], [1, 2], [8, 7])})
    assert (scores.idf1, scores.idf1_local) == (1, 1)
    assert scores.idf1_apart == pytest.approx(0.5)
    assert (scores.link_precision, scores.link_recall, scores.links) == (1, 1, 2)
    assert (scores.identified, scores.people, scores.identities) == (1, 2, 2)


def test_a_wrong_link_costs_precision_and_idf1():
    scores = judge_global_ids({"a": run([1, 2], [1, 2], [7, 8]), "b": run([1, 2], [1, 2], [8, 9])})
    assert scores.link_precision == 0
    assert scores.link_recall == 0
    assert scores.idf1 == pytest.approx(0.5)


def test_who_has_no_id_counts_apart_and_never_as_one_with_others_without():
    scores = judge_global_ids({"a": run([1, 2], [1, 2], [7, 0]), "b": run([1, 2], [1, 2], [7, 0])})
    assert scores.idf1 == pytest.approx(0.75)
    assert (scores.identified, scores.links, scores.link_precision) == (0.5, 1, 1)


def test_frames_must_pair():
    whole = run([1, 2], [1, 2], [7, 8])
    with pytest.raises(ConfigError, match="b: 10 frames of ground truth, 9 of tracks"):
        judge_global_ids({"a": whole, "b": CameraRun(whole.truth, whole.tracks[:9], whole.global_ids)})
    with pytest.raises(ConfigError, match="no camera"):
        judge_global_ids({})
