"""From folders to recordings, and what is said where that fails."""

import numpy as np
import pytest
from support import kitti, sequences

from rtreid_ros.boxes import ltwh_to_xyxy
from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.kitti_text import CAR
from rtreid_ros.recordings import open_recordings
from rtreid_ros.recordings.stored import StoredDetections, read_stored, write_stored


def test_a_folder_of_sequences(tmp_path):
    sequences.write(tmp_path, "B", length=6)
    sequences.write(tmp_path, "A", length=12, rate=10)
    (tmp_path / "notes").mkdir()
    first, second = open_recordings(tmp_path)
    assert (first.name, first.frame_rate, first.width, first.height, first.length) == ("A", 10, 640, 480, 12)
    assert (second.name, len(second.frames)) == ("B", 6)
    assert [frame.number for frame in first.frames] == list(range(1, 13))
    assert [frame.stamp for frame in first.frames] == [index / 10 for index in range(12)]
    assert first.frames[2].detections.boxes.tolist() == [[16, 20, 56, 110], [116, 21, 156, 111]]
    assert first.frames[2].detections.scores.tolist() == pytest.approx([0.9, 0.8])
    assert first.frames[2].camera_motion is None
    assert len(first.truth) == 24
    assert (first.benchmark, first.class_names) == ("MOT17", ("person",))


def test_one_sequence_and_some_of_many(tmp_path):
    for name in "ABC":
        sequences.write(tmp_path, name)
    assert [item.name for item in open_recordings(tmp_path / "B")] == ["B"]
    assert [item.name for item in open_recordings(tmp_path, sequences=("C", "A"))] == ["C", "A"]


def test_parts_keep_their_frame_numbers(tmp_path):
    sequences.write(tmp_path, length=13, rate=10, motion=True)
    (first,) = open_recordings(tmp_path, part="first-half")
    (second,) = open_recordings(tmp_path, part="second-half")
    assert [frame.number for frame in first.frames] == [1, 2, 3, 4, 5, 6]
    assert [frame.number for frame in second.frames] == [8, 9, 10, 11, 12, 13]
    assert second.frames[0].stamp == 0
    assert second.frames[3].stamp == pytest.approx(0.3)
    assert (second.length, second.truth.last_frame) == (13, 13)
    # the line of index 7 is the motion from frame 7 to frame 8
    assert second.frames[0].camera_motion.tolist() == [[1, 0, 7], [0, 1, 0]]


def test_frames_without_detections_are_there(tmp_path):
    root = sequences.write(tmp_path, length=5)
    lines = [line for line in (root / "det/det.txt").read_text().splitlines() if line[0] not in "13"]
    (root / "det/det.txt").write_text("\n".join(lines) + "\n")
    (recording,) = open_recordings(root)
    assert [len(frame.detections) for frame in recording.frames] == [0, 2, 0, 2, 2]
    (root / "det/det.txt").write_text("")
    (recording,) = open_recordings(root)
    assert [len(frame.detections) for frame in recording.frames] == [0] * 5
    assert recording.detections_per_frame == 0


def test_weak_and_empty_detections_are_left_out(tmp_path):
    root = sequences.write(tmp_path, length=2)
    with (root / "det/det.txt").open("a") as stream:
        stream.write("2,-1,5,5,0,9,0.9,-1,-1,-1\n2,-1,5,5,9,9,1.7,-1,-1,-1\n")
    (recording,) = open_recordings(root, min_score=0.85)
    assert [len(frame.detections) for frame in recording.frames] == [1, 2]
    assert recording.frames[1].detections.scores.max() == 1  # detectors of old go beyond


def test_several_detection_files_are_listed(tmp_path):
    root = sequences.write(tmp_path, detections=("det_a", "det_b"))
    with pytest.raises(
        ConfigError, match=r"A: several detection files, say which: det/det_a.txt, det/det_b.txt"
    ):
        open_recordings(root)
    assert len(open_recordings(root, detections="det/det_b.txt")) == 1
    with pytest.raises(
        SourceError, match=r"no detections 'det/c.txt' in .*; there are det/det_a.txt, det/det"
    ):
        open_recordings(root, detections="det/c.txt")


