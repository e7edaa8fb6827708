import gzip
import logging

import numpy as np
import pytest
from support.identities import fill, number_of, pack

from rtreid_ros.datasets.identities import DATASETS, UNKNOWN, describe_dataset, open_identities
from rtreid_ros.errors import ConfigError, SourceError

MARKET = [
    "bounding_box_train/0007_c2s1_000151_01.jpg",
    "bounding_box_train/0002_c1s1_000451_03.jpg",
    "bounding_box_train/0002_c6s4_000551_01.jpg",
    "bounding_box_train/-1_c1s1_000001_00.jpg",
    "query/0003_c1s3_000001_00.jpg",
    "bounding_box_test/-1_c3s1_000401_03.jpg",
    "bounding_box_test/0000_c5s2_000401_03.jpg",
    "bounding_box_test/0003_c2s1_000076_00.jpg",
    "bounding_box_test/Thumbs.db",
]
DUKE = [
    "bounding_box_train/0001_c2_f0046182.jpg",
    "bounding_box_train/0001_c8_f0000001.jpg",
    "query/0005_c2_f0046985.jpg",
    "bounding_box_test/0005_c5_f0051341.jpg",
    "bounding_box_test/5000_c1_f0051341.jpg",
]
VERI = [
    "image_train/0001_c001_00016450_0.jpg",
    "image_query/0002_c002_00030600_0.jpg",
    "image_test/0002_c002_00030600_0.jpg",
    "image_test/0002_c002_00030605_1.jpg",
    "image_test/0002_c020_00033000_0.jpg",
    "image_test/0005_c003_00033000_0.jpg",
]
MSMT = [
    "0000/0000_000_01_0303morning_0015_0.jpg",
    "0001/0001_004_15_0303noon_0021_2.jpg",
    "0001/0001_005_02_0302afternoon_0021_2.jpg",
    "0000/0000_000_03_0303morning_0015_0.jpg",
    "0000/0000_001_04_0303noon_0015_0.jpg",
]


def columns(part):
    return [part.identities.tolist(), part.cameras.tolist(), part.sequences.tolist()]


@pytest.mark.parametrize("packed", [False, True])
def test_market(tmp_path, packed):
    root = pack(tmp_path / "m.tar", MARKET) if packed else fill(tmp_path / "m", MARKET)
    found = open_identities("market1501", str(root))
    assert found.train.names == (MARKET[1], MARKET[2], MARKET[0])
    assert columns(found.train) == [[2, 2, 7], [0, 5, 1], [0, 3, 0]]
    assert columns(found.query) == [[3], [0], [2]]
    # junk stays in the gallery, a distractor is 0, what is no picture is not seen
    assert columns(found.gallery) == [[-1, 0, 3], [2, 4, 1], [0, 1, 0]]
    assert [number_of(found.train.read(row)) for row in range(3)] == [1, 2, 0]
    assert number_of(found.gallery.read(2)) == 7


def test_duke(tmp_path):
    found = open_identities("dukemtmc", str(fill(tmp_path, DUKE)))
    assert columns(found.train) == [[1, 1], [1, 7], [UNKNOWN, UNKNOWN]]
    assert columns(found.query) == [[5], [1], [UNKNOWN]]
    assert columns(found.gallery) == [[5, 5000], [4, 0], [UNKNOWN, UNKNOWN]]


def test_veri_without_a_list_has_a_track_per_vehicle_and_camera(tmp_path):
    found = open_identities("veri776", str(fill(tmp_path, VERI)))
    assert columns(found.train) == [[1], [0], [0]]
    assert columns(found.query) == [[2], [1], [0]]
    assert columns(found.gallery) == [[2, 2, 2, 5], [1, 1, 19, 2], [0, 0, 1, 2]]


def test_veri_takes_tracks_from_its_list(tmp_path):
    names = [name.partition("/")[2] for name in VERI]
    fill(tmp_path, VERI)
    (tmp_path / "test_track.txt").write_text(f"0002_c002_t1 {names[3]}\n{names[2]} {names[4]} \n")
    gallery = open_identities("veri776", str(tmp_path)).gallery
    assert gallery.sequences.tolist() == [1, 0, 1, 4]  # the last is in no track: numbered behind them


@pytest.mark.parametrize("camera", ["000", "021", "1"])
def test_veri_has_twenty_cameras(tmp_path, camera):
    fill(tmp_path, [f"image_train/0001_c{camera}_00016450_0.jpg"])
    with pytest.raises(SourceError, match=r"no name of VeRi-776, such as 0002_c002_00030600_0\.jpg"):
        open_identities("veri776", str(tmp_path), "all")


