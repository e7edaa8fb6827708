import numpy as np
import pytest
from support.identities import fill, in_memory, number_of

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.datasets.identities.splits import first_of_each_camera

TRAIN = [
    "bounding_box_train/0005_c1s1_000002_00.jpg",
    "bounding_box_train/0005_c1s1_000001_00.jpg",
    "bounding_box_train/0005_c2s1_000001_00.jpg",
    "bounding_box_train/0006_c1s1_000001_00.jpg",
    "bounding_box_train/0010_c3s2_000001_00.jpg",
    "bounding_box_train/0010_c3s1_000009_00.jpg",
    "bounding_box_train/0011_c1s1_000001_00.jpg",
]
TEST = ["query/0003_c1s3_000001_00.jpg", "bounding_box_test/0003_c2s3_000001_00.jpg"]


def bare(part):
    return [name.partition("/")[2][:-4] for name in part.names]


def test_mod5_holds_out_identities_and_asks_with_the_first_of_each_camera(tmp_path):
    found = open_identities("market1501", str(fill(tmp_path, TRAIN)), "mod5")
    assert bare(found.train) == ["0006_c1s1_000001_00", "0011_c1s1_000001_00"]
    assert bare(found.query) == ["0005_c1s1_000001_00", "0005_c2s1_000001_00", "0010_c3s1_000009_00"]
    assert bare(found.gallery) == ["0005_c1s1_000002_00", "0010_c3s2_000001_00"]
    assert [number_of(found.query.read(row)) for row in range(3)] == [1, 2, 5]


def test_whole_tracklets_are_searched_among_those_of_other_cameras(tmp_path):
    found = open_identities("market1501", str(fill(tmp_path, TRAIN)), "mod5_tracklets")
    assert bare(found.train) == ["0006_c1s1_000001_00", "0011_c1s1_000001_00"]
    assert (
        bare(found.query)
        == bare(found.gallery)
        == sorted(name[19:-4] for name in TRAIN if "/00" in name and name[19:23] in ("0005", "0010"))
    )


def test_where_cameras_are_unknown_tracklets_are_cut_in_half(tmp_path):
    names = [f"{identity:04d}/{number:03d}.png" for identity in (5, 7, 10, 15) for number in range(identity)]
    names.append("0020/000.png")
    found = open_identities("folder", str(fill(tmp_path, names)), "mod5_tracklets")
    assert set(found.train.identities.tolist()) == {7}
    for part, wanted in ((found.query, {5: 2, 10: 5, 15: 7}), (found.gallery, {5: 3, 10: 5, 15: 8, 20: 1})):
        assert dict(zip(*np.unique(part.identities, return_counts=True), strict=True)) == wanted
    assert bare(found.query)[:2] == ["000", "001"]  # the first half, by name
    assert not set(found.query.names) & set(found.gallery.names)


@pytest.mark.parametrize("split", ["mod5", "all", "mod5_tracklets"])
def test_junk_trains_nothing(tmp_path, split):
    names = [f"{name}/{number}.png" for name in ("-1", "1", "5", "7") for number in range(2)]
    found = open_identities("folder", str(fill(tmp_path, names)), split)
    assert set(found.train.identities.tolist()) == ({1, 7} if split != "all" else {1, 5, 7})
    assert -1 not in found.query.identities


def test_junk_is_searched_in_but_not_for(tmp_path):
    parts = ("train", "query", "gallery")
    names = [f"{part}/{name}/{number}.png" for part in parts for name in ("-1", "3") for number in range(2)]
    found = open_identities("folder", str(fill(tmp_path, names)))
    assert found.train.identities.tolist() == found.query.identities.tolist() == [3, 3]
    assert found.gallery.identities.tolist() == [-1, -1, 3, 3]


SIX_CAMERAS = [
    f"bounding_box_train/{identity:04d}_c{camera}s1_{number:06d}_00.jpg"
    for identity in range(5, 15)
    for camera in range(1, 7)
    for number in range(2)
]


def test_a_transfer_between_cameras_has_no_identity_on_both_sides(tmp_path):
    root = str(fill(tmp_path, SIX_CAMERAS))
    source, target = (open_identities("market1501", root, split) for split in ("cameras123", "cameras456"))
    assert set(source.train.identities % 5) == {1, 2}
    assert set(target.train.identities % 5) == {3, 4}
    for side, cameras in ((source, {0, 1, 2}), (target, {3, 4, 5})):
        assert set(side.query.identities) == set(side.gallery.identities) == {5, 10}
        for part in (side.train, side.query, side.gallery):
            assert set(part.cameras) == cameras


def test_a_recipe_is_chosen_without_those_who_judge_it(tmp_path):
    found = open_identities("market1501", str(fill(tmp_path, SIX_CAMERAS)), "cameras456_tuning")
    assert set(found.train.identities % 5) == {3}
    assert set(found.query.identities % 5) == set(found.gallery.identities % 5) == {4}
    for part in (found.train, found.query, found.gallery):
        assert set(part.cameras) == {3, 4, 5}


def test_all_trains_with_everything_and_judges_where_it_can(tmp_path):
    found = open_identities("market1501", str(fill(tmp_path, TRAIN)), "all")
    assert (len(found.train), len(found.query), len(found.gallery)) == (7, 0, 0)
    fill(tmp_path, TEST[:1])
    assert len(open_identities("market1501", str(tmp_path), "all").query) == 0  # a query alone finds nothing
    fill(tmp_path, TEST)
    found = open_identities("market1501", str(tmp_path), "all")
    assert (len(found.train), len(found.query), len(found.gallery)) == (7, 1, 1)


def test_parts_that_are_not_wanted_need_not_be_there(tmp_path):
    found = open_identities("market1501", str(fill(tmp_path, TEST)), parts=("query", "gallery"))
    assert (len(found.train), len(found.query), len(found.gallery)) == (0, 1, 1)
    found = open_identities("market1501", str(fill(tmp_path, TRAIN)), "mod5", parts=("gallery",))
    assert (len(found.train), len(found.query), len(found.gallery)) == (0, 0, 2)
    with pytest.raises(IndexError):
        found.query.read(0)


def test_first_of_each_camera_goes_by_name_not_by_order():
    names = ("b", "a", "d", "c", "e")
    whole = in_memory([1, 1, 1, 2, 1], [0, 0, 1, 0, -1])
    pictures = type(whole)(names, whole.identities, whole.cameras, whole.sequences, whole.read)
    assert first_of_each_camera(pictures).tolist() == [False, True, True, True, True]
    assert first_of_each_camera(pictures[:0]).tolist() == []


def test_mod5_of_the_real_training_part(shared_data):
    found = open_identities(
        "market1501", str(shared_data / "reid" / "market1501_bounding_box_train.tar"), "mod5"
    )
    assert (len(found.train), len(found.query), len(found.gallery)) == (10383, 620, 1933)
    assert not np.isin(found.query.identities, found.train.identities).any()
    assert set(found.query.identities % 5) == set(found.gallery.identities % 5) == {0}
    # a slow reading of the rule
    asked, rest = set(), []
    for name in sorted(found.query.names + found.gallery.names):
        key = name.split("/")[1][:7]
        if key in asked:
            rest.append(name)
        asked.add(key)
    assert sorted(found.gallery.names) == rest
