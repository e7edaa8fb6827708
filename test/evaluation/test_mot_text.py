"""Reading and writing MOTChallenge text."""

import numpy as np
import pytest

from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.evaluation.mot_text import MotTable, read_mot, tracks_text, truth_text, write_mot
from rtreid_ros.types import GroundTruth, Tracks, TrackState


def tracks(rows, states=None):
    """Tracks from rows of (id, x1, y1, x2, y2, score)."""
    rows = np.array(rows, np.float64).reshape(-1, 6)
    n = len(rows)
    return Tracks(
        ids=rows[:, 0].astype(np.int64),
        boxes=rows[:, 1:5].astype(np.float32),
        scores=rows[:, 5].astype(np.float32),
        class_ids=np.zeros(n, np.int32),
        states=np.full(n, TrackState.CONFIRMED, np.uint8) if states is None else np.array(states, np.uint8),
        ages=np.zeros(n, np.float32),
        time_since_update=np.zeros(n, np.float32),
        detection_index=np.arange(n),
        velocities=np.zeros((n, 2), np.float32),
    )


@pytest.mark.parametrize(
    "text",
    [
        "1,7,10,20,30.5,40,0.9,-1,-1,-1\n",
        "1 7 10 20 30.5 40 0.9 -1 -1 -1",
        "\n 1, 7, 10, 20, 30.5, 40, 0.9, -1, -1, -1\r\n\r\n",
    ],
)
def test_commas_blanks_and_empty_lines_read_alike(tmp_path, text):
    path = tmp_path / "tracks.txt"
    path.write_bytes(text.encode())
    table = read_mot(path)
    assert table.frames.tolist() == [1]
    assert table.ids.tolist() == [7]
    assert table.boxes.tolist() == [[10, 20, 30.5, 40]]
    assert table.scores.tolist() == [0.9]


def test_rows_are_ordered_by_frame_and_keep_their_order_within(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text("2,1,0,0,1,1\n1,9,0,0,1,1\n2,0,0,0,1,1\n1,3,0,0,1,1\n")
    table = read_mot(path)
    assert table.ids.tolist() == [9, 3, 1, 0]
    assert [(n, r.start, r.stop) for n, r in table.by_frame()] == [(1, 0, 2), (2, 2, 4)]
    assert table.last_frame == 2


def test_nine_columns_are_class_and_visibility_ten_are_a_position(tmp_path):
    nine, ten = tmp_path / "nine.txt", tmp_path / "ten.txt"
    nine.write_text("1,1,0,0,2,4,0,7,0.25\n1,2,0,0,2,4,1,1,1\n")
    ten.write_text("1,1,0,0,2,4,1,4.4852,5.5016,0\n")
    truth = read_mot(nine).truth(slice(0, 2))
    assert read_mot(nine).has_classes
    assert truth.class_ids.tolist() == [7, 1]
    assert truth.visibility.tolist() == [0.25, 1]
    assert truth.considered.tolist() == [False, True]
    assert truth.boxes.tolist() == [[0, 0, 2, 4]] * 2
    assert not read_mot(ten).has_classes
    truth = read_mot(ten).truth(slice(0, 1))
    assert (truth.class_ids.tolist(), truth.visibility.tolist()) == ([1], [1])


def test_an_empty_file_is_an_empty_table(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text("\n")
    assert len(read_mot(path)) == 0
    assert read_mot(path).last_frame == 0


def test_lines_of_different_length_are_read(tmp_path):
    path = tmp_path / "tracks.txt"
    path.write_text("1,1,0,0,1,1\n2,1,0,0,1,1,0.5,-1,-1,-1\n")
    assert read_mot(path).scores.tolist() == [-1, 0.5]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1,1,0,0,1", "line 3: 5 columns, at least 6"),
        ("1,1,0,zero,1,1", "line 3: not all numbers: '1,1,0,zero,1,1'"),
        ("0,1,0,0,1,1", "line 3: frame must be an integer from 1"),
        ("1.5,1,0,0,1,1", "line 3: frame must be an integer"),
        ("1,1.5,0,0,1,1", "line 3: frame must be an integer from 1 and id"),
        ("1,nan,0,0,1,1", "line 3: frame must be"),
        ("1,1,nan,0,1,1", "line 3: box has a value that is not finite"),
        ("1,1,0,0,inf,1", "line 3: box has a value that is not finite"),
        ("1,1,0,0,-1,1", "line 3: box has a negative width or height"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, says):
    path = tmp_path / "tracks.txt"
    path.write_text(f"1,5,0,0,1,1\n\n{line}\n1,6,0,0,1,1\n")
    with pytest.raises(SourceError, match=says):
        read_mot(path)


def test_what_is_no_text_file_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no such file"):
        read_mot(tmp_path / "none.txt")
    (tmp_path / "video.mp4").write_bytes(bytes(range(256)))
    with pytest.raises(SourceError, match="not a readable text file"):
        read_mot(tmp_path / "video.mp4")
    with pytest.raises(SourceError, match="not a readable text file"):
        read_mot(tmp_path)


def test_only_confirmed_tracks_are_written_in_fixed_digits():
    states = [TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.LOST]
    text = tracks_text(
        12, tracks([[1, 0, 0, 1, 1, 1], [2, 10.12345, 20, 30.5, 60, 0.87654], [3, 0, 0, 1, 1, 1]], states)
    )
    assert text == "12,2,10.123,20.000,20.377,40.000,0.8765,-1,-1,-1\n"


def test_written_tracks_and_truth_read_back(tmp_path):
    path = tmp_path / "gt.txt"
    truth = GroundTruth(
        ids=np.array([4, 9]),
        boxes=np.array([[1, 2, 3.5, 8], [-5, 0, 10, 20.25]], np.float32),
        class_ids=np.array([1, 7], np.int32),
        visibility=np.array([1, 0.5], np.float32),
        considered=np.array([True, False]),
    )
    path.write_text(truth_text(1, truth))
    again = read_mot(path).truth(slice(0, 2))
    for name in ("ids", "boxes", "class_ids", "visibility", "considered"):
        assert np.array_equal(getattr(again, name), getattr(truth, name)), name
    path.write_text(tracks_text(1, tracks([[4, 1, 2, 3.5, 8, 0.75]])))
    assert read_mot(path).boxes.tolist() == [[1, 2, 2.5, 6]]


def test_every_real_file_is_read(shared_data):
    files = sorted(shared_data.glob("m*/*/*/**/*.txt"))
    files = [path for path in files if path.name != "gmc.txt"]
    assert files
    for path in files:
        assert len(read_mot(path)) == sum(1 for line in path.open() if line.strip()), path


@pytest.mark.parametrize(
    "text",
    [
        "1,7,10.125,20.000,30.500,40.000,0.9000,-1,-1,-1\n3,7,11.000,20.000,30.500,40.000,0.8000,-1,-1,-1\n",
        "1,7,10.000,20.000,30.000,40.000,1,7,0.2500\n2,8,10.000,20.000,30.000,40.000,0,1,1.0000\n",
        "",
    ],
    ids=["results", "ground truth", "empty"],
)
def test_a_table_is_written_as_it_was_read(tmp_path, text):
    (tmp_path / "in.txt").write_text(text)
    write_mot(tmp_path / "deep" / "out.txt", read_mot(tmp_path / "in.txt"))
    assert (tmp_path / "deep" / "out.txt").read_text() == text
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out.txt"]


def test_a_table_that_cannot_be_written_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot be written"):
        write_mot(tmp_path / "file" / "out.txt", MotTable.empty())
