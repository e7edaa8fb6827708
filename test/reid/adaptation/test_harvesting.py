"""Crops gathered from tracks."""

import tarfile

import numpy as np
import pytest

from rtreid_ros.datasets.identities import DATASETS, IdentityOptions, open_identities
from rtreid_ros.errors import ConfigError
from rtreid_ros.pipeline import FrameResult, Timings
from rtreid_ros.reid.adaptation.harvesting import Harvester, HarvestOptions, open_stock
from rtreid_ros.reid.adaptation.harvesting.album import Album, Crop
from rtreid_ros.reid.adaptation.harvesting.judging import overlaps, presentable
from rtreid_ros.types import Detections, Frame, Tracks, TrackState

SECOND = 1_000_000_000
OPTIONS = HarvestOptions(interval=0.5, least_change=0, patience=2)


def result(index, people, states=None, size=(240, 320)):
    """A frame of a tracker at 10 Hz in which each of `people` (id: box) stands."""
    boxes = np.array(list(people.values()), np.float32).reshape(-1, 4)
    count = len(boxes)
    states = [TrackState.CONFIRMED] * count if states is None else states
    tracks = Tracks(
        ids=np.array(list(people), np.int64),
        boxes=boxes + 3,  # the filtered box lies elsewhere
        scores=np.full(count, 0.9, np.float32),
        class_ids=np.zeros(count, np.int32),
        states=np.array(states, np.uint8),
        ages=np.zeros(count, np.float32),
        time_since_update=np.zeros(count, np.float32),
        detection_index=np.arange(count),
        velocities=np.zeros((count, 2), np.float32),
    )
    rows, columns = np.indices(size)
    image = np.stack([rows, columns * 0.7, np.full(size, 3 * index)], axis=2).astype(np.uint8)
    frame = Frame(image, index, index * SECOND // 10)
    return FrameResult(frame, Detections(boxes, np.full(count, 0.9)), tracks, Timings())


def gathered(tmp_path, frames, options=OPTIONS, name="harvest"):
    stock = open_stock(tmp_path / name)
    with stock, Harvester(stock, "front", options) as harvester:
        for item in frames:
            harvester.write(item)
    return stock


def test_overlap_is_the_share_of_a_box_that_another_covers():
    boxes = np.array([[0, 0, 10, 20], [5, 0, 25, 20], [50, 0, 60, 10]], np.float32)
    np.testing.assert_allclose(overlaps(boxes), [0.5, 0.25, 0])
    assert overlaps(boxes[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("box", "score", "covered", "good"),
    [
        ((10, 10, 50, 100), 0.9, 0.0, True),
        ((10, 10, 50, 100), 0.4, 0.0, False),  # not sure
        ((10, 10, 50, 70), 0.9, 0.0, False),  # low
        ((10, 10, 30, 100), 0.9, 0.0, False),  # narrow
        ((10, 10, 50, 100), 0.9, 0.3, False),  # covered
        ((1, 10, 50, 100), 0.9, 0.0, False),  # at the border
        ((10, 10, 50, 239), 0.9, 0.0, False),
    ],
)
def test_only_sure_large_whole_and_free_boxes_are_presentable(box, score, covered, good):
    found = presentable(
        np.array([box], np.float32), np.float32([score]), np.array([covered]), (240, 320), HarvestOptions()
    )
    assert found.tolist() == [good]


def crop_at(seconds, quality=0.5, level=0):
    image = np.full((64, 32, 3), level, np.uint8)
    return Crop(image, round(10 * seconds), round(seconds * SECOND), (0, 0, 1, 1), 0.9, 0.0, quality)


def test_an_album_keeps_the_best_of_each_time_and_never_more_than_its_capacity():
    album = Album(4, SECOND, 0)
    for number in range(1000):
        album.take(crop_at(0.25 * number, quality=1 - abs(number % 40 - 20) / 40))
        assert len(album.chosen(0)) <= 4
    times = [crop.stamp_ns / SECOND for crop in album.chosen(0)]
    assert min(np.diff(times)) > 40  # spread over 250 seconds
    assert {crop.quality for crop in album.chosen(0)} == {1.0}


def test_pictures_that_look_alike_are_one():
    album = Album(9, SECOND, 0)
    for number, level in enumerate([10, 11, 30, 31, 12]):
        album.take(crop_at(number, level=level))
    assert [int(crop.image.max()) for crop in album.chosen(4)] == [10, 30, 12]


def test_tracks_become_tracklets_with_what_is_known_of_them(tmp_path):
    people = {4: (20, 30, 70, 150), 6: (120, 30, 170, 150)}
    frames = [result(index, people) for index in range(20)]
    stock = gathered(tmp_path, frames)
    assert (stock.tracklets, stock.crops) == (2, 8)
    found = open_identities("tracklets", str(tmp_path / "harvest"), "all").train
    assert found.identities.tolist() == [0] * 4 + [1] * 4
    reader = DATASETS["tracklets"](str(tmp_path / "harvest"), IdentityOptions())
    assert reader.apart().tolist() == [[0, 1]]
    first = found.read(0).astype(int)  # by the detection's box
    assert first.shape == (120, 50, 3)
    assert np.abs(first - frames[0].frame.image[30:150, 20:70]).max() < 6


def test_two_boxes_on_one_person_are_not_two_people(tmp_path):
    people = {1: (20, 30, 70, 150), 2: (24, 32, 74, 152)}
    options = HarvestOptions(interval=0.5, least_change=0, most_overlap=1)
    gathered(tmp_path, [result(index, people) for index in range(20)], options)
    reader = DATASETS["tracklets"](str(tmp_path / "harvest"), IdentityOptions())
    assert len(reader.part("train")) == 8
    assert reader.apart().tolist() == []


def test_unconfirmed_tracks_and_those_with_too_few_crops_are_left_out(tmp_path):
    here, there = (20, 30, 70, 150), (120, 30, 170, 150)
    tentative = [TrackState.CONFIRMED, TrackState.TENTATIVE]
    frames = [result(index, {1: here, 2: there}, tentative) for index in range(10)]
    frames += [result(10 + index, {3: here}) for index in range(3)]  # less than the interval
    stock = gathered(tmp_path, frames)
    assert stock.tracklets == 1


def test_a_track_that_is_gone_is_written_and_forgotten(tmp_path):
    stock = open_stock(tmp_path / "harvest")
    with stock, Harvester(stock, "front", OPTIONS) as harvester:
        for index in range(200):
            harvester.write(result(index, {1 + index // 20: (20, 30, 70, 150)}))
            assert len(harvester._albums) <= 3
        assert stock.tracklets >= 7


def test_high_crops_are_scaled_down(tmp_path):
    frames = [result(index, {1: (20, 30, 70, 150)}) for index in range(20)]
    gathered(tmp_path, frames, HarvestOptions(interval=0.5, least_change=0, most_height=60))
    assert open_identities("tracklets", str(tmp_path / "harvest"), "all").train.read(0).shape == (60, 25, 3)


def test_a_tar_file_holds_the_same(tmp_path):
    frames = [result(index, {4: (20, 30, 70, 150)}) for index in range(20)]
    gathered(tmp_path, frames)
    gathered(tmp_path, frames, name="harvest.tar")
    folder, archive = (
        open_identities("tracklets", str(tmp_path / name), "all").train for name in ("harvest", "harvest.tar")
    )
    assert folder.names == archive.names
    np.testing.assert_array_equal(folder.read(2), archive.read(2))
    with tarfile.open(tmp_path / "harvest.tar") as content:
        assert content.extractfile("index.jsonl").read() == (tmp_path / "harvest/index.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["harvest", "harvest.tar", "of.may"])
def test_what_a_killed_harvest_leaves_is_read_and_not_removed(tmp_path, name):
    stock = open_stock(tmp_path / name)
    stock.__enter__()  # and never left
    harvester = Harvester(stock, "front", OPTIONS)
    for index in range(80):
        harvester.write(result(index, {1 + index // 20: (20, 30, 70, 150)}))
    [left] = tmp_path.iterdir()
    found = open_identities("tracklets", str(left), "all").train
    assert len(set(found.identities.tolist())) == stock.tracklets == 2
    assert found.read(0).shape == (120, 50, 3)
    with pytest.raises(ConfigError, match=rf"{left.name} is what an interrupted harvest has left; it can be"):
        open_stock(tmp_path / name)


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "harvest").mkdir()
    (tmp_path / "harvest/mine.txt").write_text("")
    with pytest.raises(ConfigError, match="is there already"):
        open_stock(tmp_path / "harvest")
