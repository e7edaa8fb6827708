"""``rtreid track --detections``: from stored detections to scores."""

import json

import numpy as np
import pytest
from support import kitti, sequences

from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.evaluation.offline import judge_replay
from rtreid_ros.recordings import open_recordings, replay
from rtreid_ros.tracking import create_tracker


def scores_of(rtreid, path, *words):
    code, _, err = rtreid("eval", *words, "--json", path)
    assert code == 0, err
    return json.loads(path.read_text())


def test_a_folder_of_sequences_is_tracked_and_scored(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    for name in "AB":
        sequences.write(tmp_path / "data", name, length=20)
    output = tmp_path / "out"
    code, out, err = rtreid(
        "track", tmp_path / "data", "--detections", "auto", "--tracker", "bytetrack", "--output", output
    )
    assert code == 0, err
    assert sorted(path.name for path in output.iterdir()) == ["A.txt", "B.txt", "summary.json"]
    assert "2 sequences, 40 frames, 2.0 detections per frame, 4 ids" in out
    assert "B: 100%" in err
    summary = json.loads((output / "summary.json").read_text())
    assert (summary["frames"], summary["detections"], summary["ids"]) == (40, 80, 4)
    assert 0 < summary["update_ms"]["p50"] <= summary["update_ms"]["p95"]
    assert summary["sequences"]["A"]["frames"] == 20
    assert summary["tracker"]["name"] == "bytetrack"
    scores = scores_of(rtreid, tmp_path / "scores.json", output, "--gt", tmp_path / "data")
    assert scores["combined"]["idf1"] > 0.95


def test_detections_are_not_replaced_by_their_tracks(rtreid, tmp_path):
    for name in "AB":
        root = sequences.write(tmp_path / "data", name, length=5)
        (tmp_path / "stored").mkdir(exist_ok=True)
        (root / "det" / "det.txt").rename(tmp_path / "stored" / f"{name}.txt")
    words = ("--detections", tmp_path / "stored", "--output", tmp_path / "stored")
    code, _, err = rtreid("track", tmp_path / "data", *words)
    assert code == 2
    assert f"writing there would replace {tmp_path / 'stored' / 'A.txt'}" in err


def test_one_sequence_is_written_as_from_pictures(rtreid, tmp_path, monkeypatch):
    pytest.importorskip("trackeval")
    root = sequences.write(tmp_path, "A", length=20)
    monkeypatch.chdir(tmp_path)
    words = ("track", root, "--detections", "det/det.txt", "--tracker", "bytetrack", "--quiet")
    assert rtreid(*words) == (0, "", "")
    assert read_mot(tmp_path / "out" / "track" / "A" / "tracks.txt").last_frame == 20
    scores = scores_of(rtreid, tmp_path / "scores.json", tmp_path / "out" / "track" / "A", "--gt", root)
    assert scores["combined"]["idf1"] > 0.95


def test_a_half_keeps_its_frame_numbers_and_gives_the_figures_of_a_replay(rtreid, shared_data, tmp_path):
    pytest.importorskip("trackeval")
    data, part = shared_data / "mot" / "MOT17", ("--part", "second-half")
    file, output = "det/det_yolox_x_ablation.txt", tmp_path / "out"
    code, _, err = rtreid(
        "track", data, "--detections", file, *part, "--sequences", "MOT17-05", "--tracker", "bytetrack",
        "--output", output, "--set", "tracker.max_lost=0.8",
    )  # fmt: skip
    assert code == 0, err
    table = read_mot(output / "MOT17-05.txt")
    assert 420 <= table.frames.min() <= 422
    assert table.last_frame == 837
    ours = scores_of(rtreid, tmp_path / "s.json", output, "--gt", data, "--sequences", "MOT17-05", *part)[
        "combined"
    ]
    (recording,) = open_recordings(
        data, detections=file, sequences=("MOT17-05",), part="second-half", min_score=0.1
    )
    played = replay(
        recording, create_tracker("bytetrack", recording.frame_rate, max_lost=0.8), camera_motion=False
    )
    assert ours == judge_replay(played).scores.as_dict()


def test_scores_and_classes_choose_what_is_tracked(rtreid, tmp_path):
    root = sequences.write(tmp_path, "A", length=10, people=3)  # scores 0.9, 0.8, 0.7
    words = (
        "track",
        root,
        "--detections",
        "auto",
        "--tracker",
        "bytetrack",
        "--quiet",
        "--output",
        tmp_path / "o",
    )

    def detections(*more):
        code, _, err = rtreid(*words, *more)
        assert code == 0, err
        return json.loads((tmp_path / "o" / "summary.json").read_text())["detections"]

    assert detections() == 30
    assert detections("--min-score", 0.75) == 20
    assert detections("--set", "detector.score_threshold=0.85") == 10
    code, _, err = rtreid(*words, "--classes", "dog")
    assert (code, "no class 'dog'" in err) == (2, True)
    training, _ = kitti.write(tmp_path, {"0000": 12})
    words = ("track", training, *words[2:])
    everything = detections()
    assert 0 < detections("--classes", "car") < detections("--classes", "car,pedestrian") < everything


def test_kitti_is_tracked_and_scored(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    training, _ = kitti.write(tmp_path, {"0000": 40, "0003": 25})
    output = tmp_path / "out"
    words = ("--tracker", "bytetrack", "--set", "tracker.per_class=true", "--output", output, "--quiet")
    code, _, err = rtreid("track", training, "--detections", "auto", *words)
    assert code == 0, err
    assert (output / "0003.txt").read_text().split()[2] in ("Car", "Pedestrian", "Cyclist")
    scores = scores_of(rtreid, tmp_path / "scores.json", output, "--gt", training)["classes"]
    assert scores["car"]["combined"]["hota"] > 0.3
    assert scores["pedestrian"]["combined"]["hota"] > 0.2


@pytest.fixture
def shaken(tmp_path):
    """People who stand still before a camera that turns by 70 pixels each frame."""
    root = sequences.write(tmp_path, "A", length=20, people=3)
    lines = [
        f"{number},-1,{1000 + 300 * person - 70 * number},50,40,90,0.9,-1,-1,-1\n"
        for number in range(1, 21)
        for person in range(3)
    ]
    (root / "det" / "det.txt").write_text("".join(lines))
    return root


def table_of(rtreid, root, output, *more):
    code, _, err = rtreid("track", root, "--detections", "auto", "--quiet", "--output", output, *more)
    assert code == 0, err
    return read_mot(output / "tracks.txt")


def test_stored_camera_motion_is_used_when_asked_for(rtreid, shaken, tmp_path):
    (shaken / "gmc.txt").write_text("".join(f"{index} 1 0 -70 0 1 0\n" for index in range(20)))
    words = (rtreid, shaken, tmp_path / "out", "--tracker", "bytetrack")
    followed = table_of(*words, "--camera-motion", "stored")
    assert (followed.last_frame, set(followed.ids)) == (20, {1, 2, 3})
    assert len(table_of(*words, "--camera-motion", "none")) < 10
    # auto goes by the paper: ByteTrack's has none
    assert len(table_of(*words)) < 10


def test_embeddings_are_taken_along_or_not(rtreid, tmp_path):
    """Two who change places while nobody looks can be told apart by looks alone."""
    root = sequences.write(tmp_path, "A", length=30, people=2)
    lines, vectors = [], []
    for number in [*range(1, 11), *range(16, 31)]:
        for person in (0, 1):
            place = person if number < 12 else 1 - person
            lines.append(f"{number},-1,{100 + 60 * place},50,40,90,0.9,-1,-1,-1\n")
            vectors.append(np.eye(4)[person])
    (root / "det" / "det.txt").write_text("".join(lines))
    np.savez(root / "emb.npz", embeddings=np.array(vectors, np.float32))

    def left_at(table, number):
        here = table.frames == number
        return dict(zip(table.ids[here].tolist(), table.boxes[here, 0].tolist(), strict=True))

    words = (rtreid, root, tmp_path / "out", "--tracker", "strongsort", "--embeddings", "emb.npz")
    seen = table_of(*words)
    assert left_at(seen, 10) == {1: 100, 2: 160}
    assert left_at(seen, 30) == {1: 160, 2: 100}
    assert left_at(table_of(*words, "--embedder", "none"), 30) == {1: 100, 2: 160}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--detections", "det/none.txt"], "no detections 'det/none.txt'"),
        (["--detections", "auto"], "several detection files, say which: det/a.txt, det/b.txt"),
        (["--detections", "det/a.txt", "--sequences", "C"], "no sequence 'C'"),
        (["--detections", "det/a.txt", "--bag"], "--bag is for pictures"),
        (["--detections", "det/a.txt", "--cache", "c"], "--cache is for pictures"),
        (["--detections", "det/a.txt", "--frame-rate", "5"], "--frame-rate is for pictures"),
        (["--detections", "det/a.txt", "--detector", "x.onnx"], "--detector is for pictures"),
        (["--detections", "det/a.txt", "--camera-motion", "ecc"], "camera motion by ecc needs pictures"),
        (["--detections", "det/a.txt", "--camera-motion", "stored"], "A: no gmc.txt"),
        (["--detections", "det/a.txt", "--embeddings", "none.npz"], "no embeddings 'none.npz'"),
        (["--detections", "det/a.txt", "--part", "third"], "invalid choice: 'third'"),
        (["--detections", "det/a.txt", "--output", "/proc/none"], "cannot be written there"),
        (["--part", "first-half"], "--part is for stored detections; give --detections too"),
        (["--min-score", "0.3"], "--min-score is for stored detections"),
        (["--camera-motion", "stored"], "must be one of auto, none"),
    ],
)
def test_wrong_input_ends_with_the_reason(rtreid, tmp_path, words, says):
    sequences.write(tmp_path / "data", "A", detections=("a", "b"))
    code, _, err = rtreid("track", tmp_path / "data", *words, "--tracker", "bytetrack")
    assert code == 2
    assert says in err
    assert "Traceback" not in err


def test_a_sequence_too_short_for_a_half_is_refused(rtreid, tmp_path):
    root = sequences.write(tmp_path, "A", length=1)
    code, _, err = rtreid("track", root, "--detections", "auto", "--part", "second-half")
    assert (code, "second-half of its 1 frames is none" in err) == (2, True)
