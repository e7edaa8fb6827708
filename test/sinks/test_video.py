"""Annotated video."""

import contextlib
import subprocess
import sys

import numpy as np
import pytest
from support.results import result_of, tracks_of

from rtreid_ros.errors import SinkError
from rtreid_ros.sinks.video import VideoOutput, VideoSink
from rtreid_ros.sources.video import VideoSource
from rtreid_ros.visualization import colour_of

SIZE = (480, 640)


def moving(index):
    return tracks_of([[3, 120 + 8 * index, 160, 220 + 8 * index, 400, 0.9]])


def write(path, frames=12, **options):
    with VideoSink(path, 10.0, **options) as sink:
        for index in range(frames):
            sink.write(result_of(index, moving(index), size=SIZE))
    return sink


def test_every_frame_is_there_with_its_box(tmp_path):
    write(tmp_path / "annotated.mp4")
    frames = list(VideoSource(tmp_path / "annotated.mp4"))
    assert len(frames) == 12
    assert frames[0].image.shape == (480, 640, 3)
    assert [frame.stamp_ns for frame in frames][:2] == [0, 100_000_000]
    edge = frames[5].image[200:380, 160].mean(axis=0)  # left side of the box
    assert np.abs(edge - colour_of(3)).max() < 50


def test_the_same_tracks_give_the_same_bytes(tmp_path):
    write(tmp_path / "a.mp4")
    write(tmp_path / "b.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_codec_that_is_not_there_gives_way_to_the_next(tmp_path):
    assert write(tmp_path / "a.mp4", codecs=("zzzz", "mp4v")).codec == "mp4v"
    assert len(list(VideoSource(tmp_path / "a.mp4"))) == 12


def test_choosing_a_codec_prints_nothing(tmp_path):
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from rtreid_ros.sinks.video import VideoOutput\n"
        "with VideoOutput(sys.argv[1], 10.0) as video:\n"
        "    video.append(np.zeros((480, 640, 3), np.uint8))\n"
    )  # in a process of its own: the libraries' loudness is settled when they are first used
    command = [sys.executable, "-c", code, str(tmp_path / "a.mp4")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert len(list(VideoSource(tmp_path / "a.mp4"))) == 1


def test_without_a_working_codec_the_error_names_those_tried(tmp_path):
    with pytest.raises(SinkError, match="640x480 video with zzzz"):
        write(tmp_path / "a.mp4", codecs=("zzzz",))


def test_odd_and_changing_sizes_are_fitted(tmp_path):
    with VideoOutput(tmp_path / "a.mp4", 10.0) as output:
        for size in ((47, 63), (47, 63), (96, 128)):
            output.append(np.full((*size, 3), 90, np.uint8))
    frames = list(VideoSource(tmp_path / "a.mp4"))
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 3
    assert all(abs(float(frame.image.mean()) - 90) < 3 for frame in frames)


def test_without_a_frame_there_is_no_file(tmp_path):
    write(tmp_path / "a.mp4", frames=0)
    assert list(tmp_path.iterdir()) == []


def test_after_an_error_the_video_does_not_bear_its_name(tmp_path):
    with contextlib.suppress(ZeroDivisionError), VideoSink(tmp_path / "a.mp4", 10.0) as sink:
        sink.write(result_of(0, moving(0), size=SIZE))
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["a.partial.mp4"]