def msmt(root, version, packed=False):
    train, test = {1: ("train", "test"), 2: ("mask_train_v2", "mask_test_v2")}[version]
    fill(root, [f"{train}/{name}" for name in MSMT[:3]])
    fill(root, [f"{test}/{name}" for name in MSMT[3:]])
    (root / "list_train.txt").write_text(f"{MSMT[1]} 1\n{MSMT[0]} 0\n")
    (root / "list_val.txt").write_text(f"{MSMT[2]} 1\n\n")
    (root / "list_query.txt").write_text(f"{MSMT[3]} 0\n")
    (root / "list_gallery.txt").write_text(f"{MSMT[4]} 0\n")
    return root


@pytest.mark.parametrize("version", [1, 2])
def test_msmt17(tmp_path, version):
    found = open_identities("msmt17", str(msmt(tmp_path, version)))
    # recordings in the order of their names: 0302afternoon, 0303morning, 0303noon
    assert columns(found.train) == [[0, 1, 1], [0, 14, 1], [1, 2, 0]]
    assert found.train.names[1].endswith(MSMT[1])
    assert number_of(found.train.read(1)) == 1
    assert columns(found.query) == [[0], [2], [0]]
    assert columns(found.gallery) == [[0], [3], [0]]
    assert number_of(found.gallery.read(0)) == 1
    without = open_identities("msmt17", str(tmp_path), validation=False)
    assert without.train.identities.tolist() == [0, 1]


@pytest.mark.parametrize(
    "line", ["0000/0000_000_01_0303morning_0015_0.jpg", "a.jpg 0", "x 0000_000_01_a.jpg"]
)
def test_a_wrong_line_of_msmt17_is_named(tmp_path, line):
    msmt(tmp_path, 1)
    (tmp_path / "list_train.txt").write_text(f"{MSMT[0]} 0\n{line}\n")
    with pytest.raises(SourceError, match=r"list_train\.txt, line 2: expected a picture and its identity"):
        open_identities("msmt17", str(tmp_path))


def test_msmt17_says_what_is_missing(tmp_path):
    msmt(tmp_path, 1)
    (tmp_path / "list_val.txt").unlink()
    with pytest.raises(SourceError, match=r"no list list_val\.txt"):
        open_identities("msmt17", str(tmp_path))
    (tmp_path / "test").rename(tmp_path / "tset")
    with pytest.raises(SourceError, match="no folder test or mask_test_v2"):
        open_identities("msmt17", str(tmp_path), parts=("query",))


def test_folders_of_numbers(tmp_path):
    fill(tmp_path, ["12/a_c3.png", "7/b_c10_x.png", "7/deep/c.png", "stray.png"])
    train = open_identities("folder", str(tmp_path), "all").train
    assert train.names == ("12/a_c3.png", "7/b_c10_x.png", "7/deep/c.png")
    # cameras 3 and 10 as 0 and 1; one name says nothing
    assert columns(train) == [[12, 7, 7], [0, 1, UNKNOWN], [UNKNOWN] * 3]


@pytest.mark.parametrize("packed", [False, True])
def test_folders_of_names_in_three_parts(tmp_path, packed):
    names = ["train/bob/1_c1.png", "train/ann/1.png", "query/cleo/1_c2.png", "gallery/ann/2_c2.png"]
    root = pack(tmp_path / "f.tar", names, "./") if packed else fill(tmp_path / "f", names)
    found = open_identities("folder", str(root))
    assert columns(found.train)[:2] == [[1, 2], [UNKNOWN, 0]]
    assert columns(found.query)[:2] == [[3], [1]]
    assert columns(found.gallery)[:2] == [[1], [1]]  # ann is the same in training and gallery
    assert number_of(found.gallery.read(0)) == 3


def test_folders_without_a_gallery_name_the_splits_that_need_none(tmp_path):
    fill(tmp_path, ["1/a.png"])
    with pytest.raises(
        SourceError, match="no folder query of folders of identities; the splits mod5 and all"
    ):
        open_identities("folder", str(tmp_path))


def test_folders_without_pictures(tmp_path):
    (tmp_path / "1").mkdir()
    with pytest.raises(SourceError, match="no pictures"):
        open_identities("folder", str(tmp_path), "all")


@pytest.mark.parametrize("place", ["", "Market-1501-v15.09.15/"])
@pytest.mark.parametrize("packed", [False, True])
def test_the_root_may_be_the_folder_around_it(tmp_path, place, packed):
    names = [place + name for name in MARKET]
    root = pack(tmp_path / "m.tar", names, "./") if packed else fill(tmp_path / "m", names)
    assert len(open_identities("market1501", str(root)).train) == 3


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    fill(tmp_path / "data", MARKET)
    assert len(open_identities("market1501", "~/data").query) == 1


def test_two_data_sets_in_one_root_are_refused(tmp_path):
    fill(tmp_path, [f"{place}/{name}" for place in ("a", "b") for name in MARKET])
    with pytest.raises(SourceError, match="several data sets of Market-1501, in a/, b/"):
        open_identities("market1501", str(tmp_path))


