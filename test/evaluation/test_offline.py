"""Replays judged in memory, beside the result files they would leave."""

import json
import logging
import sys

import pytest
from support import kitti, sequences

from rtreid_ros.errors import SourceError
from rtreid_ros.evaluation.batch import judge_jobs
from rtreid_ros.evaluation.judging import KITTI_CAR
from rtreid_ros.evaluation.kitti_text import kitti_tracks_text
from rtreid_ros.evaluation.metrics import evaluate
from rtreid_ros.evaluation.mot_folder import find_jobs
from rtreid_ros.evaluation.mot_text import read_mot, tracks_text
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.recordings import open_recordings, replay
from rtreid_ros.recordings.variation import drop_frames
from rtreid_ros.tracking import create_tracker

pytest.importorskip("trackeval")


def played(recording, **options):
    return replay(recording, create_tracker("bytetrack", recording.frame_rate, **options))


def test_figures_are_those_of_the_result_file(shared_data, tmp_path):
    folder = shared_data / "mot" / "MOT17"
    (recording,) = open_recordings(
        folder,
        detections="det/det_yolox_x_ablation.txt",
        sequences=("MOT17-05",),
        part="second-half",
        min_score=0.1,
    )
    result = played(recording)
    lines = [tracks_text(f.number, t) for f, t in zip(recording.frames, result.tracks, strict=True)]
    (tmp_path / "MOT17-05.txt").write_text("".join(lines))
    (verdict,), _ = judge_jobs(find_jobs(tmp_path, folder, ("MOT17-05",)), part="second-half")
    assert judge_replay(result).scores == verdict.combined.scores
    assert 0.5 < verdict.combined.scores.hota < 0.8


@pytest.mark.parametrize("rate", [0, 0.3])
def test_figures_are_those_of_the_measuring_script(shared_data, shared_tools, tmp_path, monkeypatch, rate):
    """Also with frames dropped: truth of frames that were not played does not count."""
    monkeypatch.syspath_prepend(str(shared_tools))
    import mot_bench  # noqa: PLC0415

    monkeypatch.delitem(sys.modules, "mot_bench")
    folder = shared_data / "mot" / "MOT17"
    words = ["--data", folder, "--set", "mot17-val", "--tracker", "rtreid:bytetrack", "--out", tmp_path]
    words += ["--sequences", "MOT17-11", "--drop", rate, "--timestamps"]
    disabled = logging.root.manager.disable
    try:
        mot_bench.main([str(word) for word in words])
    finally:
        logging.disable(disabled)
    theirs = json.loads((tmp_path / "results.jsonl").read_text())
    (recording,) = open_recordings(
        folder,
        detections="det/det_yolox_x_ablation.txt",
        sequences=("MOT17-11",),
        part="second-half",
        min_score=0.1,
    )
    recording = drop_frames(recording, rate, seed=0)
    assert len(recording.frames) == theirs["frames"]
    tracker = create_tracker("bytetrack", recording.frame_rate)
    ours = judge_replay(replay(recording, tracker, camera_motion=False)).scores
    figures = theirs["per_sequence"]["MOT17-11"]
    pairs = {"HOTA": "hota", "DetA": "det_a", "AssA": "ass_a", "MOTA": "mota", "IDF1": "idf1"}
    for name, own in pairs.items():
        assert round(100 * getattr(ours, own), 3) == figures[name], name
    assert (ours.id_switches, ours.false_positives) == (figures["IDSW"], figures["FP"])


def test_only_frames_that_were_played_are_judged(tmp_path):
    root = sequences.write(tmp_path, length=20, people=3)
    (recording,) = open_recordings(root)
    scores = judge_replay(played(recording.with_frames(recording.frames[5:15]), min_hits=1)).scores
    assert (scores.frames, scores.truth_boxes, scores.false_positives) == (10, 30, 0)
    assert scores.mota == 1


def test_kitti_is_judged_class_by_class(tmp_path):
    training, _ = kitti.write(tmp_path, {"0000": 40})
    (recording,) = open_recordings(training, min_score=0.6)
    result = played(recording, per_class=True)
    (tmp_path / "own").mkdir()
    lines = [
        kitti_tracks_text(frame.number, tracks, recording.class_names)
        for frame, tracks in zip(recording.frames, result.tracks, strict=True)
    ]
    (tmp_path / "own" / "0000.txt").write_text("".join(lines))
    verdicts, _ = judge_jobs(find_jobs(tmp_path / "own", training))
    by_class = {verdict.class_name: verdict.combined.scores for verdict in verdicts}
    assert judge_replay(result, KITTI_CAR).scores == by_class["car"]
    both = judge_replay(result).scores
    assert both.truth_boxes == by_class["car"].truth_boxes + by_class["pedestrian"].truth_boxes
    assert both.true_positives > 0


def test_without_truth_there_is_nothing_to_judge():
    with pytest.raises(SourceError, match="A: no ground truth to judge by"):
        judge_replay(played(sequences.recording()))


def test_nobody_tracked_is_everybody_missed(tmp_path):
    root = sequences.write(tmp_path, length=4)
    (root / "det" / "det.txt").write_text("")
    (recording,) = open_recordings(root)
    scores = judge_replay(played(recording)).scores
    assert (scores.hota, scores.false_negatives) == (0, 8)
    truth = read_mot(root / "gt" / "gt.txt")
    assert evaluate(truth, truth).scores.hota == 1