def test_detections_may_lie_in_a_folder_of_their_own(tmp_path):
    root = sequences.write(tmp_path / "data", "A", title="A-FRCNN", detections=())
    with pytest.raises(SourceError, match=r"A: no detections in .*det; name a file or folder"):
        open_recordings(root)
    found = tmp_path / "found"
    found.mkdir()
    with pytest.raises(SourceError, match=r"no detections of A; looked for A.txt, A.npz, A-FRCNN.txt"):
        open_recordings(root, detections=found)
    (found / "A-FRCNN.txt").write_text("3,-1,10,10,20,40,0.7\n")
    (recording,) = open_recordings(root, detections=found)
    assert [len(frame.detections) for frame in recording.frames][:4] == [0, 0, 1, 0]
    (found / "A.txt").write_text("")
    with pytest.raises(SourceError, match=r"both A.txt and A-FRCNN.txt"):
        open_recordings(root, detections=found)


@pytest.mark.parametrize("name", ["det/det.npz", "emb"])
def test_embeddings_follow_the_order_of_the_detection_file(tmp_path, name):
    root = sequences.write(tmp_path, length=3, detections=())
    lines = ["3,-1,0,0,9,9,0.9", "1,-1,0,0,9,9,0.9", "3,-1,50,0,9,9,0.9", "2,-1,0,0,9,9,0.05"]
    vectors = np.eye(4, dtype=np.float32)
    if name == "emb":  # beside a text file, whose rows need not be sorted
        (root / "det" / "det.txt").write_text("\n".join(lines) + "\n")
        (tmp_path / "emb").mkdir()
        np.savez(tmp_path / "emb" / "A.npz", embeddings=vectors, frames=[3, 1, 3, 2])
        (recording,) = open_recordings(root, embeddings=tmp_path / "emb", min_score=0.1)
    else:
        rows = np.array([[float(word) for word in line.split(",")] for line in lines], np.float32)
        boxes = ltwh_to_xyxy(rows[:, 2:6])
        np.savez(
            root / name, frames=rows[:, 0].astype(int), boxes=boxes, scores=rows[:, 6], embeddings=vectors
        )
        (recording,) = open_recordings(root, min_score=0.1)
    assert recording.frames[0].detections.embeddings.tolist() == [vectors[1].tolist()]
    assert recording.frames[1].detections.embeddings.shape == (0, 4)
    assert recording.frames[2].detections.embeddings.tolist() == [vectors[0].tolist(), vectors[2].tolist()]
    assert recording.frames[2].detections.boxes[1, 0] == 50


def test_embeddings_that_do_not_fit_are_refused(tmp_path):
    root = sequences.write(tmp_path, length=2)
    path = root / "emb.npz"
    for arrays, says in (
        ({"embeddings": np.ones((3, 8))}, "3 embeddings for 4 detections"),
        ({"embeddings": np.ones(4)}, "floats of shape"),
        ({"vectors": np.ones((4, 8))}, "no array 'embeddings'"),
        ({"embeddings": np.ones((4, 8)), "frames": [1, 1, 1, 2]}, "not those of"),
    ):
        np.savez(path, **arrays)
        with pytest.raises(SourceError, match=says):
            open_recordings(root, embeddings="emb.npz")
    with pytest.raises(SourceError, match=r"no embeddings 'none.npz'"):
        open_recordings(root, embeddings="none.npz")


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(SourceError, match="no such folder"):
        open_recordings(tmp_path / "none")
    with pytest.raises(SourceError, match=r"no sequences; looked for seqinfo.ini"):
        open_recordings(tmp_path)
    root = sequences.write(tmp_path, "Abc", length=4)
    with pytest.raises(SourceError, match=r"no sequence 'Abd' \(did you mean 'Abc'\?\); there are Abc"):
        open_recordings(tmp_path, sequences=("Abd",))
    with pytest.raises(ConfigError, match=r"no part 'second'.*; there are all, first-half, second-half"):
        open_recordings(root, part="second")
    (root / "gmc.txt").write_text("0 1 0 0 0 1\n")
    with pytest.raises(SourceError, match=r"gmc.txt: line 1"):
        open_recordings(root)
    (root / "gmc.txt").unlink()
    (root / "det/det.txt").write_text("5,-1,0,0,9,9,1\n")
    with pytest.raises(SourceError, match="frame 5, but Abc has 4 frames"):
        open_recordings(root)
    (root / "det/det.txt").write_text("1,-1,0,0,9,x,1\n")
    with pytest.raises(SourceError, match="line 1: not all numbers"):
        open_recordings(root)


