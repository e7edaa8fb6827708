"""Loose pictures of people, cut anew."""

import json

import cv2
import numpy as np
import pytest
from support.models import brightness_detector

from rtreid_ros.cli.main import main
from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.detection.recrop import find_person, recrop_all
from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.types import Detections


class Fixed:
    """A detector that always sees the same."""

    def __init__(self, boxes, scores):
        self.seen = Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))

    def detect(self, image):
        """Corners are those of the picture in the middle, which is half as high."""
        rows, columns = image.shape[:2]
        self.looked_at = image
        offset = np.tile([(columns - 30) // 2, rows // 4], 2).astype(np.float32)
        return Detections(self.seen.boxes + offset, self.seen.scores)


def picture(rows=40, columns=30):
    """Pixels that say where they are."""
    down, across = np.mgrid[:rows, :columns]
    return np.stack([down, across, np.zeros_like(down)], -1).astype(np.uint8)


def test_the_surest_detection_is_cut_out_and_clipped_to_the_picture():
    image = picture()
    detector = Fixed([[1, 2, 10, 20], [5.4, 6.6, 99, 35]], [0.6, 0.9])
    assert find_person(image, detector, 0.5) == (5, 7, 30, 35)
    assert detector.looked_at.shape == (80, 106, 3)  # detectors know people of half the image's height
    np.testing.assert_array_equal(detector.looked_at[20:60, 38:68], image)


@pytest.mark.parametrize(
    ("boxes", "scores"),
    [([], []), ([[1, 2, 10, 20]], [0.4]), ([[50, 2, 60, 20]], [0.9]), ([[1, 2, np.nan, 20]], [0.9])],
    ids=["nothing", "unsure", "outside", "no number"],
)
def test_where_nobody_is_found_there_is_nothing_to_cut(boxes, scores):
    assert find_person(picture(), Fixed(boxes, scores), 0.5) is None


@pytest.fixture
def crops(tmp_path):
    for name, value in (("0001/a_c1.png", 0), ("0002/b_c2.png", 9)):
        (tmp_path / "loose" / name).parent.mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "loose" / name), np.full((40, 30, 3), value, np.uint8))
    (tmp_path / "loose" / "torn.png").write_bytes(b"no picture")
    return tmp_path / "loose"


def test_all_pictures_keep_their_names_and_what_cannot_be_read_is_left_out(crops, tmp_path):
    class Dark(Fixed):
        def detect(self, image):
            return super().detect(image) if not image.any() else Detections.empty()

    done = recrop_all(crops, tmp_path / "tight", Dark([[0, 0, 10, 20]], [0.9]), 0.5, progress=False)
    assert (done.cut, done.tight, done.missed, done.unreadable) == (1, 0, 1, 1)
    assert cv2.imread(str(tmp_path / "tight" / "0001" / "a_c1.png")).shape == (20, 10, 3)
    copied, original = tmp_path / "tight/0002/b_c2.png", crops / "0002/b_c2.png"
    assert copied.read_bytes() == original.read_bytes()
    assert not (tmp_path / "tight" / "torn.png").exists()


def test_what_shows_little_but_the_person_is_not_encoded_anew(crops, tmp_path):
    done = recrop_all(crops, tmp_path / "out", Fixed([[0, 1, 30, 40]], [0.9]), 0.5, progress=False)
    assert (done.cut, done.tight, done.missed) == (0, 2, 0)
    assert (tmp_path / "out/0001/a_c1.png").read_bytes() == (crops / "0001/a_c1.png").read_bytes()


def test_a_harvest_stays_one_with_its_boxes_cut_likewise(crops, tmp_path):
    lines = [
        {
            **{"camera": 1, "camera_name": "front", "track": track, "together": [3 - track]},
            "crops": [{"file": file, "box": [100, 50, 160, 130], "score": 0.8}, {"file": "torn.png"}],
        }
        for track, file in ((1, "0001/a_c1.png"), (2, "0002/b_c2.png"))
    ]
    (crops / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    recrop_all(crops, tmp_path / "out", Fixed([[0, 10, 15, 40]], [0.9]), 0.5, progress=False)
    found = open_identities("tracklets", str(tmp_path / "out"), "all").train
    assert (found.identities.tolist(), found.read(1).shape) == ([0, 1], (30, 15, 3))
    first = json.loads((tmp_path / "out/index.jsonl").read_text().splitlines()[0])
    assert first["crops"] == [{"file": "0001/a_c1.png", "box": [100, 70, 130, 130], "score": 0.8}]
    assert first["together"] == [2]
    (crops / "index.jsonl").write_text("{}")
    with pytest.raises(SourceError, match=r"index\.jsonl is not that of a harvest \(KeyError\('crops'\)\)"):
        recrop_all(crops, tmp_path / "other", Fixed([], []), 0.5, progress=False)


def test_bad_places_are_refused(crops, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    nobody = Fixed([], [])
    with pytest.raises(SourceError, match="no pictures in it"):
        recrop_all(tmp_path / "empty", tmp_path / "out", nobody, 0.5)
    with pytest.raises(SinkError, match="is where the pictures come from"):
        recrop_all(crops, crops, nobody, 0.5, progress=False)
    with pytest.raises(SinkError, match="is where the pictures come from; choose a folder outside"):
        recrop_all(crops, crops / "tight", nobody, 0.5, progress=False)
    with pytest.raises(SinkError, match="is not empty; choose another folder"):
        recrop_all(crops, tmp_path, nobody, 0.5, progress=False)
    with pytest.raises(SinkError, match="cannot be written"):
        recrop_all(crops, tmp_path / "file", nobody, 0.5, progress=False)


def test_the_command_counts_what_it_did(crops, tmp_path, capsys):
    (crops / "torn.png").unlink()
    brightness_detector(
        tmp_path / "net.onnx", [(160, 160, 80, 160, 0.9)], metadata={"names": "{0: 'person'}"}
    )
    words = ["recrop", str(crops), str(tmp_path / "tight"), "--detector", str(tmp_path / "net.onnx")]
    assert main(words) == 0
    told = "2 pictures cut anew, 0 copied that were tight, 0 copied with nobody found, 0 left out"
    assert told in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "tight" / "0001" / "a_c1.png")).shape[1] < 30
    assert main(words) == 2
    assert "is not empty; choose another folder" in capsys.readouterr().err
    words[2] = str(tmp_path / "other")
    assert main([*words, "--least", "0.95"]) == 0
    assert "0 copied that were tight, 2 copied with nobody found" in capsys.readouterr().out
    assert main([*words, "--least", "0"]) == 2
    assert "--least must be above 0" in capsys.readouterr().err
