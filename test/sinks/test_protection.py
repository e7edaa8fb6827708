"""What is read is not replaced by what is written."""

import re

import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.sinks.protection import protect


@pytest.fixture
def bag(tmp_path):
    folder = tmp_path / "rec" / "bag"
    folder.mkdir(parents=True)
    (folder / "bag.mcap").touch()
    return folder


@pytest.mark.parametrize(
    ("read", "written"),
    [
        ("rec/bag", "rec/bag"),
        ("rec/bag/bag.mcap", "rec/bag"),
        ("rec/bag/*.mcap", "rec/bag"),
        ("rec/bag", "rec"),
        ("link", "rec/bag"),
        ("rec/bag", "link"),
        ("rec/bag/../bag", "rec/bag"),
    ],
)
def test_an_input_that_would_be_replaced_is_refused(bag, tmp_path, read, written):
    (tmp_path / "link").symlink_to(bag)
    with pytest.raises(ConfigError, match=re.escape(f"writing there would replace {bag}")):
        protect([tmp_path / read], [tmp_path / "other", tmp_path / written])


def test_the_unfinished_part_of_an_output_is_replaced_too(bag, tmp_path):
    bag.rename(tmp_path / "rec" / "bag.partial")
    with pytest.raises(ConfigError, match=r"would replace .*bag\.partial"):
        protect([tmp_path / "rec" / "bag.partial"], [bag])


def test_anything_else_may_be_written(bag, tmp_path):
    inputs = [bag, "rtsp://camera/1", "0", "synthetic:seed=3", tmp_path / "missing"]
    protect(inputs, [bag / "more", bag.parent / "tracks.txt", tmp_path / "bag", tmp_path / "missing"])
