"""What a user types becomes a source, or an error that lists what would."""

import pytest

from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.sources import open_source
from rtreid_ros.sources.excerpt import Excerpt


@pytest.mark.parametrize("text", ["nowhere.mp4", "nowhere", "nowhere/"])
def test_a_missing_path_lists_what_is_understood(text):
    with pytest.raises(SourceError, match=r"no such file or folder; understood are:\n  video.mp4"):
        open_source(text)


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello " * 500)
    with pytest.raises(SourceError, match=r"files ending in \.txt are not understood"):
        open_source(str(path))


@pytest.mark.parametrize("rate", [0, -1, float("nan"), 1e9])
def test_an_impossible_rate_is_refused(write_pictures, rate):
    with pytest.raises(ConfigError, match="frame_rate must be above 0"):
        open_source(str(write_pictures(["a.png"])), frame_rate=rate)


def test_options_of_the_synthetic_scene_are_read():
    with open_source("synthetic:seed=3,people=2,frames=4,width=320,height=240", frame_rate=10) as source:
        assert (source.size, source.length, source.frame_rate) == ((240, 320), 4, 10)
        frames = list(source)
    assert [frame.stamp_ns for frame in frames] == [0, 100_000_000, 200_000_000, 300_000_000]
    assert all(frame.truth is not None for frame in frames)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("synthetic:seed", "not of the form option=value"),
        ("synthetic:sed=3", "did you mean 'seed'"),
        ("synthetic:people=many", "people must be an integer"),
        ("synthetic:people=-1", "people must be an integer >= 0"),
    ],
)
def test_wrong_options_of_the_synthetic_scene_are_explained(text, says):
    with pytest.raises(ConfigError, match=says):
        open_source(text)


def test_an_excerpt_keeps_indices_and_stamps(write_video):
    path = str(write_video(frames=8, rate=10))
    with Excerpt(open_source(path), start=3, frames=2) as part:
        assert part.length == 2
        assert [(frame.index, frame.stamp_ns) for frame in part] == [(3, 300_000_000), (4, 400_000_000)]
    assert Excerpt(open_source(path), start=6).length == 2
    assert [frame.index for frame in Excerpt(open_source(path), start=6, frames=100)] == [6, 7]
    assert list(Excerpt(open_source(path), start=100)) == []
    for wrong in ({"start": -1}, {"frames": 0}):
        with pytest.raises(ConfigError, match="needs start"):
            Excerpt(open_source(path), **wrong)
