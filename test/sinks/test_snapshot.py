import json

import cv2
import numpy as np
import pytest
from support.scenes import person, see

from rtreid_ros.errors import SinkError
from rtreid_ros.sinks.snapshot import save_snapshot
from rtreid_ros.tracking import create_tracker
from rtreid_ros.types import Tracks


@pytest.fixture
def tracks():
    tracker = create_tracker("bytetrack", min_hits=1)
    return tracker.update(see(person(100), person(300)), stamp=0.0)


def test_a_snapshot_is_the_picture_with_and_without_tracks_and_their_list(tmp_path, tracks):
    image = np.full((400, 500, 3), 90, np.uint8)
    files = save_snapshot(tmp_path / "shots", 12_000_000_034, tracks, ("person",), image)
    assert [file.name for file in files] == [
        "12.000000034.json",
        "12.000000034.png",
        "12.000000034-tracks.png",
    ]
    content = json.loads(files[0].read_text())
    assert content["stamp_ns"] == 12_000_000_034
    assert [row["id"] for row in content["tracks"]] == [1, 2]
    assert content["tracks"][0]["box"] == [80.0, 150.0, 40.0, 100.0]
    assert content["tracks"][0]["class"] == "person"
    assert (cv2.imread(str(files[1])) == image).all()
    assert (cv2.imread(str(files[2])) != image).any()


def test_without_a_picture_only_the_list_is_written(tmp_path, tracks):
    files = save_snapshot(tmp_path, 5, tracks, camera="/robot/front")
    assert [file.name for file in files] == ["robot_front-0.000000005.json"]
    assert json.loads(files[0].read_text())["tracks"][1]["class"] == 0


def test_no_tracks_are_a_snapshot_too(tmp_path):
    (file,) = save_snapshot(tmp_path, 0, Tracks.empty())
    assert json.loads(file.read_text())["tracks"] == []


def test_a_place_that_cannot_be_written_is_named(tmp_path, tracks):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="file"):
        save_snapshot(tmp_path / "file", 0, tracks)
