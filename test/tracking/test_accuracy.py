"""Accuracy on real detections: no worse than the best known implementation of the same tracker.

The figures are of other implementations on the same detections, as HOTA and IDF1.
"""

import importlib.util
import sys
from argparse import Namespace
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rtreid_ros.evaluation.metrics import combine
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.recordings import open_recordings, replay
from rtreid_ros.recordings.variation import drop_frames
from rtreid_ros.tracking import create_tracker

pytest.importorskip("trackeval")

TOLERANCE = 0.1
LEAST_SCORE = 0.1  # of the detections
FIRST_DANCES = ("dancetrack0004", "dancetrack0007", "dancetrack0014", "dancetrack0019")


@cache
def halves(folder, tools=None, sigma=None):
    """MOT17's second halves with YOLOX detections; `sigma`: with embeddings simulated by the tool."""
    recordings = open_recordings(
        folder, detections="det/det_yolox_x_ablation.txt", part="second-half", min_score=LEAST_SCORE
    )
    if sigma is None:
        return recordings
    bench = measuring_tool(tools)
    asked = Namespace(oracle_embeddings=sigma, seed=0, min_score=LEAST_SCORE, gmc=False, drop=0.0)
    dressed = []
    for recording in recordings:
        sequence = bench.load_sequence(folder / recording.name, bench.SETS["mot17-val"], asked)
        frames = []
        for frame, shown in zip(recording.frames, sequence.frames, strict=True):
            np.testing.assert_array_equal(frame.detections.boxes, shown.boxes)
            frames.append(replace(frame, detections=frame.detections.with_embeddings(shown.embeddings)))
        dressed.append(recording.with_frames(frames))
    return dressed


@cache
def measuring_tool(tools):
    spec = importlib.util.spec_from_file_location("mot_bench", tools / "mot_bench.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["mot_bench"] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def figures(name, recordings, **how):
    """HOTA and IDF1 in percent over all recordings together, a fresh tracker for each."""
    replays = [replay(item, create_tracker(name, item.frame_rate), **how) for item in recordings]
    scores = combine([judge_replay(item) for item in replays], name).scores
    return 100 * np.array([scores.hota, scores.idf1])


@pytest.mark.parametrize(
    ("name", "sigma", "camera_motion", "best_hota", "best_idf1"),
    [
        ("sort", None, False, 69.18, 79.55),
        ("bytetrack", None, False, 69.63, 80.83),
        ("ocsort", None, False, 68.91, 80.01),
        ("botsort", None, False, 70.05, 81.23),
        ("botsort", None, True, 70.53, 81.88),
        ("botsort", 0.05, False, 71.49, 83.17),
        ("botsort", 0.15, False, 70.27, 81.62),
        ("deepocsort", None, False, 68.49, 78.96),
        ("deepocsort", 0.05, False, 70.34, 82.00),
        ("deepocsort", 0.15, False, 70.50, 82.69),
        ("deepocsort", 0.15, True, 70.50, 82.69),  # of others, there are figures without it only
        ("strongsort", 0.05, False, 72.50, 85.75),
        ("strongsort", 0.15, False, 67.35, 76.69),
        ("strongsort", 0.15, True, 67.35, 76.69),
        # no other implementation was measured: with good looks, it must at least be worth more than SORT
        ("deepsort", 0.05, False, 69.18, 79.55),
    ],
)
def test_accuracy_on_the_mot17_validation_halves(
    name, sigma, camera_motion, best_hota, best_idf1, shared_data, shared_tools
):
    recordings = halves(shared_data / "mot" / "MOT17", None if sigma is None else shared_tools, sigma)
    hota, idf1 = figures(name, recordings, camera_motion=camera_motion)
    assert hota >= best_hota - TOLERANCE
    assert idf1 >= best_idf1 - TOLERANCE


@pytest.mark.parametrize(
    ("name", "best_hota", "best_idf1"),
    [("sort", 48.10, 55.09), ("bytetrack", 48.01, 55.72), ("ocsort", 48.17, 55.84)],
)
def test_accuracy_on_public_detections(name, best_hota, best_idf1, shared_data):
    recordings = open_recordings(
        shared_data / "mot" / "MOT17", detections="det/det_public_frcnn.txt", min_score=LEAST_SCORE
    )
    hota, idf1 = figures(name, recordings, camera_motion=False)
    assert hota >= best_hota - TOLERANCE
    assert idf1 >= best_idf1 - TOLERANCE


# ----------------------------------------------------------------- frames dropped


def gain_by_time(name, recordings, seed):
    """HOTA with the real time told less that without, 30 % of the frames gone; no camera motion."""
    thinned = [drop_frames(item, 0.3, seed) for item in recordings]
    told, untold = (
        np.mean([figures(name, [item], real_time=told, camera_motion=False)[0] for item in thinned])
        for told in (True, False)
    )
    return told - untold


@pytest.mark.parametrize("name", ["sort", "bytetrack", "ocsort"])
def test_the_real_time_gains_where_the_camera_moves_and_frames_are_missing(name, shared_data):
    """MOT17-05 and 11, of handheld cameras; the mean over three ways of dropping frames."""
    recordings = [
        item for item in halves(shared_data / "mot" / "MOT17") if item.name in ("MOT17-05", "MOT17-11")
    ]
    assert len(recordings) == 2
    assert np.mean([gain_by_time(name, recordings, seed) for seed in range(3)]) > 0


def test_the_real_time_does_not_lose_among_dancers(shared_data):
    """Four sequences are too few to tell for each tracker: a single exchange of two dancers early on
    is worth more than time is. It is the mean over trackers and sequences that must not lose."""
    recordings = open_recordings(
        shared_data / "mot" / "DanceTrack-val",
        detections="det/det_yolox.txt",
        sequences=FIRST_DANCES,
        min_score=LEAST_SCORE,
    )
    gains = [gain_by_time(name, recordings, seed=0) for name in ("sort", "bytetrack", "ocsort")]
    assert np.mean(gains) >= 0
