import logging

import cv2
import numpy as np
import pytest
import torch
from support.identities import fill, in_memory, picture

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import InputError, SourceError
from rtreid_ros.reid.data import ResidentImages, resident


def noisy(row):
    return np.random.default_rng(row).integers(0, 256, (9 + row % 5, 5, 3), np.uint8)


def broken(rows):
    def read(row):
        if row in rows:
            raise SourceError(f"picture {row} is broken")
        return picture(row % 200)

    return read


def load(pictures, size=(8, 4), **more):
    return ResidentImages.load(pictures, size, progress=False, **more)


def test_pictures_are_resized_rgb_planes_with_their_labels():
    given = in_memory([7, 3, 7, 9], cameras=[0, 2, 1, 5], read=noisy)
    found = load(given, (16, 12))
    assert found.images.shape == (4, 3, 16, 12)
    assert found.images.dtype == torch.uint8
    for row in range(4):
        expected = cv2.resize(noisy(row), (12, 16), interpolation=cv2.INTER_LINEAR)[..., ::-1]
        np.testing.assert_array_equal(found.images[row].permute(1, 2, 0).numpy(), expected)
    assert found.identities.tolist() == [7, 3, 7, 9]
    assert found.classes.tolist() == [1, 0, 1, 2]
    assert found.cameras.tolist() == [0, 2, 1, 5]
    assert found.sequences.tolist() == [0] * 4
    assert found.names == given.names
    assert found.unreadable == ()
    assert len(found) == 4


def test_more_pictures_than_are_staged_at_once(monkeypatch):
    monkeypatch.setattr(resident, "_CHUNK", 4)
    found = load(in_memory(range(10), read=broken({3, 4, 9})))
    assert found.images[:, 2, 0, 0].tolist() == found.identities.tolist() == [0, 1, 2, 5, 6, 7, 8]


def test_unreadable_pictures_are_named_counted_and_left_out(caplog):
    given = in_memory([1, 1, 2, 3, 3, 3, 3, 3, 3], read=broken({1, 2, 3, 4, 5, 6, 7}))
    with caplog.at_level(logging.WARNING):
        found = load(given)
    assert found.names == ("0000.png", "0008.png")
    assert found.unreadable == tuple(f"{row:04d}.png" for row in range(1, 8))
    assert found.classes.tolist() == [0, 1]  # nobody is left of identity 2
    assert found.images[:, 2, 0, 0].tolist() == [0, 8]
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "7 of 9 pictures cannot be read and are left out: picture 1 is broken;"
    )
    assert "picture 5 is broken, ..." in record.getMessage()
    assert "picture 6" not in record.getMessage()


def test_files_that_are_no_pictures(tmp_path):
    fill(tmp_path, ["1/a.png", "1/b.png", "2/c.png"])
    (tmp_path / "1" / "b.png").write_bytes(b"\x89PNG")
    found = load(open_identities("folder", str(tmp_path), "all").train)
    assert found.names == ("1/a.png", "2/c.png")
    assert found.unreadable == ("1/b.png",)


def test_nothing_to_load_is_refused():
    with pytest.raises(InputError, match="no pictures to load: the set is empty"):
        load(in_memory([]))
    with pytest.raises(SourceError, match="none of 2 pictures can be read; the first: picture 0 is broken"):
        load(in_memory([1, 2], read=broken({0, 1})))


def test_what_does_not_fit_is_refused_before_anything_is_read(monkeypatch, caplog):
    def read(row):
        raise AssertionError("was read")

    monkeypatch.setattr(resident, "free_memory", lambda device: 30 * 2**20)
    with pytest.raises(
        InputError, match=r"400 pictures of 256x128 take 38 MiB on cpu, which has 30 MiB free"
    ):
        load(in_memory([1] * 400, read=read), (256, 128))
    with caplog.at_level(logging.INFO):
        load(in_memory([1]), (256, 128))
    assert "1 pictures of 256x128 take 0 MiB on cpu (30 MiB free)" in caplog.text


def test_free_memory_is_what_the_kernel_says(monkeypatch, tmp_path):
    free = resident.free_memory(torch.device("cpu"))
    assert 2**20 < free < 2**50
    monkeypatch.setattr(resident, "Path", lambda name: tmp_path / "missing")
    assert 2**20 < resident.free_memory(torch.device("cpu")) < 2**50


def test_real_pictures_are_exactly_those_of_the_tar(shared_data):
    train = open_identities(
        "market1501", str(shared_data / "reid" / "market1501_bounding_box_train.tar"), "all"
    ).train
    rows = np.arange(0, 12936, 400)
    found = load(train[rows], (128, 64))
    for place, row in enumerate(rows[:5]):
        np.testing.assert_array_equal(
            found.images[place].permute(1, 2, 0).numpy(), train.read(row)[..., ::-1]
        )
    assert found.names == tuple(train.names[row] for row in rows)
