"""Motions read from gmc.txt."""

import numpy as np
import pytest
from support.motion import STILL, motion

from rtreid_ros.affine import compose
from rtreid_ros.camera_motion.stored import StoredMotion, read_motions
from rtreid_ros.errors import SourceError

NOTHING = np.zeros((4, 4, 3), np.uint8)
STEPS = {index: motion(640, 480, (index, -index), 0.3 * index, 1 + 0.01 * index) for index in range(1, 7)}


@pytest.fixture
def gmc(tmp_path):
    def write(text):
        (tmp_path / "gmc.txt").write_text(text)
        return tmp_path / "gmc.txt"

    return write


@pytest.mark.parametrize("separator", ["\t", " ", ",", ", "])
def test_a_file_gives_the_affines_by_frame(gmc, separator):
    rows = [["0", "1", "0", "0", "0", "1", "0"], ["1", "1.5", "-0.25", "3.5", "0.25", "1.5", "-2e1"]]
    motions = read_motions(gmc("\n".join(separator.join(row) for row in rows) + "\n\n"))
    assert list(motions) == [0, 1]
    assert motions[1].tolist() == [[1.5, -0.25, 3.5], [0.25, 1.5, -20.0]]
    assert motions[1].dtype == np.float64


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1 1 0 0 0 1", "expected frame a b tx c d ty, 7 numbers, got 6"),
        ("1 1 0 0 0 1 0 0", "expected frame a b tx c d ty, 7 numbers, got 8"),
        ("1 1 0 x 0 1 0", "could not convert string to float: 'x'"),
        ("1.5 1 0 0 0 1 0", "frames are whole numbers from 0, got 1.5"),
        ("-1 1 0 0 0 1 0", "frames are whole numbers from 0, got -1"),
        ("nan 1 0 0 0 1 0", "frames are whole numbers from 0, got nan"),
        ("1 nan 0 0 0 1 0", "not an invertible affine"),
        ("1 0 0 5 0 0 5", "not an invertible affine"),
        ("0 1 0 0 0 1 0", "frame 0 stands there twice"),
    ],
)
def test_a_wrong_line_is_named(gmc, line, says):
    with pytest.raises(SourceError, match=f"gmc.txt: line 3: {says}"):
        read_motions(gmc(f"0 1 0 0 0 1 0\n\n{line}\n"))


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"gmc\.txt: no such file"):
        read_motions(tmp_path / "gmc.txt")
    (tmp_path / "gmc.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match="not a readable text file"):
        read_motions(tmp_path / "gmc.txt")


def test_frames_come_with_the_motion_since_the_frame_before():
    stored = StoredMotion(STEPS)
    assert np.array_equal(stored.estimate(NOTHING, index=0), STILL)
    for index in (1, 2, 3):
        np.testing.assert_array_equal(stored.estimate(NOTHING, index=index), STEPS[index])
    np.testing.assert_array_equal(stored.estimate(NOTHING), STEPS[4])
    assert stored.failures == 0


def test_motion_over_dropped_frames_adds_up():
    stored = StoredMotion(STEPS)
    stored.estimate(NOTHING, index=1)
    expected = compose(STEPS[4], compose(STEPS[3], STEPS[2]))
    np.testing.assert_allclose(stored.estimate(NOTHING, index=4), expected)
    np.testing.assert_array_equal(stored.between(1, 4), expected)
    np.testing.assert_array_equal(stored.estimate(NOTHING, index=5), STEPS[5])


def test_what_the_file_does_not_hold_is_counted():
    stored = StoredMotion({1: STEPS[1], 3: STEPS[3]})
    for index in range(5):
        stored.estimate(NOTHING, index=index)
    assert stored.failures == 2
    assert stored.between(1, 3) is None


def test_a_step_back_tells_nothing_and_a_reset_begins_anew():
    stored = StoredMotion(STEPS)
    stored.estimate(NOTHING, index=4)
    assert np.array_equal(stored.estimate(NOTHING, index=2), STILL)
    assert stored.failures == 1
    stored.reset()
    assert np.array_equal(stored.estimate(NOTHING, index=6), STILL)
    assert stored.failures == 1


def test_real_files_compose_as_the_measuring_script_does(shared_data):
    motions = read_motions(shared_data / "mot/MOT17/MOT17-05/gmc.txt")
    carried = np.eye(3)
    for index in range(11, 15):
        carried = np.vstack([motions[index], [0, 0, 1]]) @ carried
    np.testing.assert_allclose(StoredMotion(motions).between(10, 14), carried[:2])
    files = sorted(shared_data.glob("mot/*/*/gmc.txt"))
    assert files
    for path in files:
        assert np.array_equal(read_motions(path)[0], STILL)
