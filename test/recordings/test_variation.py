"""Halves, dropped frames, simulated appearance."""

import numpy as np
import pytest
from support import sequences

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.recordings import open_recordings, select
from rtreid_ros.recordings.variation import drop_frames, with_simulated_embeddings


def test_a_part_selected_later_is_the_part_loaded(tmp_path):
    root = sequences.write(tmp_path, length=13)
    (whole,) = open_recordings(root)
    for part in ("first-half", "second-half", "all"):
        (loaded,) = open_recordings(root, part=part)
        chosen = select(whole, part)
        assert [(frame.number, frame.stamp) for frame in chosen.frames] == [
            (frame.number, frame.stamp) for frame in loaded.frames
        ]
    with pytest.raises(ConfigError, match="no part 'last'"):
        select(whole, "last")


def test_dropped_frames_are_so_many_and_the_same_each_time():
    recording = sequences.recording(length=2000)
    kept = drop_frames(recording, 0.3, seed=1)
    assert len(kept.frames) == pytest.approx(1400, abs=60)  # three standard deviations
    assert [frame.number for frame in kept.frames] == [
        frame.number for frame in drop_frames(recording, 0.3, seed=1).frames
    ]
    assert [frame.number for frame in kept.frames] != [
        frame.number for frame in drop_frames(recording, 0.3, seed=2).frames
    ]
    assert all(frame.stamp == (frame.number - 1) / 25 for frame in kept.frames)
    assert len(drop_frames(recording, 0).frames) == 2000
    for rate in (-0.1, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="must be in"):
            drop_frames(recording, rate)


def test_camera_motion_over_dropped_frames_adds_up(tmp_path):
    root = sequences.write(tmp_path, length=40)
    rng = np.random.default_rng(3)
    steps = np.eye(2, 3) + rng.normal(0, 0.05, (40, 2, 3)) * [1, 1, 20]
    lines = [f"{index} {' '.join(map(repr, step.ravel().tolist()))}\n" for index, step in enumerate(steps)]
    (root / "gmc.txt").write_text("".join(lines))
    (recording,) = open_recordings(root)
    kept = drop_frames(recording, 0.5, seed=0)
    assert max(np.diff([frame.number for frame in kept.frames])) > 2  # several in a row are gone
    points = np.array([[3.0, 5.0], [100, 7], [40, 300]])
    for before, after in zip(kept.frames, kept.frames[1:], strict=False):
        moved = points
        for number in range(before.number + 1, after.number + 1):
            moved = moved @ steps[number - 1, :, :2].T + steps[number - 1, :, 2]
        told = points @ after.camera_motion[:, :2].T + after.camera_motion[:, 2]
        np.testing.assert_allclose(told, moved, atol=1e-9)


def test_unknown_camera_motion_stays_unknown():
    assert all(frame.camera_motion is None for frame in drop_frames(sequences.recording(), 0.5).frames)


@pytest.fixture
def with_truth(tmp_path):
    root = sequences.write(tmp_path, length=40, people=3)
    with (root / "det" / "det.txt").open("a") as stream:
        stream.write("5,-1,500,300,40,90,0.9\n9,-1,500,300,40,90,0.9\n")  # nobody is there
    (recording,) = open_recordings(root)
    return recording


def test_simulated_embeddings_show_who_it_is(with_truth):
    shown = with_simulated_embeddings(with_truth, 0.02, seed=4)
    vectors = [frame.detections.embeddings for frame in shown.frames]
    assert all(item.dtype == np.float32 and item.shape[1] == 128 for item in vectors)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(vectors), axis=1), 1, atol=1e-6)
    by_person = np.stack([item[:3] for item in vectors])  # frame, person, dimension
    same = np.einsum("fpd,pd->fp", by_person[1:], by_person[0])
    # 128 dimensions of noise 0.02: a cosine of about 1 / (1 + 128 * 0.02 ** 2) = 0.951
    assert same.mean() == pytest.approx(0.951, abs=0.01)
    assert abs(np.einsum("fd,fd->f", by_person[:, 0], by_person[:, 1])).max() < 0.45
    nobody, again = vectors[4][3], vectors[8][3]
    assert abs(nobody @ again) < 0.45
    assert abs(by_person[0] @ nobody).max() < 0.45


def test_simulated_embeddings_do_not_depend_on_the_part(with_truth):
    whole = with_simulated_embeddings(with_truth, 0.1, seed=4)
    half = with_simulated_embeddings(select(with_truth, "second-half"), 0.1, seed=4)
    by_number = {frame.number: frame for frame in whole.frames}
    for frame in half.frames:
        np.testing.assert_array_equal(
            frame.detections.embeddings, by_number[frame.number].detections.embeddings
        )
    other = with_simulated_embeddings(with_truth, 0.1, seed=5, dim=16)
    assert other.frames[0].detections.embeddings.shape == (3, 16)


def test_what_cannot_be_simulated_is_refused(with_truth):
    with pytest.raises(SourceError, match="A: no ground truth"):
        with_simulated_embeddings(sequences.recording(), 0.1)
    for sigma, dim in ((-1, 8), (0.1, 0)):
        with pytest.raises(ConfigError, match="sigma must be at least 0"):
            with_simulated_embeddings(with_truth, sigma, dim=dim)


def test_frames_without_people_have_embeddings_too(tmp_path):
    root = sequences.write(tmp_path, length=3)
    (root / "gt" / "gt.txt").write_text("1,1,12,20,40,90,1,1,1\n")
    (root / "det" / "det.txt").write_text("1,-1,12,20,40,90,1\n3,-1,12,20,40,90,1\n")
    (recording,) = open_recordings(root)
    assert read_mot(root / "gt" / "gt.txt").last_frame == 1
    shapes = [f.detections.embeddings.shape for f in with_simulated_embeddings(recording, 0.1).frames]
    assert shapes == [(1, 128), (0, 128), (1, 128)]
