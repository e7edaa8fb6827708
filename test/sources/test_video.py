"""Video files: frames, times, damage."""

import logging
import struct

import pytest
from support.pictures import number_of

from rtreid_ros.errors import SourceError
from rtreid_ros.sources import open_source
from rtreid_ros.sources.video import VideoSource


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "MJPG"), ("a.mp4", "mp4v"), ("a.webm", "VP80")])
def test_a_video_yields_its_frames_in_order_with_nominal_times(write_video, name, codec):
    with open_source(str(write_video(name, codec=codec, rate=12.5))) as source:
        frames = list(source)
        assert (source.name, source.frame_rate, source.size, source.length) == ("a", 12.5, (48, 64), 8)
    assert [number_of(frame.image) for frame in frames] == list(range(8))
    assert [frame.index for frame in frames] == list(range(8))
    assert [frame.stamp_ns for frame in frames] == [80_000_000 * i for i in range(8)]
    assert all(frame.truth is None for frame in frames)


def test_iterating_again_starts_anew(write_video):
    source = VideoSource(write_video())
    first = next(iter(source))
    assert next(f.image.tobytes() for f in source) == first.image.tobytes()
    assert len(list(source)) == 8


def test_times_that_do_not_divide_a_second_are_rounded_to_nanoseconds(write_video):
    stamps = [frame.stamp_ns for frame in VideoSource(write_video(rate=30.0))]
    assert stamps[:4] == [0, 33_333_333, 66_666_667, 100_000_000]


def test_a_given_frame_rate_overrules_the_container(write_video):
    source = open_source(str(write_video(rate=10.0)), frame_rate=5)
    assert source.frame_rate == 5
    assert [frame.stamp_ns for frame in source][:3] == [0, 200_000_000, 400_000_000]


def stretch(path, first, factor):
    """Give all frames from `first` on a duration `factor` times longer, in an mp4 of constant rate."""
    data = bytearray(path.read_bytes())
    at = data.index(b"stts")
    entries, count, delta = struct.unpack_from(">4xIII", data, at + 4)
    assert entries == 1
    assert data.index(b"moov") > data.index(b"mdat")  # so nothing else moves
    table = struct.pack(">4xIIIII", 2, first, delta, count - first, delta * factor)
    data[at + 4 : at + 20] = table
    for box in (b"stts", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        position = data.index(box) - 4
        (size,) = struct.unpack_from(">I", data, position)
        struct.pack_into(">I", data, position, size + 8)
    path.write_bytes(bytes(data).replace(b"edts", b"free"))  # it would cut off what is now later


def test_a_variable_rate_follows_the_containers_times(write_video):
    path = write_video("a.mp4", codec="mp4v", rate=10.0)
    stretch(path, 4, 3)
    source = VideoSource(path)
    stamps = [frame.stamp_ns for frame in source]
    assert [round(stamp / 1e6) for stamp in stamps] == [0, 100, 200, 300, 400, 700, 1000, 1300]
    assert [frame.stamp_ns for frame in source] == stamps


def test_a_cut_off_video_yields_what_is_left_and_says_what_is_missing(write_video, caplog):
    path = write_video("a.avi", frames=20, size=(240, 320))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 5])
    source = open_source(str(path))
    with caplog.at_level(logging.WARNING):
        frames = list(source)
    assert 3 <= len(frames) < 20
    assert source.lost == 20 - len(frames)
    assert f"ends after {len(frames)} of the 20 frames" in caplog.text


@pytest.mark.parametrize("content", [b"", b"not a video" * 1000, bytes(range(256)) * 40])
def test_what_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"a\.mp4: OpenCV cannot read it"):
        open_source(str(path))


def test_a_video_without_its_index_is_refused(write_video):
    path = write_video("a.mp4", codec="mp4v")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError, match="cut off before its index"):
        open_source(str(path))


def test_a_missing_video_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"none\.mp4: no such video file"):
        VideoSource(tmp_path / "none.mp4")


def test_the_real_video_is_whole(shared_data):
    with open_source(str(shared_data / "mot/MOT15/TUD-Stadtmitte/TUD-Stadtmitte.mp4")) as source:
        assert (source.frame_rate, source.size, source.length) == (25, (480, 640), 179)
        frames = list(source)
    assert [frame.stamp_ns for frame in frames] == [40_000_000 * i for i in range(179)]
    assert source.lost == 0
