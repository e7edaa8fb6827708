"""``rtreid eval-reid``."""

import json
import re
import sys

import cv2
import numpy as np
import pytest
import torch
from support.models import mean_color_embedder
from support.reid_export import checkpoint_of

from rtreid_ros.reid.checkpoint import Checkpoint, save_checkpoint
from rtreid_ros.reid.models import create_model
from rtreid_ros.reid.preprocessing import METADATA_KEY, PRESETS, Preprocessing
from rtreid_ros.reid.sides import Sides

UNIT = {METADATA_KEY: Preprocessing("RGB").to_json()}


@pytest.fixture
def market(tmp_path):
    """A small Market-1501: three people of one colour each; the query of person 4 has no right match."""
    root = tmp_path / "market"
    rng = np.random.default_rng(0)
    colours = {2: (200, 60, 60), 4: (60, 200, 60), 7: (60, 60, 200)}

    def write(folder, name, identity):
        path = root / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = rng.integers(-25, 26, (32, 16, 3))
        path.write_bytes(cv2.imencode(".png", (colours[identity] + noise).clip(0, 255).astype(np.uint8))[1])

    for identity in colours:
        write("query", f"{identity:04d}_c1s1_000001_00.jpg", identity)
        for camera in (1, 2, 3):
            if camera == 1 or identity != 4:
                write("bounding_box_test", f"{identity:04d}_c{camera}s1_000009_01.jpg", identity)
    write("bounding_box_test", "-1_c2s1_000010_01.jpg", 2)
    return root


@pytest.fixture
def model(tmp_path):
    return mean_color_embedder(tmp_path / "colour.onnx", metadata=UNIT)


