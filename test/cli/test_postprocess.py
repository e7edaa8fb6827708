"""``rtreid postprocess`` and what ``rtreid train-aflink`` says before it trains."""

import re
import sys
from pathlib import Path

import pytest

import rtreid_ros
from rtreid_ros.evaluation.mot_text import read_mot

GAP = "1,1,10,20,30,60,0.9,-1,-1,-1\n4,1,40,20,30,60,0.6,-1,-1,-1\n"


@pytest.fixture
def results(tmp_path):
    (tmp_path / "tracks.txt").write_text(GAP)
    return tmp_path / "tracks.txt"


def walk(first, last, track, rate=1):
    return "".join(f"{f},{track},{100 + 3 * f * rate},500,64,160,0.9,-1,-1,-1\n" for f in range(first, last))


def test_a_file_is_filled_and_the_summary_says_so(rtreid, results, tmp_path):
    code, out, _ = rtreid("postprocess", results, tmp_path / "deep" / "out.txt", "--interpolate", "linear")
    assert code == 0
    table = read_mot(tmp_path / "deep" / "out.txt")
    assert table.frames.tolist() == [1, 2, 3, 4]
    assert table.boxes[:, 0].tolist() == [10, 20, 30, 40]
    header, row, *_ = out.splitlines()
    assert dict(zip(header.split()[1:], row.split()[1:], strict=True)) == {
        "tracks": "1", "linked": "0", "left": "1", "boxes": "2", "filled": "2",
    }  # fmt: skip


def test_a_limit_shorter_than_the_gap_leaves_it(rtreid, results, tmp_path):
    for limit, frames in ((1, [1, 4]), (2, [1, 2, 3, 4])):
        words = ("postprocess", results, tmp_path / "out.txt", "--max-gap", limit, "--quiet")
        assert rtreid(*words)[:2] == (0, "")
        assert read_mot(tmp_path / "out.txt").frames.tolist() == frames


