"""KITTI's format and rules, beside TrackEval's own reading of the same files."""

import contextlib
import io

import numpy as np
import pytest
from support import kitti
from support.results import tracks_of

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.batch import judge_jobs
from rtreid_ros.evaluation.judging import KITTI_CAR, KITTI_PERSON, MOT17
from rtreid_ros.evaluation.kitti_text import (
    CAR,
    DONT_CARE,
    KITTI_CLASSES,
    PEDESTRIAN,
    PERSON_SITTING,
    kitti_tracks_text,
    looks_like_kitti,
    read_kitti,
)
from rtreid_ros.evaluation.metrics import evaluate
from rtreid_ros.evaluation.mot_folder import find_jobs

LENGTHS = {"0000": 40, "0003": 25}


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("trackeval")
    return kitti.write(tmp_path, LENGTHS)


def by_trackeval(training, results, name, class_name):
    """Raw HOTA, CLEAR and Identity as TrackEval computes them from the files."""
    import trackeval  # noqa: PLC0415

    quiet = {"PRINT_CONFIG": False}
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = trackeval.datasets.Kitti2DBox(
            {
                **quiet,
                "GT_FOLDER": str(training),
                "TRACKERS_FOLDER": str(results.parent),
                "TRACKERS_TO_EVAL": [results.name],
                "TRACKER_SUB_FOLDER": "",
            }
        )
        raw = dataset.get_raw_seq_data(results.name, name)
        data = dataset.get_preprocessed_seq_data(raw, class_name)
        metrics = trackeval.metrics
        families = (metrics.HOTA(), metrics.CLEAR(quiet), metrics.Identity(quiet))
        return {type(family).__name__: family.eval_sequence(data) for family in families}


@pytest.mark.parametrize("class_name", ["car", "pedestrian"])
def test_figures_are_those_of_trackeval(folder, class_name):
    training, results = folder
    verdicts, outside = judge_jobs(find_jobs(results, training))
    assert outside == 0
    (verdict,) = [item for item in verdicts if item.class_name == class_name]
    assert [item.name for item in verdict.evaluations] == list(LENGTHS)
    for evaluation in verdict.evaluations:
        theirs = by_trackeval(training, results, evaluation.name, class_name)
        for family, figures in theirs.items():
            for key, value in figures.items():
                np.testing.assert_array_equal(evaluation.raw[family][key], value, err_msg=f"{family} {key}")
        assert 0.2 < evaluation.scores.hota < 0.95  # the scene is neither trivial nor hopeless
        assert evaluation.scores.false_positives > 0


TRUTH = [
    kitti.line(0, 1, "Car", (0, 0, 100, 50)),
    kitti.line(0, 2, "Van", (200, 0, 300, 50)),
    kitti.line(0, 3, "Car", (400, 0, 500, 50), occluded=3),
    kitti.line(0, 4, "Car", (600, 0, 700, 50), truncated=1),
    kitti.line(0, -1, "DontCare", (800, 0, 1000, 200)),
]


@pytest.mark.parametrize(
    ("box", "kind", "false_positives"),
    [
        ((200, 0, 300, 50), "Car", 0),  # a van taken for a car
        ((400, 0, 500, 50), "Car", 0),  # too hidden to be judged
        ((600, 0, 700, 50), "Car", 0),  # cut off by the image's border
        ((800, 100, 850, 150), "Car", 0),  # where nobody labelled
        ((770, 100, 830, 150), "Car", 1),  # exactly half there
        ((0, 100, 50, 125), "Car", 0),  # 25 pixels high
        ((0, 100, 50, 126), "Car", 1),
        ((0, 100, 50, 126), "Pedestrian", 0),  # another class is judged by itself
    ],
)
def test_what_the_benchmark_forgives(tmp_path, box, kind, false_positives):
    pytest.importorskip("trackeval")
    (tmp_path / "gt.txt").write_text("".join(TRUTH))
    found = kitti.line(0, 1, "Car", (0, 0, 100, 50), score=0.9) + kitti.line(0, 2, kind, box, score=0.9)
    (tmp_path / "found.txt").write_text(found)
    truth, results = read_kitti(tmp_path / "gt.txt"), read_kitti(tmp_path / "found.txt")
    scores = evaluate(results, truth, rules=KITTI_CAR).scores
    assert (scores.true_positives, scores.false_negatives) == (1, 0)
    assert scores.false_positives == false_positives


def test_people_who_sit_are_no_pedestrians(tmp_path):
    pytest.importorskip("trackeval")
    box = (0, 0, 30, 60)
    (tmp_path / "found.txt").write_text(kitti.line(0, 1, "Pedestrian", box, score=1))
    for written in ("Person", "Person_sitting"):
        (tmp_path / "gt.txt").write_text(kitti.line(0, 1, written, box))
        truth = read_kitti(tmp_path / "gt.txt")
        assert truth.class_ids.tolist() == [PERSON_SITTING]
        scores = evaluate(read_kitti(tmp_path / "found.txt"), truth, rules=KITTI_PERSON).scores
        assert (scores.truth_boxes, scores.false_positives) == (0, 0)


