"""Data sets in which nobody is named."""

import json

import cv2
import numpy as np
import pytest

from rtreid_ros.datasets.identities import DATASETS, UNKNOWN, IdentityOptions, open_identities
from rtreid_ros.errors import SourceError


def harvest(folder, tracklets, names=("", "front", "rear", "stairs")):
    """A harvest of tracklets: camera, track, tracks beside it, frames of its crops; `names` of cameras."""
    lines = []
    for camera, track, together, frames in tracklets:
        files = [f"c{camera}_t{track:06d}/t{track:06d}_c{camera}_{frame:06d}.jpg" for frame in frames]
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / file), np.full((16, 8, 3), track, np.uint8))
        crops = [{"file": file} for file in files]
        where = {"camera": camera, "camera_name": names[camera]}
        lines.append(json.dumps({**where, "track": track, "together": together, "crops": crops}))
    (folder / "index.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def test_tracklets_have_cameras_and_know_who_is_apart(tmp_path):
    # track 9 of camera 1 gave no crops; track 5 is there twice, once for each camera
    root = harvest(
        tmp_path, [(1, 5, [7, 9], [3, 8]), (1, 7, [5], [3]), (2, 5, [6], [1]), (2, 6, [5], [2, 4])]
    )
    found = open_identities("tracklets", str(root), "all")
    assert (len(found.train), len(found.query), len(found.gallery)) == (6, 0, 0)
    assert found.train.identities.tolist() == found.train.sequences.tolist() == [0, 0, 1, 2, 3, 3]
    assert found.train.cameras.tolist() == [0, 0, 0, 1, 1, 1]
    assert [int(found.train.read(row).mean().round()) for row in (0, 2, 5)] == [5, 7, 6]
    assert DATASETS["tracklets"](str(root), IdentityOptions()).apart().tolist() == [[0, 1], [2, 3]]


def test_several_harvests_are_one_set_with_cameras_by_name(tmp_path):
    one = harvest(tmp_path / "one", [(1, 5, [6], [3, 8]), (1, 6, [5], [3]), (2, 5, [], [3])])
    two = harvest(
        tmp_path / "two", [(1, 5, [], [3]), (2, 6, [5], [3]), (2, 5, [6], [4])], ("", "yard", "front")
    )
    root = f"{one}, {two}"
    found = open_identities("tracklets", root, "all").train
    assert found.identities.tolist() == [0, 0, 1, 2, 3, 5, 4]
    assert found.cameras.tolist() == [0, 0, 0, 1, 2, 0, 0]
    assert found.names[3:5] == (
        "one/c2_t000005/t000005_c2_000003.jpg",
        "two/c1_t000005/t000005_c1_000003.jpg",
    )
    assert [int(found.read(row).mean().round()) for row in range(7)] == [5, 5, 6, 5, 5, 5, 6]
    assert DATASETS["tracklets"](root, IdentityOptions()).apart().tolist() == [[0, 1], [4, 5]]
    with pytest.raises(SourceError, match="is named twice in"):
        open_identities("tracklets", f"{one},{tmp_path}/./one", "all")


def test_a_name_twice_in_a_harvest_is_two_cameras(tmp_path):
    root = harvest(tmp_path / "a,b", [(1, 5, [], [3]), (2, 5, [], [3])], ("", "front", "front"))
    assert open_identities("tracklets", str(root), "all").train.cameras.tolist() == [0, 1]


def test_the_data_set_of_folders_reads_a_harvest_too(tmp_path):
    found = open_identities("folder", str(harvest(tmp_path, [(1, 5, [], [3, 8]), (3, 7, [], [3])])), "all")
    assert (len(found.train), found.train.cameras.tolist()) == (3, [0, 0, 1])


def test_what_is_no_harvest_is_said(tmp_path):
    with pytest.raises(SourceError, match=r"no index\.jsonl, so it is no harvest"):
        open_identities("tracklets", str(tmp_path), "all")
    (tmp_path / "index.jsonl").write_text('{"camera": 1}\n')
    with pytest.raises(
        SourceError, match=r"line 1 of index\.jsonl is no tracklet \(KeyError: 'camera_name'\)"
    ):
        open_identities("tracklets", str(tmp_path), "all")
    (tmp_path / "index.jsonl").write_text("")
    with pytest.raises(SourceError, match="an empty harvest"):
        open_identities("tracklets", str(tmp_path), "all")
    with pytest.raises(SourceError, match="has no query part, for nobody knows who is who"):
        open_identities("tracklets", str(tmp_path), "official", ("query",))


def test_loose_pictures_are_all_different(tmp_path):
    for name in ("b_c2.png", "a.png", "deep/er/x_c1s1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    found = open_identities("unlabelled", str(tmp_path), "all").train
    assert found.names == ("a.png", "b_c2.png", "deep/er/x_c1s1.png")
    assert found.identities.tolist() == [0, 1, 2]
    assert found.cameras.tolist() == [UNKNOWN, 1, 0]
    with pytest.raises(SourceError, match="loose pictures have no gallery part"):
        open_identities("unlabelled", str(tmp_path), "official", ("gallery",))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no pictures"):
        open_identities("unlabelled", str(tmp_path / "empty"), "all")