def test_a_folder_keeps_its_shape(rtreid, tmp_path):
    source = tmp_path / "in"
    for name in ("A.txt", "B/tracks.txt", "C/C.txt", "D/test.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(GAP)
    (source / "B" / "gt.txt").write_text("no results")
    code, out, err = rtreid("postprocess", source, tmp_path / "out")
    assert code == 0
    assert "postprocess: 100%" in err
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.txt"))
    assert written == ["A.txt", "B/tracks.txt", "C/C.txt", "D/test.txt"]
    assert [line.split()[0] for line in out.splitlines()[1:5]] == ["A", "B", "C", "D"]


def test_a_track_folder_gives_its_tracks_alone(rtreid, results, tmp_path):
    (tmp_path / "gt.txt").write_text("not a result")
    assert rtreid("postprocess", tmp_path, tmp_path / "out")[0] == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["tracks.txt"]


def test_linking_can_be_left_out(rtreid, tmp_path):
    (tmp_path / "a.txt").write_text(walk(1, 60, 1) + walk(68, 130, 2))
    for flag, ids in (("--link", {1}), ("--no-link", {1, 2})):
        assert rtreid("postprocess", tmp_path / "a.txt", tmp_path / "out.txt", flag)[0] == 0
        assert set(read_mot(tmp_path / "out.txt").ids) == ids


def test_rate_and_size_come_from_the_sequence_and_flags_overrule_it(rtreid, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "walk.txt").write_text(walk(1, 40, 1, 3) + walk(52, 80, 2, 3))
    sequence = tmp_path / "data" / "walk"
    sequence.mkdir(parents=True)
    (sequence / "seqinfo.ini").write_text(
        "[Sequence]\nname=walk\nframeRate=10\nseqLength=80\nimWidth=1920\nimHeight=1080\n"
    )
    # 13 frames at 10 per second are more than the second that may be linked over
    for words, linked in (
        (("--gt", tmp_path / "data"), "0"),
        (("--sequences-from", sequence), "0"),
        (("--gt", tmp_path / "data", "--frame-rate", 30, "--size", "4000x3000"), "1"),
        (("--gt", tmp_path / "data", "--frame-rate", 30), "0"),  # 117 pixels are too far for that size
    ):
        code, out, _ = rtreid(
            "postprocess", tmp_path / "in", tmp_path / "out", "--link-confidence", 0, *words
        )
        assert code == 0
        assert out.splitlines()[1].split()[2] == linked, words


def test_an_empty_file_gives_an_empty_file(rtreid, tmp_path):
    (tmp_path / "a.txt").write_text("")
    assert rtreid("postprocess", tmp_path / "a.txt", tmp_path / "out.txt")[0] == 0
    assert (tmp_path / "out.txt").read_text() == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("{}/none.txt", "{}/out.txt"), "no such file or folder"),
        (("{}/empty", "{}/out"), "no results; looked for"),
        (("{}/tracks.txt", "{}/tracks.txt"), "would overwrite"),
        (("{}/tracks.txt", "{}/empty"), "is a folder"),
        (("{}/tracks.txt", "{}/out.txt", "--max-gap", "-3"), "max_gap must be an integer >= 0, got -3"),
        (("{}/tracks.txt", "{}/out.txt", "--max-gap", "few"), "max_gap must be an integer >= 0, got 'few'"),
        (("{}/tracks.txt", "{}/out.txt", "--interpolate", "cubic"), "must be one of none, linear, gaussian"),
        (("{}/tracks.txt", "{}/out.txt", "--frame-rate", "0"), "frame_rate must be a number"),
        (("{}/tracks.txt", "{}/out.txt", "--size", "0x5"), "such as 1920x1080, got '0x5'"),
        (("{}/tracks.txt", "{}/out.txt", "--link-model", "{}/none.onnx"), "does not exist"),
        (("{}/tracks.txt", "{}/out.txt", "--link-model", "{models}/reid_synthetic.onnx"), "is no link model"),
        (("{}/tracks.txt", "{}/out.txt", "--no-link", "--interpolate", "none"), "nothing to do"),
        (("{}/tracks.txt", "{}/out.txt", "--gt", "{}/empty"), "no {name}/seqinfo.ini there"),
        (("{}/twice.txt", "{}/out.txt"), "twice.txt: id 1 occurs twice in frame 1"),
        (("{}/tracks.txt", "{}/twice.txt/out.txt"), "cannot be written"),
    ],
)
def test_what_is_wrong_is_explained(rtreid, results, tmp_path, words, says):
    (tmp_path / "empty").mkdir()
    (tmp_path / "twice.txt").write_text("1,1,0,0,9,9,1\n1,1,5,5,9,9,1\n")
    models = Path(rtreid_ros.__file__).parent / "models"
    code, _, err = rtreid("postprocess", *(word.format(tmp_path, models=models) for word in words))
    assert code == 2
    assert says.format(name=tmp_path.name) in err


def test_help_teaches(rtreid):
    for command in ("postprocess", "train-aflink"):
        code, out, _ = rtreid(command, "--help")
        assert code == 0
        assert "examples:" in out
    assert re.search(
        r"--max-gap INT\s+most frames missing in a row that are filled\s+\(default:\s+20\)",
        rtreid("postprocess", "--help")[1],
    )


def test_training_without_torch_names_the_extra(rtreid, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "rtreid_ros.postprocess.aflink.training", raising=False)
    (tmp_path / "gt").mkdir()
    rows = "".join(f"{f},{i},{f},{i},9,9,1,1,1\n" for f in range(1, 21) for i in range(1, 9))
    (tmp_path / "gt" / "gt.txt").write_text(rows)
    (tmp_path / "seqinfo.ini").write_text("[Sequence]\nname=a\nframeRate=30\nseqLength=20\n")
    code, _, err = rtreid("train-aflink", tmp_path, "--output", tmp_path / "a.onnx")
    assert code == 2
    assert "pip install 'rtreid_ros[train]'" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("{}/none", "--output", "a.onnx"), "no ground truth; looked for"),
        (("{}", "--output", "a.pt"), "must end in .onnx"),
        (("{}", "--output", "a.onnx", "--epochs", "0"), "epochs must be an integer >= 1, got 0"),
    ],
)
def test_what_is_wrong_with_training_is_explained(rtreid, tmp_path, words, says):
    code, _, err = rtreid("train-aflink", *(word.format(tmp_path) for word in words))
    assert code == 2
    assert says in err
