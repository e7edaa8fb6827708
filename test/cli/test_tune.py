"""``rtreid tune``."""

import json
import sys

import pytest
from support.walks import walk

WORDS = ("--tracker", "bytetrack", "--only", "track_threshold,new_track_threshold")


@pytest.fixture
def data(tmp_path):
    pytest.importorskip("optuna")
    pytest.importorskip("trackeval")
    for name in ("a", "b", "c"):
        walk(tmp_path / "data", name, score=0.4)
    return tmp_path / "data"


def test_tracking_with_what_was_found_gives_the_figures_that_were_told(rtreid, data, tmp_path):
    words = ("--trials", 8, "--validate-sequences", "c", "--output", tmp_path / "tuned")
    code, out, _ = rtreid("tune", data, *WORDS, *words)
    assert code == 0
    assert "tuned on: HOTA 0.00 by default" in out
    assert "; a, b" in out
    assert "held out: HOTA 0.00 by default" in out
    assert str(tmp_path / "tuned" / "tracker.yaml") in out
    config = ("--config", tmp_path / "tuned" / "tracker.yaml")
    assert rtreid("track", data, "--detections", "auto", *config, "--output", tmp_path / "out")[0] == 0
    scores = ("--sequences", "a,b", "--json", tmp_path / "scores.json")
    assert rtreid("eval", tmp_path / "out", "--gt", data, *scores)[0] == 0
    told = json.loads((tmp_path / "tuned" / "tuning.json").read_text())["best"]["value"]
    judged = json.loads((tmp_path / "scores.json").read_text())["combined"]["hota"]
    assert judged == pytest.approx(told, abs=1e-12)
    assert judged > 0.9


def test_parts_can_be_held_out(rtreid, data, tmp_path):
    words = ("--trials", 3, "--sequences", "a", "--part", "first-half", "--validate-part", "second-half")
    code, _, _ = rtreid("tune", data, *WORDS, *words, "--output", tmp_path / "tuned")
    assert code == 0
    record = json.loads((tmp_path / "tuned" / "tuning.json").read_text())
    assert [item["last_frame"] for item in record["settings"]["tuned_on"]] == [12]
    assert [item["first_frame"] for item in record["held_out"]] == [14]
    assert record["source"]["part"] == "first-half"


def test_appearance_can_be_made_up(rtreid, data, tmp_path):
    words = ("--tracker", "strongsort", "--only", "momentum", "--trials", 2, "--min-score", 0)
    figures = {}
    for sigma in ("0.05", "3"):
        output = tmp_path / sigma
        code, *_ = rtreid(
            "tune", data, *words, "--simulated-embeddings", sigma, "--output", output, "--quiet"
        )
        assert code == 0
        record = json.loads((output / "tuning.json").read_text())
        figures[sigma] = record["settings"]["tuned_on"][0]["sha256"]
        assert record["source"]["simulated_embeddings"] == float(sigma)
    assert figures["0.05"] != figures["3"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--trials", "0"), "at least one trial is needed, got 0"),
        (("--only", "track_treshold"), "did you mean 'track_threshold'"),
        (("--objective", "hotta"), "did you mean 'hota'"),
        (("--tracker", "bitetrack"), "did you mean 'bytetrack'"),
        (("--sequences", "a", "--validate-sequences", "a"), "both tuned on and held out"),
        (("--validate-sequences", "a,b,c"), "nothing is left to tune on"),
        (("--validate-part", "second-half"), "both tuned on and held out"),
        (("--part", "second"), "did you mean 'second-half'"),
        (("--folds", "1"), "folds must be from 2"),
        (("--detections", "det/none.txt"), "none.txt"),
    ],
)
def test_wrong_words_are_explained(rtreid, data, tmp_path, words, says):
    code, _, err = rtreid("tune", data, *WORDS, "--output", tmp_path / "tuned", *words)
    assert code == 2
    assert says in err


def test_without_ground_truth_there_is_nothing_to_tune_for(rtreid, tmp_path):
    pytest.importorskip("optuna")
    walk(tmp_path / "data", "blind", truth=False)
    code, _, err = rtreid("tune", tmp_path / "data", *WORDS)
    assert code == 2
    assert "blind: no ground truth" in err


def test_without_optuna_the_extra_is_named(rtreid, data, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    code, _, err = rtreid("tune", data, *WORDS)
    assert code == 2
    assert "pip install 'rtreid_ros[tune]'" in err
