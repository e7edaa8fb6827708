"""``rtreid harvest``."""

import json

import numpy as np
import pytest

from rtreid_ros.bags.messages import header, raw_image
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import InputError
from rtreid_ros.reid.adaptation.harvesting import Harvester
from rtreid_ros.sinks.bag_output import BagOutput

STREET = "synthetic:seed=3,people=8,frames=60"


def test_tracks_of_the_street_become_tracklets(rtreid, tmp_path):
    output = tmp_path / "harvest.tar"
    code, out, err = rtreid("harvest", STREET, "--per-track", 3, "--output", output)
    assert code == 0, err
    found = open_identities("tracklets", str(output), "all").train
    people = len(set(found.identities.tolist()))
    assert out == f"60 frames, {people} tracklets, {len(found)} crops: {output}\n"
    assert people >= 2
    assert max(found.identities.tolist().count(number) for number in range(people)) <= 3
    assert found.read(0).shape[0] >= 64
    assert "synthetic-3: 100%" in err


def test_sources_are_cameras(rtreid, tmp_path):
    words = (STREET, f"{STREET},camera=1", "--output", tmp_path / "harvest", "--frames", 45, "--quiet")
    code, out, err = rtreid("harvest", *words)
    assert (code, out) == (0, ""), err
    found = open_identities("tracklets", str(tmp_path / "harvest"), "all").train
    assert set(found.cameras.tolist()) == {0, 1}


def test_every_image_topic_of_a_bag_is_a_camera(rtreid, models, tmp_path):
    image = np.full((320, 320, 3), 90, np.uint8)
    with BagOutput(tmp_path / "bag") as bag:
        for number in range(12):
            for camera in ("left", "right"):
                stamp = (1 + number) * 10**8
                bag.write_message(f"/{camera}/image_raw", raw_image(image, header(stamp, camera)), stamp)
    options = ("--set=harvest.interval=0.05", "--set=harvest.least_change=0")
    words = ("harvest", tmp_path / "bag", *models, *options, "--quiet")
    code, _, err = rtreid(*words, "--output", tmp_path / "harvest")
    assert code == 0, err
    index = [json.loads(line) for line in (tmp_path / "harvest/index.jsonl").read_text().splitlines()]
    cameras = [(line["camera"], line["camera_name"]) for line in index]
    assert cameras == [(1, "left"), (1, "left"), (2, "right"), (2, "right")]
    assert [line["together"] for line in index] == [[2], [1]] * 2  # the made detector sees two
    words = (*words, "--topic", "/right/image_raw")
    assert rtreid(*words, "--output", tmp_path / "one")[0] == 0
    assert len((tmp_path / "one/index.jsonl").read_text().splitlines()) == 2


def test_nothing_good_enough_is_an_error_that_leaves_nothing(rtreid, tmp_path):
    words = (STREET, "--frames", 10, "--set", "harvest.least_height=2000", "--quiet")
    code, _, err = rtreid("harvest", *words, "--output", tmp_path / "harvest")
    assert code == 2
    assert "no track of 10 frames gave 2 crops that are good enough; try a lower" in err
    assert list(tmp_path.iterdir()) == []


def test_all_sources_are_looked_for_before_the_first_is_harvested(rtreid, tmp_path):
    code, _, err = rtreid("harvest", STREET, "nowhere.mp4", "--output", tmp_path / "harvest")
    assert code == 2
    assert "nowhere.mp4: no such file or folder" in err
    assert "frame/s" not in err  # no bar has been there
    assert list(tmp_path.iterdir()) == []


def test_a_harvest_that_fails_says_where_its_crops_are(rtreid, tmp_path, monkeypatch):
    write = Harvester.write

    def failing(self, result):
        if result.frame.index == 45 and self._camera == 2:
            raise InputError("a strange frame")
        write(self, result)

    monkeypatch.setattr(Harvester, "write", failing)
    code, _, err = rtreid(
        "harvest", STREET, STREET, "--frames", 50, "--quiet", "--output", tmp_path / "out.tar"
    )
    assert code == 2
    assert f"tracklets gathered so far are in {tmp_path / 'out.partial.tar'}" in err
    assert len(open_identities("tracklets", str(tmp_path / "out.partial.tar"), "all").train)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "say what to harvest and where to"),
        ([STREET], "say what to harvest and where to"),
        ([STREET, "--output", "o", "--set", "harvest.per_trak=3"], "(did you mean 'per_track'?)"),
        ([STREET, "--output", "o", "--set", "harvest.per_track"], "expected harvest.option=value"),
        ([STREET, "--output", "o", "--tracker", "sortt"], "did you mean 'sort'"),
        (["nowhere.mp4", "--output", "o"], "nowhere.mp4: no such file or folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = rtreid("harvest", *words)
    assert code == 2
    assert message in err
    assert not (tmp_path / "o").exists()


def test_options_are_listed(rtreid):
    code, out, _ = rtreid("harvest", "--options")
    assert code == 0
    assert "  harvest.per_track=8\n      most crops of a track\n" in out
    assert "  detector.score_threshold=" in out
