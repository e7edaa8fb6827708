import logging
import tarfile

import cv2
import numpy as np
import pytest

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import SourceError
from rtreid_ros.reid.export import crops as module
from rtreid_ros.reid.export.crops import COUNT, find_crops


@pytest.fixture
def folder(tmp_path):
    """200 pictures in two folders, each of its number's grey."""
    for number in range(200):
        path = tmp_path / "people" / str(number % 2) / f"{number:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((20, 10, 3), number, np.uint8))
    return tmp_path / "people"


def test_a_folder_gives_pictures_spread_over_all(folder):
    crops = find_crops(folder, {})
    greys = [int(image[0, 0, 0]) for image in crops.images]
    assert (len(greys), crops.origin) == (COUNT, "people")
    assert sum(grey % 2 for grey in greys) == COUNT // 2
    assert {0, 199} < set(greys)


def test_a_tar_file_is_read_where_it_lies(folder, tmp_path):
    with tarfile.open(tmp_path / "people.tar", "w") as archive:
        archive.add(folder, "people")
    crops = find_crops(tmp_path / "people.tar", {})
    expected = find_crops(folder, {})
    np.testing.assert_array_equal(np.stack(crops.images), np.stack(expected.images))


def test_what_cannot_be_read_is_named_and_left_out(folder, caplog):
    (folder / "0" / "000.png").write_bytes(b"no picture")
    with caplog.at_level(logging.WARNING):
        assert len(find_crops(folder, {}).images) == COUNT - 1
    assert "000.png" in caplog.text


@pytest.mark.parametrize("broken", [True, False])
def test_a_place_without_pictures_is_refused(tmp_path, broken):
    if broken:
        (tmp_path / "0.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=f"none of its {int(broken)} pictures can be read"):
        find_crops(tmp_path, {})
    with pytest.raises(SourceError, match="no such folder"):
        find_crops(tmp_path / "elsewhere", {})


def test_without_a_place_they_are_those_of_the_data_set_the_model_was_judged_on(folder):
    config = {"data": {"dataset": "folder", "root": str(folder), "split": "mod5"}}
    crops = find_crops(None, config)
    assert crops.origin == "folder"
    assert {image.shape for image in crops.images} == {(20, 10, 3)}


@pytest.mark.parametrize(("split", "parts"), [("mod5", ["gallery"]), ("all", ["gallery", "query", "train"])])
def test_no_more_parts_of_a_data_set_are_opened_than_it_takes(folder, monkeypatch, split, parts):
    asked = []

    def spy(name, root, split, wanted):
        asked.extend(wanted)
        return open_identities(name, root, split, wanted)

    monkeypatch.setattr(module, "open_identities", spy)
    find_crops(None, {"data": {"dataset": "folder", "root": str(folder), "split": split}})
    assert asked == parts


def test_a_data_set_that_is_gone_is_told_and_the_synthetic_street_takes_its_place(tmp_path, caplog):
    config = {"data": {"dataset": "folder", "root": str(tmp_path / "gone"), "split": "all"}}
    with caplog.at_level(logging.WARNING):
        crops = find_crops(None, config)
    assert crops.origin == "the synthetic street"
    assert len(crops.images) == COUNT
    assert "gone" in caplog.text


def test_a_checkpoint_that_names_no_data_set_gets_the_synthetic_street():
    assert find_crops(None, {}).origin == "the synthetic street"