def test_names_of_another_layout_are_counted_or_refused(tmp_path, caplog):
    fill(tmp_path, [*MARKET, "query/x0003_c1s3_000001_00.jpg", "query/0003_c7s3_000001_00.jpg"])
    with caplog.at_level(logging.WARNING):
        assert len(open_identities("market1501", str(tmp_path)).query) == 1
    assert "2 of 3 names in query are not of Market-1501 and left out" in caplog.text
    assert "query/0003_c7s3_000001_00.jpg" in caplog.text
    with pytest.raises(
        SourceError, match=r"bounding_box_train holds no name of DukeMTMC-reID.*first is .*-1_c1s1_"
    ):
        open_identities("dukemtmc", str(tmp_path), parts=("train",))


def test_missing_things_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"nothing: no such folder or \.tar file"):
        open_identities("market1501", str(tmp_path / "nothing"))
    with pytest.raises(SourceError, match="no Market-1501: there is none of bounding_box_train, query"):
        open_identities("market1501", str(tmp_path))
    fill(tmp_path, MARKET[:3])
    with pytest.raises(SourceError, match="no folder query, where Market-1501 has its query part"):
        open_identities("market1501", str(tmp_path))
    (tmp_path / "query").mkdir()
    with pytest.raises(SourceError, match="no pictures in query"):
        open_identities("market1501", str(tmp_path))


def test_names_of_data_sets_splits_and_options_are_checked(tmp_path):
    people = ["dukemtmc", "folder", "market1501", "mot", "msmt17", "synthetic", "veri776"]
    assert set(DATASETS) == {*people, "tracklets", "unlabelled"}
    with pytest.raises(
        ConfigError, match=r"unknown identity data set 'market1502' \(did you mean 'market1501'"
    ):
        open_identities("market1502", str(tmp_path))
    with pytest.raises(ConfigError, match=r"unknown split 'mod6' \(did you mean 'mod5'"):
        open_identities("market1501", str(tmp_path), "mod6")
    with pytest.raises(
        ConfigError, match=r"Msmt17Options has no option 'valdation' \(did you mean 'validation'"
    ):
        open_identities("msmt17", str(tmp_path), valdation=False)


def test_pictures_that_cannot_be_read_are_named(tmp_path):
    fill(tmp_path, MARKET)
    names = [tmp_path / name for name in (MARKET[1], MARKET[2], MARKET[0])]
    names[0].write_bytes(b"")
    names[1].write_bytes(b"no picture")
    train = open_identities("market1501", str(tmp_path)).train
    names[2].unlink()
    for row, complaint in enumerate(
        ("decoded as a picture .0 bytes", "decoded as a picture .10 bytes", "cannot be read")
    ):
        with pytest.raises(SourceError, match=f"{names[row].name}.*{complaint}"):
            train.read(row)


def test_tar_files_that_are_none_or_compressed_or_cut_off(tmp_path):
    path = tmp_path / "m.tar"
    whole = pack(path, MARKET).read_bytes()
    contents = {"none": b"x" * 2000, "compressed": gzip.compress(whole), "cut off": whole[:1300]}
    for content in contents.values():
        path.write_bytes(content)
        with pytest.raises(SourceError, match=r"m\.tar: cannot be read as an uncompressed \.tar file"):
            open_identities("market1501", str(path))


def test_a_tar_file_cut_off_while_it_is_open(tmp_path):
    path = pack(tmp_path / "m.tar", MARKET)
    train = open_identities("market1501", str(path), "all").train
    whole = path.read_bytes()
    with path.open("r+b") as file:
        file.truncate(whole.index(MARKET[1].encode()) + 512 + 20)
    assert number_of(train.read(2)) == 0  # lies before the cut
    with pytest.raises(SourceError, match=f"ends in the middle of {MARKET[1]}; was it cut off"):
        train.read(0)


def test_statistics_of_a_data_set(tmp_path):
    fill(tmp_path, MARKET)
    lines = describe_dataset(open_identities("market1501", str(tmp_path))).splitlines()
    assert [line.split() for line in lines] == [
        ["market1501"],
        ["part", "identities", "images", "cameras", "sequences"],
        ["train", "2", "3", "3", "3"],
        ["query", "1", "1", "1", "1"],
        ["gallery", "2", "3", "3", "3"],
    ]
    lines = describe_dataset(
        open_identities("dukemtmc", str(fill(tmp_path / "d", DUKE)), "mod5")
    ).splitlines()
    assert [line.split()[1:] for line in lines[2:]] == [["1", "2", "2", "0"], *[["0", "0", "0", "0"]] * 2]


def test_the_real_training_part(shared_data):
    tar = shared_data / "reid" / "market1501_bounding_box_train.tar"
    train = open_identities("market1501", str(tar), "all").train
    assert len(train) == 12936
    assert len(np.unique(train.identities)) == 751
    assert np.unique(train.cameras).tolist() == list(range(6))
    assert train.read(0).shape == (128, 64, 3)
