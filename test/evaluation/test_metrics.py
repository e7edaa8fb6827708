"""Scores against published figures, TrackEval's own file path, and cases done by hand."""

import argparse
import contextlib
import importlib.util
import io
import sys

import numpy as np
import pytest

from rtreid_ros.errors import ConfigError, MissingDependencyError, SourceError
from rtreid_ros.evaluation.judging import BENCHMARKS, MOT15, MOT17, PLAIN
from rtreid_ros.evaluation.metrics import combine, evaluate, evaluate_frames
from rtreid_ros.evaluation.mot_text import MotTable, read_mot
from rtreid_ros.evaluation.stamped import StampedEvaluator
from rtreid_ros.types import GroundTruth, Tracks, TrackState

pytest.importorskip("trackeval")


def truth_of(rows, considered=True):
    """GroundTruth from rows of (id, x1, y1, x2, y2)."""
    rows = np.array(rows, np.float64).reshape(-1, 5)
    n = len(rows)
    return GroundTruth(
        ids=rows[:, 0].astype(np.int64),
        boxes=rows[:, 1:].astype(np.float32),
        class_ids=np.ones(n, np.int32),
        visibility=np.ones(n, np.float32),
        considered=np.broadcast_to(considered, n),
    )


def tracks_of(rows, state=TrackState.CONFIRMED):
    rows = np.array(rows, np.float64).reshape(-1, 5)
    n = len(rows)
    return Tracks(
        ids=rows[:, 0].astype(np.int64),
        boxes=rows[:, 1:].astype(np.float32),
        scores=np.ones(n, np.float32),
        class_ids=np.zeros(n, np.int32),
        states=np.full(n, state, np.uint8),
        ages=np.zeros(n, np.float32),
        time_since_update=np.zeros(n, np.float32),
        detection_index=np.arange(n),
        velocities=np.zeros((n, 2), np.float32),
    )


A, B = (0, 0, 10, 20), (100, 0, 110, 20)


@pytest.mark.parametrize(
    ("sequence", "mota", "idf1", "switches", "fp", "fn"),
    [("TUD-Campus", 0.5264624, 0.5576592, 7, 13, 150), ("TUD-Stadtmitte", 0.5640138, 0.6446194, 7, 45, 452)],
)
def test_figures_published_with_py_motmetrics(shared_data, sequence, mota, idf1, switches, fp, fn):
    folder = shared_data / "metrics" / "motmetrics_TUD" / sequence
    scores = evaluate(read_mot(folder / "test.txt"), read_mot(folder / "gt.txt"), name=sequence).scores
    assert scores.mota == pytest.approx(mota, abs=1e-7)
    assert scores.idf1 == pytest.approx(idf1, abs=1e-7)
    assert (scores.id_switches, scores.false_positives, scores.false_negatives) == (switches, fp, fn)


