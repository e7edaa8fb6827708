"""Who was followed by which track: the counts are those of the evaluation."""

import numpy as np
import pytest

from rtreid_ros.evaluation.judging import MOT17, PLAIN, FramePair, pair_tables
from rtreid_ros.evaluation.metrics import evaluate, evaluate_pairs
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.reporting.courses import ABSENT, MISSED, follow


def pair(truth, tracks):
    """A frame from {id: x} on both sides; boxes are 10 x 10."""

    def boxes(items):
        return np.array([[x, 0.0, x + 10.0, 10.0] for x in items.values()], np.float64).reshape(-1, 4)

    count = len(truth)
    return FramePair(
        np.array(list(truth), np.int64), boxes(truth), np.ones(count, np.int64), np.ones(count, bool),
        np.array(list(tracks), np.int64), boxes(tracks),
    )  # fmt: skip


def test_a_switch_a_gap_and_a_false_track_are_seen():
    frames = [
        pair({7: 0}, {3: 0}),
        pair({7: 0, 9: 100}, {3: 1}),
        pair({7: 0, 9: 100}, {4: 2, 8: 300}),  # 7 is now followed by 4
        pair({7: 0}, {}),
        pair({7: 0}, {4: 0}),
    ]
    course = follow(frames, PLAIN, "hand-made")
    assert course.truth_ids.tolist() == [7, 9]
    names = course.track_ids
    assert list(course.stretches(0)) == [(0, 0, 2), (1, 2, 3), (MISSED, 3, 4), (1, 4, 5)]
    assert [names[0], names[1]] == [3, 4]
    assert list(course.stretches(1)) == [(MISSED, 1, 3)]
    assert course.partner[1].tolist() == [ABSENT, MISSED, MISSED, ABSENT, ABSENT]
    assert np.argwhere(course.switched).tolist() == [[0, 2]]
    assert course.false_positives.tolist() == [0, 0, 1, 0, 0]
    assert course.false_negatives.tolist() == [0, 1, 1, 1, 0]


def test_who_is_followed_already_keeps_the_track_though_another_lies_closer():
    course = follow([pair({1: 0}, {5: 0}), pair({1: 0}, {5: 3, 6: 0})], PLAIN)
    assert not course.switched.any()
    assert course.false_positives.tolist() == [0, 1]


def _counts(course):
    return int(course.switched.sum()), int(course.false_positives.sum()), int(course.false_negatives.sum())


def _expected(evaluation):
    scores = evaluation.scores
    return scores.id_switches, scores.false_positives, scores.false_negatives


def test_counts_are_those_of_the_evaluation_on_any_input():
    pytest.importorskip("trackeval")
    random = np.random.default_rng(4)
    for _ in range(20):
        frames = [
            pair(
                {int(i): float(x) for i, x in enumerate(random.uniform(0, 40, random.integers(0, 5)))},
                {int(i): float(x) for i, x in enumerate(random.uniform(0, 40, random.integers(0, 5)))},
            )
            for _ in range(30)
        ]
        assert _counts(follow(frames, PLAIN)) == _expected(evaluate_pairs(frames, PLAIN))


@pytest.mark.parametrize("name", ["TUD-Campus", "TUD-Stadtmitte"])
def test_counts_are_those_of_the_evaluation_on_real_results(shared_data, name):
    pytest.importorskip("trackeval")
    folder = shared_data / "metrics" / "motmetrics_TUD" / name
    truth, results = read_mot(folder / "gt.txt"), read_mot(folder / "test.txt")
    length = max(truth.last_frame, results.last_frame)
    course = follow(pair_tables(results, truth, length), MOT17, name)
    assert _counts(course) == _expected(evaluate(results, truth, rules=MOT17))
