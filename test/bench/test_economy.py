"""What the benchmark of the economy measures."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trackeval")
sys.path.append(str(Path(__file__).resolve().parents[2]))

from support.scenes import assert_equal_tracks, crowd

from bench.economy import Figures, play, row, sets, street
from rtreid_ros.recordings import RecordedFrame, Recording, replay
from rtreid_ros.reid.economy import EconomyOptions, EmbeddingEconomy
from rtreid_ros.tracking import create_tracker


def recording():
    scene = crowd(12, 60, seed=2, dim=16)
    frames = tuple(RecordedFrame(k + 1, k / 10, seen) for k, seen in enumerate(scene))
    return Recording("crowd", 10.0, 1500, 1500, frames)


def test_without_economy_it_is_what_a_replay_gives():
    played = play(recording(), "strongsort", EmbeddingEconomy(EconomyOptions(enabled=False)))
    expected = replay(recording(), create_tracker("strongsort", 10.0))
    for one, other in zip(played.tracks, expected.tracks, strict=True):
        assert_equal_tracks(one, other)


def test_the_economy_sees_no_embedding_it_has_not_asked_for():
    """What is not embedded may be anything."""
    frames, economy = [], EmbeddingEconomy()
    whole = play(recording(), "strongsort", economy)
    assert economy.borrowed > 20
    planned = EmbeddingEconomy()
    tracker = create_tracker("strongsort", 10.0)
    for frame in recording().frames:
        seen = frame.detections
        plan = planned.plan(seen, frame.stamp, least_score=tracker.least_score)
        spoilt = np.full_like(seen.embeddings, 0.5)
        spoilt[plan.rows] = seen.embeddings[plan.rows]
        frames.append(RecordedFrame(frame.number, frame.stamp, seen.with_embeddings(spoilt)))
        told = plan.complete(seen.embeddings[plan.rows])
        tracks = tracker.update(seen.with_embeddings(told), stamp=frame.stamp)
        planned.observe(tracks, told, plan, frame.stamp)
    again = play(recording().with_frames(frames), "strongsort", EmbeddingEconomy())
    for one, other in zip(whole.tracks, again.tracks, strict=True):
        assert_equal_tracks(one, other)


def test_a_line_of_the_table():
    counts = {"embedded": 30, "borrowed": 50, "ignored": 20, "left_out": 0}
    two = [Figures((50, 51, 50), (60, 61, 60), counts), Figures((40, 40, 40), (70, 70.5, 69), counts)]
    cells = ["streets", "sort", "30", "50", "20", "45.00", "+0.50", "65.00"]
    cells += ["+0.75 ± 0.25", "-0.50 ± 0.50"]
    assert row("streets", "sort", two) == cells
    assert row("streets", "sort", two[:1])[-2:] == ["+1.00", "+0.00"]


def test_a_street_has_its_ground_truth_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.economy.street_source", lambda seed, shake: f"synthetic:seed={seed},frames=6")
    first = street(tmp_path, 3, 0)
    assert len(first.frames) == first.length == 6
    assert first.truth.frames.max() == 6
    assert first.frames[0].detections.embeddings.shape[0] == len(first.frames[0].detections) > 0
    assert list(tmp_path.rglob("*.npz"))
    again = street(tmp_path, 3, 0)
    np.testing.assert_array_equal(
        first.frames[5].detections.embeddings, again.frames[5].detections.embeddings
    )


def test_sets_whose_data_are_missing_have_no_sequences(tmp_path):
    assert {name: len(loads) for name, (_, loads) in sets(tmp_path, tmp_path, 4).items()} == {
        **dict.fromkeys(("tud", "mot17-05", "mot17-15", "dance"), 0),
        "street": 4,
        "shaken": 4,
    }
