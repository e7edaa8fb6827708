import threading

import cv2
import numpy as np
import pytest

from rtreid_ros.datasets.identities import UNKNOWN, open_identities
from rtreid_ros.datasets.identities.mot import _FrameCache
from rtreid_ros.errors import ConfigError, SourceError

SIZE = (100, 200)


def frame(number):
    """Pixels that say where they come from: blue = frame, green = row, red = column."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([np.full(SIZE, number), rows, columns], -1).astype(np.uint8)


def sequence(root, name, lines, frames=3):
    folder = root / name
    (folder / "gt").mkdir(parents=True)
    (folder / "img1").mkdir()
    (folder / "seqinfo.ini").write_text(
        f"[Sequence]\nname={name}\nframeRate=25\nseqLength={frames}\nimWidth={SIZE[1]}\nimHeight={SIZE[0]}\n"
        "imDir=img1\nimExt=.png\n"
    )
    (folder / "gt" / "gt.txt").write_text("".join(f"{line}\n" for line in lines))
    for number in range(1, frames + 1):
        cv2.imwrite(str(folder / "img1" / f"{number:06d}.png"), frame(number))
    return folder


GOOD = [
    "3,5,10,20,30,60,1,1,1",
    "1,5,10,20,30,60,1,1,1",
    "2,4,50,10,20,50,1,1,0.9",
    "1,4,50,10,20,50,1,1,0.5",
]
BAD = [
    "1,6,10,20,30,60,1,7,1",  # a static person
    "1,7,10,20,30,60,0,1,1",  # not to be considered
    "1,8,10,20,30,60,1,1,0.2",  # hidden
    "1,9,10,20,15,60,1,1,1",  # narrow
    "1,10,10,20,30,39,1,1,1",  # low
    "1,11,-20,20,30,60,1,1,1",  # narrow inside the image
    "1,12,10,70,30,60,1,1,1",  # low inside the image
]


def test_people_are_cut_out_in_order_of_frames(tmp_path):
    sequence(tmp_path, "MOT16-02", [*GOOD, *BAD])
    train = open_identities("mot", str(tmp_path), "all").train
    assert train.names == ("MOT16-02/000001/4", "MOT16-02/000001/5", "MOT16-02/000002/4", "MOT16-02/000003/5")
    assert train.identities.tolist() == [1, 2, 1, 2]
    assert train.cameras.tolist() == [UNKNOWN] * 4
    assert train.sequences.tolist() == [0] * 4
    for row, (number, x, y, w, h) in enumerate(
        [(1, 50, 10, 20, 50), (1, 10, 20, 30, 60), (2, 50, 10, 20, 50)]
    ):
        np.testing.assert_array_equal(train.read(row), frame(number)[y : y + h, x : x + w])


def test_options_let_more_in_or_less(tmp_path):
    sequence(tmp_path, "A", [*GOOD, *BAD])

    def ids(**options):
        train = open_identities("mot", str(tmp_path), "all", **options).train
        return [int(name.split("/")[-1]) for name in train.names]

    assert ids() == [4, 5, 4, 5]
    assert ids(least_visible=0.2) == [4, 5, 8, 4, 5]
    assert ids(least_width=15) == [4, 5, 9, 4, 5]
    assert ids(least_width=10) == [4, 5, 9, 11, 4, 5]
    assert ids(least_height=30) == [4, 5, 10, 12, 4, 5]
    assert ids(step=2) == [4, 5, 5]
    with pytest.raises(SourceError, match="nobody in A is large and visible enough"):
        ids(least_height=90)


def test_the_margin_is_a_share_of_the_size_and_stays_in_the_image(tmp_path):
    sequence(tmp_path, "A", ["1,1,40,30,40,50,1,1,1", "1,2,0,10,40,85,1,1,1"])
    train = open_identities("mot", str(tmp_path), "all", margin=0.1).train
    np.testing.assert_array_equal(train.read(0), frame(1)[25:85, 36:84])
    np.testing.assert_array_equal(train.read(1), frame(1)[2:100, 0:44])  # 8.5 pixels round to 8


def test_an_identity_is_a_sequence_and_an_id(tmp_path):
    for name in ("MOT17-02-FRCNN", "MOT17-02-DPM", "MOT17-04-SDP"):
        sequence(tmp_path, name, GOOD)
    train = open_identities("mot", str(tmp_path), "all").train
    # MOT17 has each sequence thrice: once is enough
    assert {name.split("/")[0] for name in train.names} == {"MOT17-02", "MOT17-04"}
    assert train.identities.tolist() == [1, 2, 1, 2, 3, 4, 3, 4]
    assert train.sequences.tolist() == [0] * 4 + [1] * 4


def test_held_out_sequences_are_query_and_gallery(tmp_path):
    for name in ("A", "B", "C"):
        sequence(tmp_path, name, GOOD)
    found = open_identities("mot", str(tmp_path), held_out=("B",))
    assert found.train.identities.tolist() == [1, 2, 1, 2, 5, 6, 5, 6]
    assert found.query.names == ("B/000001/4", "B/000001/5")
    assert found.gallery.names == ("B/000002/4", "B/000003/5")
    assert found.query.identities.tolist() == found.gallery.identities.tolist() == [3, 4]
    with pytest.raises(SourceError, match="no sequence is left for the query part; held_out names those"):
        open_identities("mot", str(tmp_path))
    with pytest.raises(SourceError, match="no sequence is left for the train part"):
        open_identities("mot", str(tmp_path), held_out=("A", "B", "C"))
    with pytest.raises(ConfigError, match="held_out: no sequence 'D'; there are A, B, C"):
        open_identities("mot", str(tmp_path), held_out=("D",))


def test_one_sequence_may_be_the_root(tmp_path):
    folder = sequence(tmp_path, "A", GOOD)
    assert len(open_identities("mot", str(folder), "all").train) == 4


def test_missing_things_are_named(tmp_path):
    with pytest.raises(SourceError, match="no such folder of MOTChallenge sequences"):
        open_identities("mot", str(tmp_path / "nothing"))
    with pytest.raises(SourceError, match=r"no sequences with gt/gt\.txt and seqinfo\.ini"):
        open_identities("mot", str(tmp_path))
    folder = sequence(tmp_path, "A", GOOD)
    (folder / "img1" / "000002.png").unlink()
    cv2.imwrite(str(folder / "img1" / "000003.png"), frame(3)[:10])
    train = open_identities("mot", str(tmp_path), "all").train
    with pytest.raises(SourceError, match=r"000002\.png: cannot be read"):
        train.read(2)
    with pytest.raises(SourceError, match=r"000003\.png: is smaller than seqinfo\.ini says; A/000003/5 lies"):
        train.read(3)
    (folder / "img1").rename(folder / "img2")
    with pytest.raises(SourceError, match="img1: no pictures of sequence A"):
        open_identities("mot", str(tmp_path), "all")


def test_threads_decode_a_frame_once(tmp_path, monkeypatch):
    folder = sequence(tmp_path, "A", GOOD, frames=4)
    reads, lock = [], threading.Lock()
    real = cv2.imdecode

    def imdecode(*arguments):
        with lock:
            reads.append(1)
        return real(*arguments)

    monkeypatch.setattr(cv2, "imdecode", imdecode)
    cache = _FrameCache(2)
    paths = [folder / "img1" / f"{number:06d}.png" for number in (1, 2, 3)]
    gate = threading.Barrier(8)
    seen = []

    def work():
        gate.wait()
        seen.append(int(cache.read(paths[0])[0, 0, 0]))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 8
    assert len(reads) == 1
    for row in (1, 0, 2, 0, 1):  # 0 stays, used just before 1 would have pushed it out
        assert int(cache.read(paths[row])[0, 0, 0]) == row + 1
    assert len(reads) == 4


def test_real_ground_truth_without_pictures_says_so(shared_data):
    with pytest.raises(SourceError, match="no pictures of sequence MOT17-02"):
        open_identities("mot", str(shared_data / "mot" / "MOT17"), "all")
