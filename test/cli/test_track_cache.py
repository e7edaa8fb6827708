"""``rtreid track --cache``: models run once."""

import json
import shutil

import cv2
import numpy as np
import pytest
from support.models import constant_detector

from rtreid_ros.errors import ConfigError
from rtreid_ros.recordings import open_recordings
from rtreid_ros.recordings.identity import source_identity
from rtreid_ros.recordings.stored import read_arrays, read_stored
from rtreid_ros.sources import open_source
from rtreid_ros.sources.excerpt import Excerpt


@pytest.fixture
def cached(rtreid, models, pictures, tmp_path):
    """Runs with a cache; what the summary says of it, standard output and error."""

    def call(*more, source=pictures, output="out"):
        words = ("--cache", tmp_path / "cache", "--no-video", "--output", tmp_path / output)
        code, out, err = rtreid("track", source, *models, *words, *more)
        assert code == 0, err
        return json.loads((tmp_path / output / "summary.json").read_text())["cache"], out, err

    return call


@pytest.fixture
def no_models(monkeypatch):
    """Nothing may load a model."""

    def refuse(*_, **__):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("rtreid_ros.runtime.ort.OrtSession.__init__", refuse)


def files_of(tmp_path):
    """The files of the cache: detections, embeddings."""
    found = sorted((tmp_path / "cache").rglob("*.npz"), key=lambda path: len(path.parts))
    assert len(found) == 2
    return found


def test_a_second_run_reads_what_the_first_one_made(rtreid, cached, models, pictures, tmp_path, request):
    assert rtreid("track", pictures, *models, "--no-video", "--output", tmp_path / "plain")[0] == 0
    first, out, _ = cached(output="first")
    assert [(stage["read"], stage["made"]) for stage in first.values()] == [(0, 8), (0, 8)]
    assert "detections: 0 frames read, 8 made" in out
    request.getfixturevalue("no_models")
    second, out, _ = cached(output="second")
    assert [(stage["read"], stage["made"]) for stage in second.values()] == [(8, 0), (8, 0)]
    assert "no model ran" in out
    assert "detector.onnx" in out  # whose detections they are
    tracks = (tmp_path / "plain" / "tracks.txt").read_bytes()
    assert len(tracks.splitlines()) == 12
    for name in ("first", "second"):
        assert (tmp_path / name / "tracks.txt").read_bytes() == tracks


def test_another_tracker_uses_the_same_detections(cached, no_models_after, tmp_path):
    cached("--tracker", "bytetrack")
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 1  # nobody looked at anybody
    found, _, _ = cached()  # now somebody does: only the embedder runs
    assert [(stage["read"], stage["made"]) for stage in found.values()] == [(8, 0), (0, 8)]
    no_models_after()
    assert [stage["made"] for stage in cached("--tracker", "bytetrack")[0].values()] == [0]


@pytest.fixture
def no_models_after(request):
    return lambda: request.getfixturevalue("no_models")


def test_another_threshold_or_model_is_another_detector(cached, models, tmp_path):
    cached()
    assert cached("--set", "detector.score_threshold=0.85")[0]["detections"]["made"] == 8
    assert cached()[0]["detections"]["made"] == 0  # and the first one is still there
    other = tmp_path / "other" / "detector.onnx"  # elsewhere, but the same content
    other.parent.mkdir()
    shutil.copy(models[1], other)
    assert cached("--detector", other)[0]["detections"]["made"] == 0
    table = np.zeros((1, 5, 2100), np.float32)
    table[0, :, 0] = 100, 100, 40, 80, 0.95
    constant_detector(models[1], table, metadata={"names": "{0: 'person'}", "task": "detect"})
    assert cached()[0]["detections"]["made"] == 8


def test_a_run_that_was_cut_short_is_gone_on_with(cached, tmp_path):
    found, _, _ = cached("--frames", 3)
    assert found["detections"]["made"] == 3
    found, _, _ = cached("--start", 2)
    assert [(stage["read"], stage["made"]) for stage in found.values()] == [(1, 5), (1, 5)]
    assert cached()[0]["detections"] == {**found["detections"], "read": 8, "made": 0}
    stored = read_stored(files_of(tmp_path)[0])
    assert stored.numbers.tolist() == list(range(1, 9))
    assert stored.frames.tolist() == [number for number in range(1, 9) for _ in range(2)]
    assert stored.class_names == ("person",)


def test_a_changed_source_is_noticed(cached, pictures, tmp_path):
    cached(output="first")
    cv2.imwrite(str(pictures / "3.png"), np.zeros((320, 320, 3), np.uint8))
    found, _, err = cached()
    assert err.count("was made from another source: it is made anew") == 2
    assert [(stage["read"], stage["made"]) for stage in found.values()] == [(0, 8), (0, 8)]
    assert cached()[0]["detections"]["read"] == 8


