"""A whole tuning run, on people walking straight on."""

import json
import logging

import pytest
from support.walks import walk

from rtreid_ros.cli.settings import read_settings
from rtreid_ros.errors import ConfigError
from rtreid_ros.recordings import open_recordings
from rtreid_ros.tuning import tuner
from rtreid_ros.tuning.result import Setup, summary
from rtreid_ros.tuning.tuner import tune

ONLY = ("track_threshold", "new_track_threshold")


@pytest.fixture(autouse=True)
def _packages():
    pytest.importorskip("optuna")
    pytest.importorskip("trackeval")


@pytest.fixture
def dim(tmp_path):
    """Three sequences whose detections ByteTrack's published thresholds leave out: all score 0.4."""
    for name, people in (("dim-a", 2), ("dim-b", 3), ("dim-c", 4)):
        walk(tmp_path / "data", name, people, score=0.4)
    return open_recordings(tmp_path / "data")


def _setup(recordings, **more):
    return Setup("bytetrack", recordings, **{"only": ONLY, "trials": 10, **more})


def test_a_ruinous_default_is_found_out_and_mended(dim, tmp_path):
    tuning = tune(_setup(dim[:2], held_out=dim[2:], trials=12), output=tmp_path)
    assert tuning.trials["all"][0].value == 0
    assert tuning.best.value > 0.9
    assert tuning.best.options["new_track_threshold"] <= 0.4
    on, held = tuning.comparisons
    assert (on.held_out, held.held_out) == (False, True)
    assert [item.name for item in held.tuned.evaluations] == ["dim-c"]
    assert held.default.combined.scores.hota == 0
    assert held.gain("hota") > 0.9
    assert "held out: HOTA 0.00 by default" in summary(tuning)


def test_the_file_it_writes_is_a_configuration(dim, tmp_path):
    tuning = tune(_setup(dim), output=tmp_path)
    settings = read_settings(tmp_path / "tracker.yaml")
    assert settings.tracker == "bytetrack"
    for name, value in tuning.best.options.items():
        assert getattr(settings.tracker_options, name) == value
    assert "nothing was held out" in (tmp_path / "tracker.yaml").read_text()


def test_the_record_says_how_it_was_made(dim, tmp_path):
    tuning = tune(_setup(dim[:2], held_out=dim[2:], seed=7, source={"part": "all"}), output=tmp_path)
    record = json.loads((tmp_path / "tuning.json").read_text())
    settings = record["settings"]
    assert (settings["tracker"], settings["objective"], settings["seed"]) == ("bytetrack", "hota", 7)
    assert [item["name"] for item in settings["tuned_on"]] == ["dim-a", "dim-b"]
    assert [item["frames"] for item in record["held_out"]] == [24]
    assert [item["name"] for item in settings["space"]] == list(ONLY)
    assert record["source"] == {"part": "all"}
    assert {"python", "rtreid_ros", "numpy", "optuna", "trackeval"} <= record["versions"].keys()
    assert len(record["studies"]["all"]) == 10
    assert record["best"]["options"] == tuning.best.options
    on, held = record["comparisons"]
    assert on["tuned"]["combined"]["hota"] == pytest.approx(tuning.best.value)
    assert held["held_out"] is True


def test_the_same_seed_gives_the_same_result(dim):
    first, again = (tune(_setup(dim, trials=8, seed=2)) for _ in range(2))
    assert [t.options for t in first.trials["all"]] == [t.options for t in again.trials["all"]]
    assert first.best.number == again.best.number


def test_going_on_gives_the_result_of_one_run(dim, tmp_path):
    whole = tune(_setup(dim), output=tmp_path / "whole")
    tune(_setup(dim, trials=4), output=tmp_path / "parts")
    rest = tune(_setup(dim), output=tmp_path / "parts")
    assert [t.options for t in rest.trials["all"]] == [t.options for t in whole.trials["all"]]
    yaml = [(tmp_path / name / "tracker.yaml").read_text() for name in ("whole", "parts")]
    assert yaml[0] == yaml[1]


