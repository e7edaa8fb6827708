"""Loose pictures of people, cut anew."""

import cv2
import numpy as np
import pytest
from support.models import brightness_detector

from rtreid_ros.cli.main import main
from rtreid_ros.detection.recrop import recrop, recrop_all
from rtreid_ros.errors import SinkError, SourceError
from rtreid_ros.types import Detections


class Fixed:
    """A detector that always sees the same."""

    def __init__(self, boxes, scores):
        self.seen = Detections(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))

    def detect(self, image):
        return self.seen


def picture(rows=40, columns=30):
    """Pixels that say where they are."""
    down, across = np.mgrid[:rows, :columns]
    return np.stack([down, across, np.zeros_like(down)], -1).astype(np.uint8)


def test_the_surest_detection_is_cut_out_and_clipped_to_the_picture():
    image = picture()
    found = recrop(image, Fixed([[1, 2, 10, 20], [5.4, 6.6, 99, 35]], [0.6, 0.9]), 0.5)
    np.testing.assert_array_equal(found, image[7:35, 5:30])


@pytest.mark.parametrize(
    ("boxes", "scores"),
    [([], []), ([[1, 2, 10, 20]], [0.4]), ([[50, 2, 60, 20]], [0.9]), ([[1, 2, np.nan, 20]], [0.9])],
    ids=["nothing", "unsure", "outside", "no number"],
)
def test_where_nobody_is_found_there_is_nothing_to_cut(boxes, scores):
    assert recrop(picture(), Fixed(boxes, scores), 0.5) is None


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
            return self.seen if not image.any() else Detections.empty()

    done = recrop_all(crops, tmp_path / "tight", Dark([[0, 0, 10, 20]], [0.9]), 0.5, progress=False)
    assert (done.cut, done.kept, done.unreadable) == (1, 1, 1)
    assert cv2.imread(str(tmp_path / "tight" / "0001" / "a_c1.png")).shape == (20, 10, 3)
    assert cv2.imread(str(tmp_path / "tight" / "0002" / "b_c2.png")).shape == (40, 30, 3)
    assert not (tmp_path / "tight" / "torn.png").exists()


def test_bad_places_are_refused(crops, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    nobody = Fixed([], [])
    with pytest.raises(SourceError, match="no pictures in it"):
        recrop_all(tmp_path / "empty", tmp_path / "out", nobody, 0.5)
    with pytest.raises(SinkError, match="is where the pictures come from"):
        recrop_all(crops, crops, nobody, 0.5, progress=False)
    with pytest.raises(SinkError, match="cannot be written"):
        recrop_all(crops, tmp_path / "file", nobody, 0.5, progress=False)


def test_the_command_counts_what_it_did(crops, tmp_path, capsys):
    (crops / "torn.png").unlink()
    brightness_detector(
        tmp_path / "net.onnx", [(160, 160, 80, 160, 0.9)], metadata={"names": "{0: 'person'}"}
    )
    words = ["recrop", str(crops), str(tmp_path / "tight"), "--detector", str(tmp_path / "net.onnx")]
    assert main(words) == 0
    assert "2 pictures cut anew, 0 kept as they were, 0 left out" in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "tight" / "0001" / "a_c1.png")).shape[0] < 40
    assert main([*words, "--least", "0.95"]) == 0
    assert "0 pictures cut anew, 2 kept" in capsys.readouterr().out
    assert main([*words, "--least", "0"]) == 2
    assert "--least must be above 0" in capsys.readouterr().err
