"""``rtreid demo``: the whole graph in processes of its own."""

import json
import subprocess
import sys

import pytest
from rosbags.highlevel import AnyReader

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed here")
pytest.importorskip("rtreid_ros.msg", reason="our messages are not built: make build")


def _demo(*words, name="demo"):
    command = [sys.executable, "-m", "rtreid_ros.cli.main", name, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


def test_it_tracks_the_street_and_judges_it(tmp_path):
    done = _demo("--source", "synthetic:frames=90,people=8", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    wanted = {"hota", "mota", "idf1", "id_switches", "latency_ms_p50", "latency_ms_p99", "frames", "dropped"}
    assert wanted <= set(metrics)
    assert metrics["frames"] == 90
    assert 0 < metrics["hota"] <= 1
    assert 0 < metrics["latency_ms_p50"] <= metrics["latency_ms_p99"]
    for row in (f"HOTA {metrics['hota']:.3f}", f"frames dropped {metrics['dropped']}"):
        assert row in " ".join(done.stdout.split())

    tracked = {line.split(",")[0] for line in (tmp_path / "tracks.txt").read_text().splitlines()}
    assert 0 < len(tracked) <= 90 - metrics["dropped"]
    with AnyReader([tmp_path / "bag"]) as bag:
        assert {"/image", "/tracks", "/ground_truth"} <= {c.topic for c in bag.connections}
    assert (tmp_path / "annotated.mp4").stat().st_size > 10_000
    assert (tmp_path / "preview.jpg").exists()


def test_lossless_it_gives_the_bytes_of_rtreid_track(tmp_path):
    source = "synthetic:frames=60,people=8"
    done = _demo("--lossless", "--source", source, "--output", tmp_path / "graph")
    assert done.returncode == 0, done.stderr
    options = ("--set", "tracker.max_lost=8", "--no-video", "--output", tmp_path / "one")
    assert _demo(source, *options, name="track").returncode == 0
    tracks = (tmp_path / "graph" / "tracks.txt").read_bytes()
    assert tracks.count(b"\n") > 60
    assert tracks == (tmp_path / "one" / "tracks.txt").read_bytes()
    metrics = json.loads((tmp_path / "graph" / "metrics.json").read_text())
    assert metrics["dropped"] == 0
    assert metrics["latency_ms_p50"] is None


def test_results_of_an_earlier_demo_are_not_mixed_with_a_new_one(tmp_path):
    for name in ("metrics.json", "mine.txt"):
        (tmp_path / name).write_text("old")
    done = _demo("--composed", "--source", "synthetic:frames=30,people=4", "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "metrics.json").read_text())["frames"] == 30
    assert (tmp_path / "mine.txt").read_text() == "old"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--source", "nowhere.mp4"), "nowhere.mp4"),
        (("--source", "synthetic:peple=3"), "did you mean 'people'"),
        (("--domain-id", "500"), "from 0 to 101"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_starts(tmp_path, words, message):
    done = _demo("--output", tmp_path / "new", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new" / "log").exists()


def test_a_model_that_does_not_load_ends_the_demo_with_the_reason(tmp_path):
    done = _demo("--detector", "missing.onnx", "--source", "synthetic:frames=30", "--output", tmp_path)
    assert done.returncode == 2
    assert "detector_node ended" in done.stderr
    assert "missing.onnx" in done.stderr
