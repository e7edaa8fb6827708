"""MOTChallenge sequences as sources."""

import pytest
from support.pictures import number_of

from rtreid_ros.errors import SourceError
from rtreid_ros.sources import open_source

INI = (
    "[Sequence]\nname=STREET-01\nimDir=img1\nframeRate=20\nseqLength=4\nimWidth=64\nimHeight=48\nimExt=.png\n"
)


@pytest.fixture
def sequence(write_pictures, tmp_path):
    write_pictures(["000001.png", "000002.png", "000003.png", "000004.png"], "STREET-01/img1")
    folder = tmp_path / "STREET-01"
    (folder / "seqinfo.ini").write_text(INI)
    (folder / "gt").mkdir()
    (folder / "gt" / "gt.txt").write_text("1,3,10,20,5,8,1,1,0.5\n3,3,11,20,5,8,1,1,1\n3,9,0,0,4,4,0,8,1\n")
    return folder


def test_pictures_come_with_their_ground_truth(sequence):
    with open_source(str(sequence)) as source:
        frames = list(source)
        assert (source.name, source.frame_rate, source.length) == ("STREET-01", 20, 4)
        assert source.class_names[1] == "pedestrian"
    assert [frame.stamp_ns for frame in frames] == [0, 50_000_000, 100_000_000, 150_000_000]
    assert [frame.truth.ids.tolist() for frame in frames] == [[3], [], [3, 9], []]
    assert frames[0].truth.boxes.tolist() == [[10, 20, 15, 28]]
    assert frames[2].truth.considered.tolist() == [True, False]
    assert frames[2].truth.class_ids.tolist() == [1, 8]


def test_a_missing_picture_leaves_a_gap(sequence):
    (sequence / "img1" / "000002.png").unlink()
    frames = list(open_source(str(sequence)))
    assert [frame.index for frame in frames] == [0, 2, 3]
    assert [number_of(frame.image) for frame in frames] == [0, 2, 3]
    assert frames[1].truth.ids.tolist() == [3, 9]


def test_without_ground_truth_frames_have_none(sequence):
    (sequence / "gt" / "gt.txt").unlink()
    source = open_source(str(sequence))
    assert source.class_names == ()
    assert next(iter(source)).truth is None


def test_what_is_wrong_with_a_sequence_is_said(sequence):
    (sequence / "img1" / "cover.png").write_bytes((sequence / "img1" / "000001.png").read_bytes())
    with pytest.raises(SourceError, match="numbered from 1"):
        open_source(str(sequence))
    for path in (sequence / "img1").iterdir():
        path.unlink()
    with pytest.raises(SourceError, match="no pictures in img1/ and no video beside"):
        open_source(str(sequence))
    (sequence / "gt" / "gt.txt").write_text("1,3,ten,20,5,8,1,1,1\n")
    with pytest.raises(SourceError, match="line 1: not all numbers"):
        open_source(str(sequence))


def test_a_video_beside_serves_as_pictures(shared_data):
    with open_source(str(shared_data / "mot/MOT15/TUD-Stadtmitte")) as source:
        assert (source.name, source.frame_rate, source.length) == ("TUD-Stadtmitte", 25, 179)
        frames = list(source)
    assert sum(len(frame.truth) for frame in frames) == 1156
    assert all(frame.truth.considered.all() for frame in frames)  # columns 7 to 9 are no class here
    assert frames[0].truth.ids.tolist()[:3] == [1, 2, 3]