@pytest.mark.parametrize("damage", ["cut", "bit", "text", "column"])
def test_a_damaged_file_is_noticed_and_made_anew(cached, tmp_path, damage):
    cached(output="first")
    for path in files_of(tmp_path):
        content = bytearray(path.read_bytes())
        if damage == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif damage == "bit":
            name = b"boxes.npy" if b"boxes.npy" in content else b"embeddings.npy"
            content[content.index(name) + len(name) + 140] ^= 16
            path.write_bytes(content)
        elif damage == "text":
            path.write_text("not arrays")
        else:
            with np.load(path) as arrays:
                fewer = {**arrays}
            name = "boxes" if "boxes" in fewer else "embeddings"
            np.savez(path, **{**fewer, name: fewer[name][:-1]})
    found, _, err = cached(output="second")
    assert err.count("is damaged and is made anew") == 2
    assert [stage["made"] for stage in found.values()] == [8, 8]
    first, second = (tmp_path / name / "tracks.txt" for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    assert cached()[0]["detections"]["read"] == 8


def test_cached_rows_are_stored_detections_of_the_sequence(cached, pictures, rtreid, tmp_path):
    """The pictures as a MOTChallenge sequence: the second time trackers need no pictures at all."""
    root = tmp_path / "data" / "S"
    (root / "img1").mkdir(parents=True)
    for path in pictures.iterdir():
        shutil.copy(path, root / "img1" / f"{int(path.stem) + 1:06d}.png")
    (root / "seqinfo.ini").write_text(
        "[Sequence]\nname=S-YOLO\nframeRate=30\nseqLength=8\nimWidth=320\nimHeight=320\nimExt=.png\n"
    )
    cached("--camera-motion", "none", source=root)
    detections, embeddings = files_of(tmp_path)
    (recording,) = open_recordings(root, detections=detections.parent, embeddings=embeddings.parent)
    assert recording.frames[0].detections.embeddings.shape == (2, 3)
    words = ("--detections", detections.parent, "--embeddings", embeddings.parent, "--output", tmp_path / "o")
    code, _, err = rtreid("track", root, *words)
    assert code == 0, err
    assert (tmp_path / "o" / "tracks.txt").read_bytes() == (tmp_path / "out" / "tracks.txt").read_bytes()


def test_an_unusable_cache_folder_is_explained(rtreid, models, pictures, tmp_path):
    code, _, err = rtreid(
        "track",
        pictures,
        *models,
        "--no-video",
        "--quiet",
        "--output",
        tmp_path / "o",
        "--cache",
        "/proc/none",
    )
    assert (code, "/proc/none" in err, "cannot be written" in err) == (2, True, True)


def test_live_sources_have_nothing_to_cache(pictures):
    class Live:
        name = "camera"

    with pytest.raises(ConfigError, match="camera: frames of a live source do not come again"):
        source_identity(Live())


def test_identities_follow_content_not_place(pictures, tmp_path):
    with open_source(str(pictures)) as source:
        here = source_identity(source)
        assert source_identity(Excerpt(source, 2, 3)) == here
    shutil.copytree(pictures, tmp_path / "moved" / "street")
    with open_source(str(tmp_path / "moved" / "street")) as source:
        assert source_identity(source) == here
    (pictures / "7.png").unlink()
    with open_source(str(pictures)) as source:
        assert source_identity(source) != here


def test_the_synthetic_scene_is_cached_by_its_options():
    same = [source_identity(open_source("synthetic:seed=3,people=2,frames=3")) for _ in range(2)]
    other = source_identity(open_source("synthetic:seed=4,people=2,frames=3"))
    assert same[0] == same[1] != other


def test_real_models_and_video_give_the_same_bytes_much_faster(rtreid, shared_data, tmp_path):
    weights = shared_data / "weights"
    words = (
        "track", shared_data / "mot" / "MOT15" / "TUD-Stadtmitte", "--frames", 60, "--no-video",
        "--detector", weights / "det" / "yolox_nano_coco416.onnx",
        "--embedder", weights / "reid" / "osnet_x0_25_msmt17.onnx",
        "--set", "embedder.preprocessing=imagenet", "--camera-motion", "none", "--no-economy",
    )  # fmt: skip
    seconds, tracks = {}, {}
    for name, more in (
        ("plain", ()),
        ("first", ("--cache", tmp_path / "c")),
        ("second", ("--cache", tmp_path / "c")),
    ):
        output = tmp_path / name
        assert rtreid(*words, *more, "--output", output)[0] == 0
        seconds[name] = json.loads((output / "summary.json").read_text())["seconds"]
        tracks[name] = (output / "tracks.txt").read_bytes()
    assert tracks["plain"] == tracks["first"] == tracks["second"]
    assert len(tracks["plain"].splitlines()) > 200
    assert seconds["second"] < seconds["plain"] / 4, seconds


def test_the_cache_holds_all_embeddings_whatever_the_economy_asks_for(cached, tmp_path, request):
    cached("--economy", output="few")
    detections, embeddings = (read_arrays(path) for path in files_of(tmp_path))
    total = len(detections["boxes"])
    assert len(embeddings["embeddings"]) == total > 0
    request.getfixturevalue("no_models")
    cached("--no-economy", output="all")
    counts = {
        name: json.loads((tmp_path / name / "summary.json").read_text())["economy"]["embedded"]
        for name in ("few", "all")
    }
    assert counts["few"] < counts["all"] == total
