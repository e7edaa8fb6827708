"""Results as text files that appear only when they are whole."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from support.results import result_of, tracks_of, truth_of

from rtreid_ros.errors import SinkError
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.sinks.text import JsonLinesSink, MotSink, TruthSink
from rtreid_ros.types import TrackState

PERSON = [7, 10.5, 20, 30.25, 60, 0.875]


def test_mot_text_counts_frames_from_one_and_boxes_from_the_corner(tmp_path):
    with MotSink(tmp_path / "tracks.txt") as sink:
        sink.write(result_of(0, tracks_of([PERSON])))
        sink.write(result_of(1, tracks_of([])))
        sink.write(result_of(4, tracks_of([PERSON, [9, 0, 0, 1, 1, 1]])))
    assert (tmp_path / "tracks.txt").read_bytes() == (
        b"1,7,10.500,20.000,19.750,40.000,0.8750,-1,-1,-1\n"
        b"5,7,10.500,20.000,19.750,40.000,0.8750,-1,-1,-1\n"
        b"5,9,0.000,0.000,1.000,1.000,1.0000,-1,-1,-1\n"
    )


def test_truth_is_written_with_class_and_visibility(tmp_path):
    with TruthSink(tmp_path / "gt.txt") as sink:
        sink.write(result_of(0, tracks_of([]), truth=truth_of([[3, 1, 2, 4, 8]], considered=False)))
        sink.write(result_of(1, tracks_of([])))
    assert (tmp_path / "gt.txt").read_text() == "1,3,1.000,2.000,3.000,6.000,0,1,0.7500\n"


def test_truth_gets_the_class_numbers_of_motchallenge(tmp_path):
    classes = ("car", "person", "unicorn")
    rows = [[1, 0, 0, 1, 1], [2, 0, 0, 1, 1], [3, 0, 0, 1, 1]]
    truth = replace(truth_of(rows), class_ids=np.array([0, 1, 2], np.int32))
    with TruthSink(tmp_path / "gt.txt", classes) as sink:
        sink.write(result_of(0, tracks_of([]), truth=truth))
    table = read_mot(tmp_path / "gt.txt")
    assert table.class_ids.tolist() == [3, 1, 0]


def test_json_lines_hold_every_live_track(tmp_path):
    states = [TrackState.CONFIRMED, TrackState.LOST]
    tracks = tracks_of([PERSON, [9, 0, 0, 1, 1, 0.5]], states, class_ids=[0, 5])
    with JsonLinesSink(tmp_path / "tracks.jsonl", ("person",)) as sink:
        sink.write(result_of(3, tracks))
        sink.write(result_of(4, tracks_of([])))
    first, second = map(json.loads, (tmp_path / "tracks.jsonl").read_text().splitlines())
    assert (first["frame"], first["stamp"]) == (4, 0.3)
    assert first["tracks"][0] == {
        "id": 7,
        "state": "confirmed",
        "class": "person",
        "score": 0.875,
        "box": [10.5, 20.0, 19.75, 40.0],
        "velocity": [3.0, -1.5],
        "age": 0.5,
        "time_since_update": 0.0,
    }
    assert (first["tracks"][1]["state"], first["tracks"][1]["class"]) == ("lost", 5)
    assert second == {"frame": 5, "stamp": 0.4, "tracks": []}


def test_a_file_bears_its_name_only_once_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "tracks.txt"
    with MotSink(path) as sink:
        sink.write(result_of(0, tracks_of([PERSON])))
        assert not path.exists()
    assert path.exists()
    before = path.read_bytes()
    with contextlib.suppress(ZeroDivisionError), MotSink(path) as sink:
        sink.write(result_of(9, tracks_of([PERSON])))
        raise ZeroDivisionError
    assert path.read_bytes() == before
    assert (path.parent / "tracks.partial.txt").read_text().startswith("10,7,")
    with MotSink(path):
        pass
    assert path.read_bytes() == b""
    assert [item.name for item in path.parent.iterdir()] == ["tracks.txt"]


def test_a_place_that_cannot_be_written_to_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"tracks\.txt: cannot be written there"):
        MotSink(tmp_path / "file" / "tracks.txt")
