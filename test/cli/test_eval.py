"""``rtreid eval``."""

import json
import sys

import pytest


@pytest.fixture
def figures(shared_data):
    pytest.importorskip("trackeval")
    return shared_data / "metrics" / "motmetrics_TUD"


def test_a_folder_of_sequences_gets_a_row_each_and_one_combined(rtreid, figures, tmp_path):
    code, out, _ = rtreid("eval", figures, "--gt", figures, "--json", tmp_path / "deep" / "scores.json")
    assert code == 0
    rows = [line.split() for line in out.splitlines()]
    assert [row[0] for row in rows] == ["sequence", "TUD-Campus", "TUD-Stadtmitte", "COMBINED"]
    columns = rows[0]
    assert rows[1][columns.index("MOTA")] == "52.65"
    assert rows[2][columns.index("IDF1")] == "64.46"
    assert rows[3][columns.index("IDSW")] == "14"
    scores = json.loads((tmp_path / "deep" / "scores.json").read_text())
    assert scores["sequences"]["TUD-Campus"]["mota"] == pytest.approx(0.5264624, abs=1e-7)
    assert scores["sequences"]["TUD-Stadtmitte"]["idf1"] == pytest.approx(0.6446194, abs=1e-7)
    assert scores["combined"]["id_switches"] == 14


def test_two_files_give_one_row(rtreid, figures):
    folder = figures / "TUD-Campus"
    code, out, _ = rtreid("eval", folder / "test.txt", "--gt", folder / "gt.txt")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["sequence", "TUD-Campus"]


def test_sequences_can_be_chosen(rtreid, figures):
    code, out, _ = rtreid("eval", figures, "--gt", figures, "--sequences", "TUD-Campus")
    assert code == 0
    assert "Stadtmitte" not in out


def test_rules_change_what_counts(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    # the second person is not to be judged
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,20,1,1,1\n1,2,50,0,10,20,0,1,1\n")
    (tmp_path / "tracks.txt").write_text("1,1,0,0,10,20,1,-1,-1,-1\n1,2,50,0,10,20,1,-1,-1,-1\n")
    false_positives = {}
    for rules in ("auto", "plain"):
        words = ("eval", tmp_path, "--gt", tmp_path, "--rules", rules, "--json", tmp_path / f"{rules}.json")
        assert rtreid(*words)[0] == 0
        scores = json.loads((tmp_path / f"{rules}.json").read_text())
        false_positives[rules] = scores["combined"]["false_positives"]
    assert false_positives == {"auto": 1, "plain": 0}


@pytest.mark.parametrize(
    ("results", "says"),
    [
        ("1,1,0,0,x,1\n", "line 1: not all numbers"),
        ("1,1,0,0,1,1\n1,1,5,5,1,1\n", "id 1 occurs twice in frame 1"),
    ],
)
def test_wrong_results_are_explained(rtreid, tmp_path, results, says):
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,20,1,1,1\n")
    (tmp_path / "tracks.txt").write_text(results)
    code, _, err = rtreid("eval", tmp_path, "--gt", tmp_path)
    assert code == 2
    assert says in err


def test_missing_paths_and_places_are_explained(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    code, _, err = rtreid("eval", tmp_path / "none", "--gt", tmp_path)
    assert (code, "no such file or folder" in err) == (2, True)
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,20,1,1,1\n")
    (tmp_path / "tracks.txt").write_text("")
    code, _, err = rtreid("eval", tmp_path, "--gt", tmp_path, "--json", "/proc/none/x.json")
    assert (code, "cannot be written" in err) == (2, True)


def test_without_trackeval_the_extra_is_named(rtreid, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trackeval", None)
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,20,1,1,1\n")
    (tmp_path / "tracks.txt").write_text("")
    code, _, err = rtreid("eval", tmp_path, "--gt", tmp_path)
    assert code == 2
    assert "pip install 'rtreid_ros[eval]'" in err
