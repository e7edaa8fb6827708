"""``rtreid track``: on made models, and the accuracy promised on real input."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rosbags.highlevel import AnyReader
from support.waiting import until

from rtreid_ros.cli.main import main
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.sources.video import VideoSource

ROOT = Path(__file__).resolve().parents[2]


def test_tracks_video_and_summary_are_written(rtreid, models, pictures, tmp_path):
    output = tmp_path / "result"
    code, out, err = rtreid("track", pictures, *models, "--output", output)
    assert code == 0, err
    assert sorted(path.name for path in output.iterdir()) == ["annotated.mp4", "summary.json", "tracks.txt"]
    table = read_mot(output / "tracks.txt")
    assert set(table.ids) == {1, 2}
    assert table.last_frame == 8
    summary = json.loads((output / "summary.json").read_text())
    assert (summary["frames"], summary["ids"], summary["tracker"]["name"]) == (8, 2, "strongsort")
    assert summary["detector"]["model"].endswith("detector.onnx")
    assert "8 frames, 2 ids" in out
    assert str(output / "annotated.mp4") in out
    assert "street: 100%" in err


def test_the_economy_can_be_switched_off_and_says_what_it_did(rtreid, tmp_path):
    found = {}
    for flag in ("--economy", "--no-economy"):
        words = ("synthetic:frames=30,people=6", flag, "--no-video", "--output", tmp_path / flag)
        code, out, err = rtreid("track", *words)
        assert code == 0, err
        found[flag] = json.loads((tmp_path / flag / "summary.json").read_text())["economy"]
        total = sum(found[flag][name] for name in ("embedded", "borrowed", "ignored", "left_out"))
        assert f"economy   {found[flag]['embedded']} of {total} detections embedded" in out
    assert found["--economy"]["borrowed"] > 0 == found["--no-economy"]["borrowed"]
    assert (found["--economy"]["enabled"], found["--no-economy"]["enabled"]) == (True, False)
    code, _, err = rtreid("track", tmp_path, "--detections", "det.txt", "--no-economy")
    assert code == 2
    assert "--economy is for pictures" in err


def test_the_same_input_gives_the_same_bytes(rtreid, models, pictures, tmp_path):
    for name in "ab":
        assert rtreid("track", pictures, *models, "--output", tmp_path / name, "--jsonl", "--quiet")[0] == 0
    for name in ("tracks.txt", "tracks.jsonl", "annotated.mp4"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_camera_motion_is_told_and_shown(rtreid, tmp_path):
    results = {}
    for method in ("none", "sparse_flow", "auto"):
        code, out, err = rtreid(
            *("track", "synthetic:frames=40,people=10,camera_motion=40,frame_rate=10", "--no-video"),
            *("--tracker", "bytetrack", "--camera-motion", method, "--output", tmp_path / method),
        )
        assert code == 0, err
        summary = json.loads((tmp_path / method / "summary.json").read_text())
        assert summary["camera_motion"]["method"] == method
        results[method] = (summary["camera_motion_ms"]["p50"], summary["ids"], "camera    " in out)
    assert results["sparse_flow"][0] > 0
    assert results["sparse_flow"][2]
    assert results["sparse_flow"][1] < results["none"][1]  # fewer people are taken for new ones
    assert results["auto"] == results["none"] == (0, results["none"][1], False)  # ByteTrack's paper has none
    code, _, err = rtreid("track", "synthetic", "--camera-motion", "flow")
    assert code == 2
    assert "method must be one of auto, none, sparse_flow" in err


def test_what_to_write_can_be_chosen(rtreid, models, pictures, tmp_path):
    chosen = ("--no-video", "--jsonl", "--bag", "--bag-storage", "sqlite3", "--bag-images", "raw", "--quiet")
    code, out, err = rtreid("track", pictures, *models, "--output", tmp_path / "o", *chosen)
    assert (code, out, err) == (0, "", "")
    names = sorted(path.name for path in (tmp_path / "o").iterdir())
    assert names == ["bag", "summary.json", "tracks.jsonl", "tracks.txt"]
    with AnyReader([tmp_path / "o" / "bag"]) as reader:
        assert {topic: info.msgcount for topic, info in reader.topics.items()} == {"/image": 8, "/tracks": 8}
    # and the bag is a source again, with the same result
    assert rtreid("track", tmp_path / "o" / "bag", *models, "--output", tmp_path / "p", "--quiet")[0] == 0
    code, _, err = rtreid("track", tmp_path / "o" / "bag", *models, "--output", tmp_path / "o", *chosen)
    assert code == 2
    assert "writing there would replace" in err
    # its rate is that of its stamps, 30 Hz, as that of pictures
    assert (tmp_path / "p" / "tracks.txt").read_bytes() == (tmp_path / "o" / "tracks.txt").read_bytes()


def test_output_goes_to_a_folder_named_after_the_source(rtreid, models, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rtreid("track", pictures, *models, "--no-video")[0] == 0
    assert (tmp_path / "out" / "track" / "street" / "tracks.txt").is_file()


def test_a_part_keeps_its_frame_numbers(rtreid, models, pictures, tmp_path):
    part = ("--start", 3, "--frames", 4, "--no-video", "--quiet", "--set", "tracker.min_hits=1")
    assert rtreid("track", pictures, *models, "--output", tmp_path / "o", *part)[0] == 0
    assert set(read_mot(tmp_path / "o" / "tracks.txt").frames) == {4, 5, 6, 7}


def test_stages_follow_flags_file_and_assignments(rtreid, models, pictures, tmp_path):
    config = tmp_path / "run.yaml"
    config.write_text("tracker: {name: bytetrack, max_lost: 2.5}\ndetector: {score_threshold: 0.85}\n")
    rest = ("--no-video", "--quiet", "--output", tmp_path / "o")
    assert (
        rtreid("track", pictures, *models, "--config", config, "--set", "tracker.min_hits=2", *rest)[0] == 0
    )
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    tracker = summary["tracker"]
    assert (tracker["name"], tracker["max_lost"], tracker["min_hits"]) == ("bytetrack", 2.5, 2)
    assert summary["embedder"] is None  # this tracker does not look
    assert summary["ids"] == 1  # the other one's score is too low


def test_the_embedder_can_be_left_out(rtreid, models, pictures, tmp_path):
    rest = ("--embedder", "none", "--no-video", "--quiet", "--output", tmp_path / "o")
    assert rtreid("track", pictures, *models[:2], *rest)[0] == 0
    summary = json.loads((tmp_path / "o" / "summary.json").read_text())
    assert (summary["embedder"], summary["tracker"]["name"], summary["ids"]) == (None, "strongsort", 2)


def test_options_are_listed_without_a_source(rtreid):
    code, out, _ = rtreid("track", "--options", "--tracker", "bytetrack")
    assert code == 0
    assert "tracker (bytetrack):" in out
    assert "detector.score_threshold=0.1\n" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "say what to track"),
        (["{pictures}", "--detector", "none.onnx"], "none.onnx"),
        (["{pictures}", "--tracker", "bytetrak"], "did you mean 'bytetrack'"),
        (["{pictures}", "--set", "tracker.max_lost=-1"], "max_lost must be a number >= 0"),
        (["{pictures}", "--classes", "persn"], "did you mean 'person'"),
        (["{pictures}", "--topic", "/image"], "is no bag"),
        (["{pictures}", "--frame-rate", "-3"], "frame_rate must be above 0"),
        (["{pictures}", "--frames", "0"], "frames >= 1"),
        (["{pictures}", "--output", "/proc/none"], "cannot be written there"),
        (["synthetic:sed=3"], "did you mean 'seed'"),
    ],
)
def test_wrong_input_ends_with_the_reason(rtreid, models, pictures, words, says):
    given = [str(pictures) if word == "{pictures}" else word for word in words]
    code, _, err = rtreid("track", *(given[:1] if given else []), *models, *given[1:])
    assert code == 2
    assert says in err
    assert "Traceback" not in err


def test_the_built_in_detector_on_real_input_is_warned_about(rtreid, pictures, tmp_path):
    _, _, err = rtreid("track", pictures, "--output", tmp_path / "o", "--no-video", "--quiet")
    assert "knows only the synthetic scene" in err


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_whole_files(models, tmp_path, sent):
    source = "synthetic:people=0,frames=5000,width=320,height=320"
    words = ["track", source, *map(str, models), "--output", str(tmp_path / "o")]
    command = [sys.executable, "-m", "rtreid_ros.cli.main", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    part = tmp_path / "o" / "tracks.partial.txt"
    until(lambda: part.is_file() and part.stat().st_size > 0, 60, "first tracks")
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "interrupted after" in err
    table = read_mot(tmp_path / "o" / "tracks.txt")
    frames = json.loads((tmp_path / "o" / "summary.json").read_text())["frames"]
    assert f"{frames} frames, 2 ids" in out
    assert frames - 1 <= table.last_frame <= frames
    assert len(list(VideoSource(tmp_path / "o" / "annotated.mp4"))) >= frames - 1
    assert not part.exists()


@pytest.fixture(scope="module")
def real_runs(shared_data, tmp_path_factory):
    """Two runs on the real video with real models."""
    folder = tmp_path_factory.mktemp("real")
    weights = shared_data / "weights"
    for name in "ab":
        words = [
            "track",
            shared_data / "mot/MOT15/TUD-Stadtmitte/TUD-Stadtmitte.mp4",
            "--detector",
            weights / "det/yolox_nano_coco416.onnx",
            "--embedder",
            weights / "reid/osnet_x0_25_msmt17.onnx",
            "--output",
            folder / name,
            "--quiet",
        ]
        assert main(list(map(str, words))) == 0
    return folder


def test_real_input_is_tracked_as_accurately_as_promised(real_runs, shared_data, rtreid, tmp_path):
    pytest.importorskip("trackeval")
    truth = shared_data / "mot/MOT15/TUD-Stadtmitte"
    code, out, _ = rtreid("eval", real_runs / "a", "--gt", truth, "--json", tmp_path / "scores.json")
    assert code == 0
    scores = json.loads((tmp_path / "scores.json").read_text())["combined"]
    assert scores["frames"] == 179
    assert scores["mota"] >= 0.70
    assert scores["idf1"] >= 0.75
    assert f"{100 * scores['mota']:.2f}" in out


def test_real_input_gives_the_same_bytes_twice(real_runs):
    for name in ("tracks.txt", "annotated.mp4"):
        first = (real_runs / "a" / name).read_bytes()
        assert len(first) > 10_000
        assert first == (real_runs / "b" / name).read_bytes()