def test_frames_count_from_one_and_corners_stay_exact(tmp_path):
    path = tmp_path / "0000.txt"
    path.write_text(
        kitti.line(4, 7, "Car", (0.1, 0.2, 10.3, 25.5)) + kitti.line(0, -1, "DontCare", (1, 2, 3, 4))
    )
    table = read_kitti(path)
    assert table.frames.tolist() == [1, 5]
    assert table.ids.tolist() == [-1, 7]
    assert table.class_ids.tolist() == [DONT_CARE, CAR]
    assert table.xyxy()[1].tolist() == [0.1, 0.2, 10.3, 25.5]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0 1 Car 0 0 0 1 1 5\n", "line 2: 9 columns"),
        ("0 1 Lorry 0 0 0 1 1 5 5\n", "line 2: no KITTI class 'Lorry'"),
        ("0 1 Car 0 0 0 1 one 5 5\n", "line 2: not all numbers"),
        ("-1 1 Car 0 0 0 1 1 5 5\n", "line 2: frame must be an integer from 0"),
        ("0 1.5 Car 0 0 0 1 1 5 5\n", "line 2: frame must be"),
        ("0 1 Car 0 0 0 5 1 1 5\n", "line 2: box must be finite corners"),
        ("0 1 Car 0 0 0 nan 1 5 5\n", "line 2: box must be finite corners"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, text, complaint):
    path = tmp_path / "0000.txt"
    path.write_text(kitti.line(0, 1, "Car", (0, 0, 9, 9)) + text)
    with pytest.raises(SourceError, match=complaint):
        read_kitti(path)


def test_results_written_are_results_read(tmp_path):
    names = ("person", "car", "kite")
    rows = [(1, 10, 20, 30, 80, 0.9), (2, 40.25, 20, 90.5, 50, 0.8), (3, 0, 0, 9, 9, 0.7)]
    tracks = tracks_of(rows, class_ids=[0, 1, 2])
    path = tmp_path / "0000.txt"
    path.write_text(kitti_tracks_text(3, tracks, names))
    assert looks_like_kitti(path)
    table = read_kitti(path)
    assert table.frames.tolist() == [3, 3]
    assert table.ids.tolist() == [1, 2]  # KITTI knows no kites
    assert table.class_ids.tolist() == [PEDESTRIAN, CAR]
    assert table.xyxy().tolist() == [[10, 20, 30, 80], [40.25, 20, 90.5, 50]]
    assert table.scores.tolist() == pytest.approx([0.9, 0.8])
    assert kitti_tracks_text(1, tracks_of([rows[0]], class_ids=[CAR]), KITTI_CLASSES).split()[2] == "Car"


def test_trackeval_reads_what_we_write(folder):
    """Results read and written again give the same figures."""
    training, results = folder
    table = read_kitti(results / "0000.txt")
    again = results.parent / "again"
    again.mkdir()
    with (again / "0000.txt").open("w") as stream:
        for number, rows in table.by_frame():
            values = zip(table.ids[rows], table.xyxy(rows), table.scores[rows], strict=True)
            tracks = tracks_of([(i, *box, s) for i, box, s in values], class_ids=table.class_ids[rows])
            stream.write(kitti_tracks_text(number, tracks, KITTI_CLASSES))
    (again / "0003.txt").write_text((results / "0003.txt").read_text())
    for class_name in ("car", "pedestrian"):
        before, after = (by_trackeval(training, item, "0000", class_name) for item in (results, again))
        assert before["CLEAR"] == after["CLEAR"]
        np.testing.assert_array_equal(before["HOTA"]["HOTA"], after["HOTA"]["HOTA"])


def test_halves_of_kitti(folder):
    training, results = folder
    verdicts, outside = judge_jobs(find_jobs(results, training), part="second-half")
    assert [item.scores.frames for item in verdicts[0].evaluations] == [19, 12]
    assert outside > 0


def test_without_seqmap_pictures_or_labels_tell_the_length(folder):
    training, results = folder
    (training / "evaluate_tracking.seqmap.training").unlink()
    assert [job.length for job in find_jobs(results, training)] == [40, 25]
    (training / "image_02" / "0003").mkdir(parents=True)
    for number in range(30):
        (training / "image_02" / "0003" / f"{number:06d}.png").touch()
    assert [job.length for job in find_jobs(results, training)] == [40, 30]


def test_what_does_not_fit_is_explained(folder):
    training, results = folder
    with pytest.raises(ConfigError, match="rules of its own, not MOT17"):
        judge_jobs(find_jobs(results, training), rules=MOT17)
    (results / "0000.txt").write_text("1,1,0,0,10,20,1,-1,-1,-1\n")
    with pytest.raises(SourceError, match="class as third word"):
        judge_jobs(find_jobs(results, training))
    (training / "evaluate_tracking.seqmap.training").write_text("0000 empty 0\n")
    with pytest.raises(SourceError, match="line 1: expected NAME empty FIRST LENGTH"):
        find_jobs(results, training)


def test_no_results_at_all_are_everything_missed(folder):
    training, results = folder
    (results / "0000.txt").write_text("")
    verdicts, _ = judge_jobs(find_jobs(results, training, ("0000",)))
    scores = verdicts[0].combined.scores
    assert (scores.true_positives, scores.false_positives) == (0, 0)
    assert scores.false_negatives == scores.truth_boxes > 0