def test_kitti_folders(tmp_path):
    training, _ = kitti.write(tmp_path, {"0000": 20, "0001": 9})
    first, second = open_recordings(training, min_score=0.6)
    assert (first.name, first.frame_rate, len(first.frames), second.length) == ("0000", 10, 20, 9)
    assert (first.benchmark, first.class_names[CAR]) == ("KITTI", "car")
    lines = [line.split() for line in (training / "det_02" / "0000.txt").read_text().splitlines()]
    good = [words for words in lines if words[0] == "3" and float(words[-1]) >= 0.6]
    found = first.frames[3].detections  # number 4
    assert found.boxes.tolist() == [[float(np.float32(word)) for word in words[6:10]] for words in good]
    assert [first.class_names[row] for row in found.class_ids] == [words[2].lower() for words in good]
    (half,) = open_recordings(training, sequences=("0001",), part="second-half")
    assert [frame.number for frame in half.frames] == [6, 7, 8, 9]


def test_kitti_with_several_detectors(tmp_path):
    training, _ = kitti.write(tmp_path, {"0000": 5})
    file = training / "det_02" / "0000.txt"
    for name in ("lsvm", "regionlets"):
        (training / "det_02" / name).mkdir()
        (training / "det_02" / name / "0000.txt").write_text(file.read_text())
    file.unlink()
    with pytest.raises(
        ConfigError, match=r"several detection files, say which: det_02/lsvm, det_02/regionlets"
    ):
        open_recordings(training)
    assert len(open_recordings(training, detections="det_02/lsvm")) == 1


def test_a_malformed_line_of_kitti_is_named(tmp_path):
    training, _ = kitti.write(tmp_path, {"0000": 5})
    with (training / "det_02" / "0000.txt").open("a") as stream:
        stream.write("4 1 Car 0 0\n")
    with pytest.raises(SourceError, match=r"det_02/0000.txt, line \d+: 5 columns"):
        open_recordings(training)


def stored(**more):
    values = {
        "frames": np.array([1, 1, 3]),
        "boxes": np.array([[0, 0, 9, 9], [1.1, 2.2, 3.3, 4.4], [0, 0, 1, 1]], np.float32),
        "scores": np.array([0.9, 0.1, 0.5], np.float32),
        "class_ids": np.array([0, 1, 1], np.int32),
        "class_names": ("person", "dog"),
        "numbers": np.array([1, 2, 3, 4]),
        "key": "abc",
    }
    return StoredDetections(**{**values, **more})


def test_stored_detections_come_back_exactly(tmp_path):
    vectors = np.random.default_rng(0).normal(size=(3, 7)).astype(np.float32)
    write_stored(tmp_path / "deep" / "A.npz", stored(embeddings=vectors))
    back = read_stored(tmp_path / "deep" / "A.npz")
    for name in ("frames", "boxes", "scores", "class_ids", "numbers"):
        np.testing.assert_array_equal(getattr(back, name), getattr(stored(), name))
    np.testing.assert_array_equal(back.embeddings, vectors)
    assert (back.class_names, back.key, back.last_frame) == (("person", "dog"), "abc", 4)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["A.npz"]  # no partial file left


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"boxes": None}, "no array 'boxes'"),
        (
            {"boxes": np.zeros((3, 5), np.float32)},
            r"boxes must be floats of shape \(3, 4\), got float32 of shape \(3, 5",
        ),
        ({"scores": np.zeros(2, np.float32)}, r"scores must be floats of shape \(3,\)"),
        ({"frames": np.array([0, 1, 2])}, "frame 0; frames count from 1"),
        ({"frames": np.array([0.5, 1, 2])}, "frames must be integers"),
        ({"class_ids": np.array([0, 1, 2])}, "class_ids go up to 2, there are 2 class_names"),
        ({"embeddings": np.zeros((2, 8), np.float32)}, "2 embeddings for 3 detections"),
        ({"boxes": np.array([object()] * 3)}, "not a readable .npz"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(tmp_path, change, says):
    path = tmp_path / "A.npz"
    write_stored(path, stored())
    with np.load(path) as content:
        arrays = {**content, **change}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(SourceError, match=says):
        read_stored(path)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "A.npz"
    write_stored(path, stored())
    content = bytearray(path.read_bytes())
    content[content.index(np.float32(0.9).tobytes())] ^= 1  # one bit of a score
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"not a readable .npz"):
        read_stored(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceError, match=r"not a readable .npz"):
        read_stored(path)
    path.write_text("1,1,0,0\n")
    with pytest.raises(SourceError, match="not a"):
        read_stored(path)


def test_a_link_among_others_bears_its_own_name(tmp_path):
    sequences.write(tmp_path / "elsewhere", "A")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "B").symlink_to(tmp_path / "elsewhere" / "A")
    assert [item.name for item in open_recordings(tmp_path / "data")] == ["B"]