def disturbed(truth, seed):
    """Result lines made from ground truth of all classes: jittered, thinned out, ids changing."""
    rng = np.random.default_rng(seed)
    keep = rng.random(len(truth)) < 0.85
    sizes = np.tile(truth.boxes[:, 2:], 2)
    boxes = (truth.boxes + rng.normal(0, 0.08, truth.boxes.shape) * sizes)[keep]
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 1)
    ids = (truth.ids * 7 + truth.frames // 150)[keep]
    rows = zip(truth.frames[keep], ids, *boxes.T, strict=True)
    return [f"{f},{i},{x:.3f},{y:.3f},{w:.3f},{h:.3f},0.9000,-1,-1,-1" for f, i, x, y, w, h in rows]


@pytest.mark.parametrize(
    ("set_name", "folder", "sequences"),
    [
        ("mot17-frcnn", "mot/MOT17", ("MOT17-02", "MOT17-05")),
        ("dancetrack", "mot/DanceTrack-val", ("dancetrack0026", "dancetrack0004")),
        ("mot15", "mot/MOT15", ("ETH-Bahnhof", "TUD-Stadtmitte")),
    ],
)
def test_equal_to_trackeval_reading_the_same_files(
    shared_data, shared_tools, tmp_path, set_name, folder, sequences
):
    location = importlib.util.spec_from_file_location("mot_bench", shared_tools / "mot_bench.py")
    bench = sys.modules["mot_bench"] = importlib.util.module_from_spec(location)
    location.loader.exec_module(bench)
    spec = bench.SETS[set_name]
    options = argparse.Namespace(seed=0, oracle_embeddings=None, gmc=False, drop=0.0, min_score=0.1)
    (tmp_path / "tracks").mkdir()
    lengths, ours = {}, []
    for name in sequences:
        loaded = bench.load_sequence(shared_data / folder / name, spec, options)
        lengths[name] = len(loaded.frames)
        truth = read_mot(shared_data / folder / name / "gt" / "gt.txt")
        bench.write_ground_truth(tmp_path / "gt" / name / "gt" / "gt.txt", loaded.ground_truth)
        (tmp_path / "tracks" / f"{name}.txt").write_text("\n".join(disturbed(truth, 3)) + "\n")
        results = read_mot(tmp_path / "tracks" / f"{name}.txt")
        ours.append(evaluate(results, truth, name=name, length=lengths[name]))
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = bench.score(tmp_path, lengths, spec)
        together = bench.combine(theirs, list(sequences))
    for mine, reference in zip(
        [*ours, combine(ours)], [*(theirs[n] for n in sequences), together], strict=True
    ):
        for family, figures in reference.items():
            for key, value in figures.items():
                assert np.array_equal(mine.raw[family][key], value), (mine.name, family, key)
        assert 0.2 < mine.scores.hota < 1  # the comparison is about something


def test_perfect_tracks_score_one():
    truth = [truth_of([[1, *A], [2, *B]])] * 3
    scores = evaluate_frames(truth, [tracks_of([[5, *A], [9, *B]])] * 3).scores
    assert (scores.hota, scores.mota, scores.idf1, scores.id_switches) == (1, 1, 1, 0)
    assert (scores.frames, scores.truth_boxes, scores.result_boxes, scores.truth_ids, scores.result_ids) == (
        3,
        6,
        6,
        2,
        2,
    )


def test_swapped_ids_are_two_switches():
    truth = [truth_of([[1, *A], [2, *B]])] * 4
    seen = [tracks_of([[1, *A], [2, *B]])] * 2 + [tracks_of([[2, *A], [1, *B]])] * 2
    scores = evaluate_frames(truth, seen).scores
    assert scores.id_switches == 2
    assert scores.mota == pytest.approx(1 - 2 / 8)
    assert scores.idf1 == pytest.approx(0.5)


def test_only_confirmed_tracks_are_judged():
    truth = [truth_of([[1, *A]])]
    for state in (TrackState.TENTATIVE, TrackState.LOST):
        assert evaluate_frames(truth, [tracks_of([[1, *A], [2, *B]], state)]).scores.result_boxes == 0


def test_a_match_with_a_row_not_considered_is_forgiven_unless_the_benchmark_is_strict():
    truth = [truth_of([[1, *A], [2, *B]], considered=[True, False])]
    seen = [tracks_of([[1, *A], [2, *B]])]
    assert evaluate_frames(truth, seen, rules=PLAIN).scores.false_positives == 0
    assert evaluate_frames(truth, seen, rules=MOT17).scores.false_positives == 1
    assert evaluate_frames(truth, seen, rules=MOT15).scores.truth_boxes == 1


def test_no_tracks_and_no_truth_are_judged_not_refused():
    nothing, someone = truth_of([]), truth_of([[1, *A]])
    missed = evaluate_frames([someone], [Tracks.empty()]).scores
    assert (missed.hota, missed.mota, missed.false_negatives) == (0, 0, 1)
    invented = evaluate_frames([nothing], [tracks_of([[1, *A]])]).scores
    assert (invented.false_positives, invented.truth_boxes) == (1, 0)
    assert evaluate(MotTable.empty(), MotTable.empty()).scores.frames == 0


def test_combining_sums_boxes_instead_of_averaging_ratios():
    good = evaluate_frames(
        [truth_of([[1, *A], [2, *B]])] * 9, [tracks_of([[1, *A], [2, *B]])] * 9, name="good"
    )
    bad = evaluate_frames([truth_of([[1, *A]])] * 2, [Tracks.empty()] * 2, name="bad")
    together = combine([good, bad]).scores
    assert together.mota == pytest.approx(18 / 20)
    assert (together.frames, together.truth_boxes) == (11, 20)


def test_an_id_twice_in_a_frame_is_an_error():
    with pytest.raises(SourceError, match="results: id 4 occurs twice in frame 2"):
        evaluate_frames([truth_of([[1, *A]])] * 2, [tracks_of([[4, *A]]), tracks_of([[4, *A], [4, *B]])])
    with pytest.raises(SourceError, match="ground truth: id 1 occurs twice in frame 1"):
        evaluate_frames([truth_of([[1, *A], [1, *B]])], [Tracks.empty()])


def test_results_after_the_last_frame_are_an_error(shared_data):
    folder = shared_data / "metrics" / "motmetrics_TUD" / "TUD-Campus"
    with pytest.raises(SourceError, match="ground truth go on to frame 71, the sequence has 70"):
        evaluate(read_mot(folder / "test.txt"), read_mot(folder / "gt.txt"), length=70)


def test_frames_that_do_not_pair_up_are_an_error():
    with pytest.raises(ConfigError, match="1 frames of ground truth, 2 of tracks"):
        evaluate_frames([truth_of([])], [Tracks.empty()] * 2)
    with pytest.raises(ConfigError, match="nothing to combine"):
        combine([])


def test_without_trackeval_the_message_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "trackeval", None)
    with pytest.raises(MissingDependencyError, match="pip install trackeval"):
        evaluate_frames([], [])


def test_benchmarks_are_found_by_name():
    assert set(BENCHMARKS) == {"MOT15", "MOT17", "MOT20", "plain"}
    assert 6 in BENCHMARKS["MOT20"].distractors
    assert 6 not in BENCHMARKS["MOT17"].distractors


def test_frames_of_a_running_system_match_by_stamp_in_any_order():
    evaluator = StampedEvaluator()
    for stamp in (30, 10, 20, 40):
        evaluator.add_truth(stamp, truth_of([[1, *A]]))
    for stamp in (20, 10, 30, 99):
        evaluator.add_tracks(stamp, tracks_of([[1 if stamp < 30 else 2, *A]]))
    assert (evaluator.judged, evaluator.without_tracks, evaluator.without_truth) == (3, 1, 1)
    scores = evaluator.evaluation().scores
    assert (scores.frames, scores.id_switches, scores.false_negatives, scores.false_positives) == (4, 1, 1, 0)
    evaluator.add_tracks(10, Tracks.empty())
    assert evaluator.repeated == 1
    assert evaluator.evaluation().scores.false_negatives == 2
