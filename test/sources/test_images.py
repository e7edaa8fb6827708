"""Folders of pictures and patterns."""

import logging

import pytest
from support.pictures import number_of

from rtreid_ros.errors import SourceError
from rtreid_ros.sources import open_source


def test_pictures_come_in_natural_order_at_a_constant_rate(write_pictures):
    folder = write_pictures(["img1.png", "img2.jpg", "img10.png"])
    (folder / "notes.txt").write_text("x")
    with open_source(str(folder), frame_rate=4) as source:
        frames = list(source)
        assert (source.name, source.length, source.size) == ("shots", 3, (48, 64))
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2]
    assert [frame.stamp_ns for frame in frames] == [0, 250_000_000, 500_000_000]


def test_a_pattern_selects(write_pictures):
    folder = write_pictures(["a1.png", "b1.png", "a2.png"])
    source = open_source(str(folder / "a*.png"))
    assert [number_of(frame.image) for frame in source] == [0, 2]
    assert (source.name, source.frame_rate) == ("shots", 30)


def test_a_single_picture_is_a_source_of_one(write_pictures):
    assert len(list(open_source(str(write_pictures(["a.png"]) / "a.png")))) == 1


def test_an_undecodable_picture_is_counted_and_leaves_a_gap(write_pictures, caplog):
    folder = write_pictures(["1.jpg", "2.jpg", "3.jpg"])
    (folder / "2.jpg").write_bytes(b"rubbish")
    source = open_source(str(folder), frame_rate=10)
    with caplog.at_level(logging.WARNING):
        frames = list(source)
    assert [(frame.index, frame.stamp_ns) for frame in frames] == [(0, 0), (2, 200_000_000)]
    assert source.lost == 1
    assert "2.jpg: cannot be decoded, skipped" in caplog.text


def test_without_a_usable_picture_there_is_no_source(tmp_path):
    with pytest.raises(SourceError, match="no picture matches"):
        open_source(str(tmp_path / "*.png"))
    with pytest.raises(SourceError, match="has no pictures"):
        open_source(str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"rubbish")
    with pytest.raises(SourceError, match="none of the 1 pictures can be decoded"):
        open_source(str(tmp_path))