def network(path, size=(32, 16), **changes):
    """A checkpoint of a network that was never trained."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = create_model("osnet_x0_25", 4)
    fields = {"model": "osnet_x0_25", "options": {}, "classes": 4, "cameras": 0, "size": size, **changes}
    save_checkpoint(Checkpoint(preprocessing=PRESETS["imagenet"], weights=net.state_dict(), **fields), path)
    return path


def lines(out):
    """The table by label."""
    rows = [re.split(r"  +", line.strip()) for line in out.splitlines() if line.strip()]
    return {row[0]: row[1:] for row in rows}


def test_a_model_gets_a_line_and_what_was_judged_is_said(rtreid, market, model):
    code, out, err = rtreid("eval-reid", model, "--dataset", "market1501", "--root", market)
    assert code == 0, err
    assert out.startswith("market1501, split official; single-query protocol")
    table = lines(out)
    assert table["model"] == ["Rank-1", "Rank-5", "Rank-10", "mAP", "mINP", "images/s", "MB"]
    assert table["colour.onnx"][:5] == ["100.00"] * 5
    assert "2 queries judged, 1 skipped for want of a right match, 7 in the gallery" in out


def test_each_trick_has_a_line_of_its_own(rtreid, market, model):
    words = ("--flip", "--camera-bias", "--rerank", "--set", "rerank.k1=3", "--set", "camera_bias.ridge=0.5")
    code, out, err = rtreid("eval-reid", model, "--root", market, *words)
    assert code == 0, err
    labels = list(lines(out))[2:-1]
    assert labels == [
        "colour.onnx",
        "+ flip",
        "+ camera bias removed (lambda 0.5)",
        "+ re-ranked (k1 3, k2 6, lambda 0.3)",
    ]


def test_json_is_all_that_is_printed(rtreid, market, model):
    code, out, _ = rtreid("eval-reid", model, "--root", market, "--flip", "--json")
    assert code == 0
    content = json.loads(out)
    (entry,) = content["models"]
    assert (content["dataset"], content["split"], entry["model"]) == ("market1501", "official", "colour.onnx")
    assert [step["tricks"] for step in entry["searches"]] == [[], ["flip"]]
    assert entry["searches"][0]["map"] == 1
    assert (entry["dimensions"], entry["runs_on"]) == (3, "CPUExecutionProvider")


def test_several_models_are_compared_and_a_checkpoint_is_one(rtreid, market, model, tmp_path):
    checkpoint = network(tmp_path / "best.pt")
    out_dir = tmp_path / "out"
    words = ("--root", market, "--output", out_dir, "--features", "--quiet")
    code, out, err = rtreid("eval-reid", model, checkpoint, *words)
    assert code == 0, err
    assert {"colour.onnx", "best.pt"} <= set(lines(out))
    content = json.loads((out_dir / "figures.json").read_text())
    assert [entry["dimensions"] for entry in content["models"]] == [3, 512]
    report = (out_dir / "report.html").read_text()
    assert "Who was found by best.pt" in report
    assert report.count('<figure class="hunt">') == 4  # two queries by each model
    with np.load(out_dir / "colour.onnx.npz") as stored:
        assert stored["query_vectors"].shape == (3, 3)
        assert stored["gallery_identities"].tolist() == [-1, 2, 2, 2, 4, 7, 7, 7]


def test_unreadable_pictures_are_named_and_counted(rtreid, market, model):
    (market / "bounding_box_test" / "0007_c2s1_000009_01.jpg").write_bytes(b"torn")
    code, out, err = rtreid("eval-reid", model, "--root", market)
    assert code == 0
    assert "1 of 8 pictures cannot be read" in err
    assert "0007_c2s1_000009_01.jpg" in err
    assert "6 in the gallery; 1 pictures cannot be read and are left out" in out


def test_tracks_can_be_what_is_found(rtreid, market, model):
    words = ("--set", "judging.protocol=image-to-track")
    code, out, _ = rtreid("eval-reid", model, "--root", market, *words)
    assert code == 0
    assert "colour.onnx (image-to-track)" in lines(out)


def test_the_synthetic_street_needs_no_root(rtreid, model):
    small = ("scenes=1", "held_out_scenes=1", "held_out_people=4", "held_out_per_camera=2")
    words = [word for text in small for word in ("--set", f"dataset.{text}")]
    code, out, err = rtreid("eval-reid", model, "--dataset", "synthetic", *words)
    assert code == 0, err
    assert "queries judged" in out


def test_a_split_for_validation_comes_from_the_training_part(rtreid, market, model):
    names = ["0005_c1s1_000001_00.jpg", "0005_c2s1_000001_00.jpg", "0005_c2s1_000002_00.jpg"]
    source = next((market / "query").iterdir()).read_bytes()
    (market / "bounding_box_train").mkdir()
    for name in names:
        (market / "bounding_box_train" / name).write_bytes(source)
    code, out, _ = rtreid("eval-reid", model, "--root", market, "--split", "mod5")
    assert code == 0
    assert "1 queries judged, 1 skipped for want of a right match, 1 in the gallery" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dataset", "market1502"], "unknown identity data set 'market1502' (did you mean 'market1501'?)"),
        (["--split", "mod6"], "unknown split 'mod6' (did you mean 'mod5'?)"),
        (["--split", "all", "--root", "{}/train_only"], "nothing to judge on by the split 'all': 0 queries"),
        (["--root", "{}/nowhere"], "nowhere: no such folder or .tar file"),
        (["--set", "rerank.k1=9"], "--set rerank.k1 is for --rerank"),
        (["--rerank", "--set", "rerank.k1=many"], "k1 must be an integer >= 1, got 'many'"),
        (["--set", "judging.protokoll=x"], "no option 'protokoll' (did you mean 'protocol'?)"),
        (["--set", "reranking.k1=9"], "no group 'reranking' (did you mean 'rerank'?)"),
        (["--set", "k1=9"], "--set takes GROUP.OPTION=VALUE, got 'k1=9'"),
        (["--features"], "--features needs --output"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(rtreid, market, model, tmp_path, words, message):
    (tmp_path / "train_only" / "bounding_box_train").mkdir(parents=True)
    picture = next((market / "query").iterdir()).read_bytes()
    (tmp_path / "train_only" / "bounding_box_train" / "0005_c1s1_000001_00.jpg").write_bytes(picture)
    given = [word.format(tmp_path) for word in words]
    root = [] if "--root" in given else ["--root", market]
    code, out, err = rtreid("eval-reid", model, *root, *given)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_models_that_cannot_be_used_are_said(rtreid, market, model, tmp_path):
    def complaint(*models):
        code, _, err = rtreid("eval-reid", *models, "--root", market)
        assert code == 2
        return err

    (tmp_path / "torn.pt").write_bytes(b"nothing")
    assert "torn.pt is no checkpoint" in complaint(tmp_path / "torn.pt")
    assert "no checkpoint" in complaint(tmp_path / "absent.pt")
    assert "does not exist" in complaint(tmp_path / "absent.onnx")
    assert "a model is named twice" in complaint(model, model)
    other = network(tmp_path / "other.pt", model="osnet_x1_0")
    assert "the weights do not fit osnet_x1_0" in complaint(other)


def test_a_checkpoint_without_torch_names_the_extra(rtreid, market, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rtreid_ros.reid.models.session", None)
    code, _, err = rtreid("eval-reid", network(tmp_path / "best.pt"), "--root", market)
    assert code == 2
    assert "pip install 'rtreid_ros[train]'" in err


CAMERAS = Sides("camera", ((0, 0), (2, 0)), "market1501")


def test_side_information_has_a_line_below_that_of_the_robot_and_unknown_cameras_are_counted(
    rtreid, market, tmp_path
):
    path = tmp_path / "best.pt"
    save_checkpoint(checkpoint_of(sides=CAMERAS), path)
    words = ("eval-reid", path, "--root", market)
    code, out, err = rtreid(*words, "--side", "--flip")
    assert code == 0, err
    assert list(lines(out))[2:-1] == ["best.pt", "+ side information (camera)", "+ flip"]
    # pictures of c2, the junk too
    assert "7 in the gallery; side information (camera) unknown for 3 of 11" in out
    (entry,) = json.loads(rtreid(*words, "--side", "--json")[1])["models"]
    plain, told = entry["searches"]
    assert entry["side"] == {"kind": "camera", "unknown": 3, "vectors": 11}
    assert (plain["tricks"], told["tricks"]) == ([], ["side information (camera)"])
    (robot,) = json.loads(rtreid(*words, "--json")[1])["models"]
    assert robot["searches"] == [plain]
    assert robot["side"] is None


def test_side_information_of_tracklets_is_told(rtreid, market, tmp_path):
    options = {"frame_network": "resnet18", "frame_options": ("width=0.125",)}
    config = {"data": {"frames": 2}}
    save_checkpoint(checkpoint_of("temporal", config=config, sides=CAMERAS, **options), tmp_path / "clips.pt")
    save_checkpoint(checkpoint_of(sides=CAMERAS), tmp_path / "best.pt")
    words = ("--root", market, "--tracklets", "--side")
    code, out, err = rtreid("eval-reid", tmp_path / "best.pt", tmp_path / "clips.pt", *words)
    assert code == 0, err
    assert out.count("+ side information (camera)") == 2


def test_models_without_side_information_are_refused_before_judging(rtreid, market, model, tmp_path):
    def complaint(path, *words):
        code, out, err = rtreid("eval-reid", path, "--root", market, "--side", *words)
        assert (code, out) == (2, "")
        return err

    path = tmp_path / "best.pt"
    assert "colour.onnx cannot be told which camera a picture is of" in complaint(model)
    assert "best.pt has no side information: it was trained with data.side=none" in complaint(network(path))
    save_checkpoint(checkpoint_of(sides=Sides("camera", ((0, 0),), "msmt17")), path)
    assert "best.pt knows the cameras of msmt17, not those of market1501" in complaint(path)


def clips(path):
    """A checkpoint of a network for clips that was never trained."""
    options = {"frame_network": "osnet_x0_25"}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = create_model("temporal", 4, **options)
    fields = {"model": "temporal", "options": options, "classes": 4, "cameras": 0, "size": (32, 16)}
    config = {"data": {"frames": 2}}
    save_checkpoint(
        Checkpoint(preprocessing=PRESETS["imagenet"], weights=net.state_dict(), config=config, **fields), path
    )
    return path


def test_tracklets_are_searched_for_with_networks_of_pictures_and_of_clips(rtreid, market, model, tmp_path):
    path = clips(tmp_path / "clips.pt")
    words = ("eval-reid", model, path, "--root", market, "--tracklets", "--output", tmp_path / "out")
    code, out, err = rtreid(*words)
    assert code == 0, err
    table = lines(out)
    assert table["colour.onnx (tracklets: all)"][:5] == ["100.00"] * 5
    assert "clips.pt (tracklets: all 2)" in table
    assert (tmp_path / "out" / "report.html").exists()
    code, out, err = rtreid(
        *("eval-reid", model, "--root", market, "--tracklets"),
        *("--set", "tracklets.vector=spaced", "--set", "tracklets.frames=3"),
    )
    assert code == 0, err
    assert "colour.onnx (tracklets: spaced 3)" in lines(out)


def test_clips_without_tracklets_and_flipped_tracklets_are_refused(rtreid, market, model, tmp_path):
    code, _, err = rtreid("eval-reid", clips(tmp_path / "clips.pt"), "--root", market)
    assert code == 2
    assert "clips.pt takes clips: judge tracklets instead of pictures" in err
    code, _, err = rtreid("eval-reid", model, "--root", market, "--tracklets", "--flip")
    assert code == 2
    assert "the flip is for single pictures" in err
    code, _, err = rtreid("eval-reid", model, "--root", market, "--set", "tracklets.frames=3")
    assert code == 2
    assert "--set tracklets.frames is for --tracklets" in err
