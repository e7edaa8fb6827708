"""``rtreid eval``."""

import contextlib
import io
import json
import sys

import pytest
from support import kitti

LENGTHS = {"0000": 40, "0003": 25}


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


@pytest.fixture
def whole_and_half(tmp_path, shared_data):
    """Results of MOT17-05, and the same without its first half: made from detections, each an id."""
    pytest.importorskip("trackeval")
    folder = shared_data / "mot" / "MOT17" / "MOT17-05"
    lines = (folder / "det" / "det_yolox_x_ablation.txt").read_text().splitlines()
    for name, first in (("whole", 1), ("half", 837 // 2 + 2)):
        (tmp_path / name).mkdir()
        kept = [line for line in lines if int(line.split(",")[0]) >= first]
        (tmp_path / name / "MOT17-05.txt").write_text("\n".join(kept) + "\n")
    return folder, tmp_path / "whole", tmp_path / "half"


def scores_of(rtreid, path, *words):
    code, _, err = rtreid("eval", *words, "--json", path)
    assert code == 0, err
    return json.loads(path.read_text())["combined"], err


def test_a_half_is_judged_from_results_of_the_whole_or_of_the_half(rtreid, whole_and_half, tmp_path):
    truth, whole, half = whole_and_half
    words = ("--gt", truth, "--part", "second-half")
    of_whole, said = scores_of(rtreid, tmp_path / "a.json", whole, *words)
    of_half, silent = scores_of(rtreid, tmp_path / "b.json", half, *words)
    assert of_whole == of_half
    assert of_whole["frames"] == 418
    assert "result boxes outside second-half are not judged" in said
    assert "outside" not in silent
    everything, _ = scores_of(rtreid, tmp_path / "c.json", whole, "--gt", truth)
    first, _ = scores_of(rtreid, tmp_path / "d.json", whole, "--gt", truth, "--part", "first-half")
    assert (first["frames"], everything["frames"]) == (418, 837)  # frame 419 is in neither half
    assert of_whole["truth_boxes"] + first["truth_boxes"] < everything["truth_boxes"]


def test_figures_of_a_half_are_those_of_trackeval_on_a_file_cut_by_hand(rtreid, whole_and_half, tmp_path):
    truth, _, half = whole_and_half
    ours, _ = scores_of(rtreid, tmp_path / "a.json", half, "--gt", truth, "--part", "second-half")
    for source, target in ((truth / "gt" / "gt.txt", "gt.txt"), (half / "MOT17-05.txt", "tracks.txt")):
        rows = [line.split(",") for line in source.read_text().splitlines()]
        kept = [[str(int(row[0]) - 419), *row[1:]] for row in rows if int(row[0]) > 419]
        (tmp_path / target).write_text("".join(",".join(row) + "\n" for row in kept))
    import trackeval  # noqa: PLC0415

    with contextlib.redirect_stdout(io.StringIO()):
        for name, file in (("gt/MOT17-05/gt", "gt.txt"), ("result", "tracks.txt")):
            (tmp_path / name).mkdir(parents=True)
            target = "MOT17-05.txt" if name == "result" else "gt.txt"
            (tmp_path / file).rename(tmp_path / name / target)
        dataset = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(tmp_path / "gt"),
                "TRACKERS_FOLDER": str(tmp_path),
                "TRACKERS_TO_EVAL": ["result"],
                "TRACKER_SUB_FOLDER": "",
                "BENCHMARK": "MOT17",
                "SEQ_INFO": {"MOT17-05": 418},
                "SKIP_SPLIT_FOL": True,
                "PRINT_CONFIG": False,
            }
        )
        data = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("result", "MOT17-05"), "pedestrian")
        hota = trackeval.metrics.HOTA().eval_sequence(data)
        clear = trackeval.metrics.CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    assert ours["hota"] == hota["HOTA"].mean()
    assert ours["det_a"] == hota["DetA"].mean()
    assert ours["mota"] == clear["MOTA"]
    assert (ours["false_positives"], ours["id_switches"]) == (clear["CLR_FP"], clear["IDSW"])


def test_a_half_needs_to_know_the_length(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,20,1,1,1\n")
    (tmp_path / "tracks.txt").write_text("")
    code, _, err = rtreid("eval", tmp_path, "--gt", tmp_path, "--part", "first-half")
    assert (code, "first-half of how many frames?" in err) == (2, True)


def test_an_unknown_part_is_refused(rtreid, tmp_path):
    code, _, err = rtreid("eval", tmp_path, "--gt", tmp_path, "--part", "third")
    assert (code, "invalid choice: 'third'" in err) == (2, True)


def test_classes_of_kitti_get_a_table_each(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    training, results = kitti.write(tmp_path, LENGTHS)
    code, out, _ = rtreid("eval", results, "--gt", training, "--json", tmp_path / "scores.json")
    assert code == 0
    lines = out.splitlines()
    assert [line for line in lines if line.endswith(":")] == ["car:", "pedestrian:"]
    assert sum(line.startswith("COMBINED") for line in lines) == 2
    scores = json.loads((tmp_path / "scores.json").read_text())["classes"]
    assert list(scores) == ["car", "pedestrian"]
    assert list(scores["car"]["sequences"]) == list(LENGTHS)
    assert scores["car"]["combined"]["frames"] == sum(LENGTHS.values())


def test_one_label_file_of_kitti_will_do(rtreid, tmp_path):
    pytest.importorskip("trackeval")
    training, results = kitti.write(tmp_path, LENGTHS)
    code, out, _ = rtreid("eval", results, "--gt", training / "label_02" / "0003.txt")
    assert code == 0
    rows = [row.split() for row in out.splitlines() if row.startswith("0003")]
    assert [row[-1] for row in rows] == ["25", "25"]


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


def test_without_trackeval_it_is_said_what_to_install(rtreid, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "trackeval", None)
    (tmp_path / "gt.txt").write_text("1,1,0,0,10,20,1,1,1\n")
    (tmp_path / "tracks.txt").write_text("")
    code, _, err = rtreid("eval", tmp_path, "--gt", tmp_path)
    assert code == 2
    assert "pip install trackeval" in err