def test_ctrl_c_keeps_the_best_so_far_and_can_be_taken_up(dim, tmp_path, monkeypatch):
    whole = tune(_setup(dim))
    written = []
    real = tuner.write_json

    def interrupt_at_six(path, content):
        real(path, content)
        written.append(path)
        if len(written) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(tuner, "write_json", interrupt_at_six)
    tuning = tune(_setup(dim), output=tmp_path)
    assert tuning.interrupted
    assert len(tuning.trials["all"]) == 6
    assert tuning.comparisons
    assert json.loads((tmp_path / "tuning.json").read_text())["interrupted"] is True
    assert read_settings(tmp_path / "tracker.yaml").tracker == "bytetrack"
    rest = tune(_setup(dim), output=tmp_path)
    assert not rest.interrupted
    assert [t.options for t in rest.trials["all"]] == [t.options for t in whole.trials["all"]]


def test_another_search_is_not_mixed_with_the_one_before(dim, tmp_path, caplog):
    tune(_setup(dim, trials=3), output=tmp_path)
    with pytest.raises(ConfigError, match=r"another seed \(0, now 1\): give another --output, or --restart"):
        tune(_setup(dim, trials=3, seed=1), output=tmp_path)
    with pytest.raises(ConfigError, match="another set of sequences or detections"):
        tune(_setup(dim[:1], trials=3), output=tmp_path)
    with pytest.raises(ConfigError, match="another set of options or ranges"):
        tune(_setup(dim, trials=3, only=ONLY[:1]), output=tmp_path)
    assert tune(_setup(dim, trials=3, seed=1), output=tmp_path, restart=True).setup.seed == 1

    record = json.loads((tmp_path / "tuning.json").read_text())
    record["versions"]["optuna"] = "0.1"
    (tmp_path / "tuning.json").write_text(json.dumps(record))
    with caplog.at_level(logging.WARNING):
        tune(_setup(dim, trials=3, seed=1), output=tmp_path)
    assert "other versions of libraries" in caplog.text
    (tmp_path / "tuning.json").write_text("[]")
    with pytest.raises(ConfigError, match="not a record of tuning"):
        tune(_setup(dim, trials=3), output=tmp_path)


def test_folds_are_checked_on_what_each_did_not_see(dim):
    tuning = tune(_setup(dim, trials=4, folds=3))
    assert list(tuning.trials) == ["all", "fold 1", "fold 2", "fold 3"]
    folds = [item for item in tuning.comparisons if item.split != "all"]
    assert all(item.held_out for item in folds)
    held = [[evaluation.name for evaluation in item.tuned.evaluations] for item in folds]
    assert held == [["dim-a"], ["dim-b"], ["dim-c"]]
    with pytest.raises(ConfigError, match="folds must be from 2 to the number of sequences, 3, got 4"):
        tune(_setup(dim, folds=4))


def test_nothing_is_both_tuned_on_and_held_out(dim):
    with pytest.raises(ConfigError, match="frames of dim-b would be both tuned on and held out"):
        tune(_setup(dim, held_out=dim[1:2]))


def test_halves_of_a_sequence_can_be_set_against_each_other(dim, tmp_path):
    halves = [open_recordings(tmp_path / "data", part=part) for part in ("first-half", "second-half")]
    tuning = tune(_setup(halves[0], held_out=halves[1], trials=4))
    assert [item.default.combined.scores.frames for item in tuning.comparisons] == [36, 33]


def test_the_page_shows_every_option_and_sequence(dim, tmp_path):
    tune(_setup(dim[:2], held_out=dim[2:], trials=12), output=tmp_path)
    page = (tmp_path / "tuning.html").read_text()
    for word in (*ONLY, "dim-a", "dim-b", "dim-c", "held out", "tuned on", "trial 0: 0", "PED-ANOVA"):
        assert word in page


def test_sequences_that_cannot_be_judged_are_refused(dim, tmp_path):
    walk(tmp_path / "blind", "blind", truth=False)
    with pytest.raises(ConfigError, match="blind: no ground truth"):
        tune(_setup(open_recordings(tmp_path / "blind")))
    with pytest.raises(ConfigError, match="at least one sequence"):
        tune(_setup([]))
    with pytest.raises(ConfigError, match="no objective 'hotta' \\(did you mean 'hota'"):
        tune(_setup(dim, objective="hotta"))


def test_missing_embeddings_are_told_once(dim, caplog):
    with caplog.at_level(logging.WARNING):
        tune(Setup("strongsort", dim, only=("momentum",), trials=3))
    assert [record.getMessage() for record in caplog.records] == [
        "strongsort uses embeddings, and there are none: options of appearance do nothing"
    ]
