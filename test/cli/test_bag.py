"""``rtreid bag``: there, back, and what it says about bags that are not as they should be."""

import configparser

import cv2
import numpy as np
import pytest
import yaml
from rosbags.highlevel import AnyReader
from support import sequences
from support.pictures import number_of, picture
from support.results import result_of, tracks_of

from rtreid_ros.bags import messages
from rtreid_ros.bags.definitions import message_types
from rtreid_ros.evaluation.mot_text import read_mot
from rtreid_ros.sinks.bag import BagSink
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sources import open_source
from rtreid_ros.types import TrackState

LENGTH = 6
TRUTH = (
    "1,1,10.5,20,40.25,90,1,1,0.75\n1,2,110,21,40,90.125,0,7,0.5\n2,1,12,20,40,90,1,1,1\n"
    "4,1,16,20,40,90,1,1,2.6772e-05\n"
)
DETECTIONS = "1,-1,10.829,79.4999,87.662,24.25,0.998128,-1,-1,-1\n3,-1,-5.5,0.1,30,60,0.5,-1,-1,-1\n"


@pytest.fixture
def sequence(tmp_path):
    """A sequence with JPEG pictures and awkward numbers."""

    def make(name="A", suffix=".jpg"):
        root = sequences.write(tmp_path, name, length=LENGTH)
        (root / "img1").mkdir()
        for number in range(LENGTH):
            cv2.imwrite(str(root / "img1" / f"{number + 1:06d}{suffix}"), picture(number))
        (root / "gt" / "gt.txt").write_text(TRUTH)
        (root / "det" / "det.txt").write_text(DETECTIONS)
        return root

    return make


def read(path):
    """Messages by topic: (recorded at, content)."""
    found = {}
    with AnyReader([path]) as reader:
        for connection, stamp, data in reader.messages():
            content = reader.deserialize(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((stamp, content))
    return found


EXIF_TURNED = bytes.fromhex("ffe1002245786966000049492a00080000000100120103000100000006000000") + bytes(4)
"""An APP1 segment with orientation 6: show it turned by a quarter."""


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_sequence_comes_back_byte_by_byte(rtreid, sequence, tmp_path, storage):
    root, bag, back = sequence(), tmp_path / "bag", tmp_path / "B"
    code, out, err = rtreid("bag", "from-mot", root, bag, "--storage", storage)
    assert code == 0, err
    assert "6 on /image/compressed, 6 on /ground_truth, 6 on /detections" in out
    assert "bag: 100%" in err
    metadata = yaml.safe_load((bag / "metadata.yaml").read_text())["rosbag2_bagfile_information"]
    assert (metadata["version"], metadata["storage_identifier"]) == (8, storage)  # what Humble reads
    code, out, err = rtreid("bag", "to-mot", bag, back)
    assert code == 0, err
    assert "6 images, 4 rows in gt.txt, 2 rows in det.txt" in out
    for name in ("gt/gt.txt", "det/det.txt", *(f"img1/{number:06d}.jpg" for number in range(1, 7))):
        assert (back / name).read_bytes() == (root / name).read_bytes(), name
    info = configparser.ConfigParser()
    info.read(back / "seqinfo.ini")
    assert dict(info["Sequence"]) == {
        "name": "B",
        "imdir": "img1",
        "framerate": "25",
        "seqlength": "6",
        "imwidth": "64",
        "imheight": "48",
        "imext": ".jpg",
    }


def test_real_ground_truth_and_detections_come_back(rtreid, shared_data, tmp_path):
    root = shared_data / "mot" / "MOT15" / "TUD-Stadtmitte"
    assert rtreid("bag", "from-mot", root, tmp_path / "bag", "--frames", 40, "--quiet")[0] == 0
    assert rtreid("bag", "to-mot", tmp_path / "bag", tmp_path / "back", "--quiet") == (0, "", "")
    for name in ("det/det.txt", "gt/gt.txt"):  # with the places in the world, which only MOT15 has
        lines = (root / name).read_text().splitlines(keepends=True)
        kept = [line for line in lines if int(line.partition(",")[0]) <= 40]
        assert (tmp_path / "back" / name).read_text() == "".join(kept)


def test_ground_truth_in_a_bag_is_that_of_the_sequence(rtreid, sequence, tmp_path):
    root = sequence()
    assert rtreid("bag", "from-mot", root, tmp_path / "bag", "--images", "raw", "--quiet")[0] == 0
    with open_source(str(root)) as first, open_source(str(tmp_path / "bag")) as second:
        assert (first.class_names, first.frame_rate) == (second.class_names, second.frame_rate)
        for one, other in zip(first, second, strict=True):
            assert (one.index, one.stamp_ns) == (other.index, other.stamp_ns)
            np.testing.assert_array_equal(one.image, other.image)
            for name in ("ids", "boxes", "class_ids", "visibility", "considered"):
                expected = getattr(one.truth, name)
                np.testing.assert_array_equal(getattr(other.truth, name), expected, err_msg=name)


@pytest.mark.parametrize("images", ["compressed", "raw"])
def test_where_a_picture_is_missing_the_others_keep_their_place(rtreid, sequence, tmp_path, images):
    root = sequence()
    for number in (1, 3, LENGTH):
        (root / "img1" / f"{number:06d}.jpg").unlink()
    (root / "img1" / "000005.jpg").write_bytes(b"rubbish")
    code, out, _ = rtreid("bag", "from-mot", root, tmp_path / "bag", "--images", images)
    assert code == 0
    assert "4 pictures missing, in their place are images without content" in out
    topic = "/image/compressed" if images == "compressed" else "/image"
    found = read(tmp_path / "bag")
    assert {name: len(rows) for name, rows in found.items()} == dict.fromkeys(
        (topic, "/ground_truth", "/detections"), LENGTH
    )
    assert [stamp for stamp, _ in found[topic]] == [stamp for stamp, _ in found["/ground_truth"]]
    assert {message.image_height for _, message in found["/ground_truth"]} == {picture(0).shape[0]}
    with open_source(str(tmp_path / "bag")) as source:
        assert [frame.index + 1 for frame in source] == [2, 4]
    words = ("--images", images, "--frames", 3)
    assert rtreid("bag", "from-mot", root, tmp_path / "part", *words)[0] == 0
    assert len(read(tmp_path / "part")[topic]) == 3


def test_raw_images_come_back_without_loss(rtreid, sequence, tmp_path):
    root = sequence(suffix=".png")
    assert rtreid("bag", "from-mot", root, tmp_path / "bag", "--images", "raw", "--quiet")[0] == 0
    assert rtreid("bag", "to-mot", tmp_path / "bag", tmp_path / "back", "--quiet")[0] == 0
    with open_source(str(root)) as first, open_source(str(tmp_path / "back")) as second:
        for one, other in zip(first, second, strict=True):
            np.testing.assert_array_equal(one.image, other.image)


def test_tracks_are_written_with_every_digit(rtreid, tmp_path):
    box = [0.1, 0.2, 20.3, 40.4]
    with BagSink(tmp_path / "bag", storage="sqlite3") as sink:
        states = [TrackState.CONFIRMED, TrackState.LOST]
        for index in range(3):
            sink.write(result_of(index, tracks_of([[7, *box, 0.8751], [9, 1, 1, 2, 2, 0.5]], states)))
    assert rtreid("bag", "to-mot", tmp_path / "bag", tmp_path / "back", "--quiet")[0] == 0
    table = read_mot(tmp_path / "back" / "tracks.txt")
    assert (table.frames.tolist(), set(table.ids)) == ([1, 2, 3], {7})
    corners = np.array(box, np.float32).astype(np.float64)
    assert table.boxes[0].tolist() == [*corners[:2], *(corners[2:] - corners[:2])]
    assert table.scores[0].astype(np.float32) == np.float32(0.8751)
    assert not (tmp_path / "back" / "gt").exists()


def test_videos_become_cameras_interleaved_in_time(rtreid, tmp_path):
    for name, rate, first in (("a", 10, 0), ("b", 20, 10)):
        size, codec = (64, 48), cv2.VideoWriter_fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(tmp_path / f"{name}.avi"), codec, rate, size)
        for number in range(4):
            writer.write(picture(first + number))
        writer.release()
    words = ("--images", "raw", "--namespace", "robot", "--topic", "image_raw", "--frame-id", "rig")
    start = "1700000000.000000005"
    code, _, err = rtreid(
        *("bag", "from-video", f"left={tmp_path / 'a.avi'}", f"right={tmp_path / 'b.avi'}"),
        *(tmp_path / "bag", *words, "--start", start, "--frames", 3),
    )
    assert code == 0, err
    found = read(tmp_path / "bag")
    assert sorted(found) == ["/robot/left/image_raw", "/robot/right/image_raw"]
    t0 = 1_700_000_000 * 10**9 + 5
    for topic, period in (("/robot/left/image_raw", 10**8), ("/robot/right/image_raw", 5 * 10**7)):
        stamps = [stamp for stamp, _ in found[topic]]
        assert stamps == [t0 + period * number for number in range(3)]
        heads = [message.header for _, message in found[topic]]
        assert [head.stamp.sec * 10**9 + head.stamp.nanosec for head in heads] == stamps
        assert {head.frame_id for head in heads} == {"rig"}
        assert found[topic][0][1].encoding == "bgr8"


def test_a_bag_can_be_written_again_at_another_time(rtreid, sequence, tmp_path):
    root = sequence()
    assert rtreid("bag", "from-mot", root, tmp_path / "a", "--start", 1000, "--quiet")[0] == 0
    for name, words, first in (("b", (), 1000), ("c", ("--start", 5), 5)):
        assert rtreid("bag", "from-video", tmp_path / "a", tmp_path / name, *words, "--quiet")[0] == 0
        with open_source(str(tmp_path / name)) as source:
            frames = list(source)
        assert [frame.stamp_ns for frame in frames] == [first * 10**9 + 4 * 10**7 * n for n in range(LENGTH)]
        assert frames[0].truth.ids.tolist() == [1, 2]


def test_without_a_frame_id_headers_bear_the_name_of_the_camera(rtreid, sequence, tmp_path):
    a, b = sequence("A"), sequence("B")
    assert rtreid("bag", "from-mot", f"one={a}", f"two={b}", tmp_path / "bag", "--quiet")[0] == 0
    found = read(tmp_path / "bag")
    assert len(found) == 6
    assert found["/one/ground_truth"][0][1].header.frame_id == "one"
    code, out, _ = rtreid("bag", "to-mot", tmp_path / "bag", tmp_path / "back")
    assert code == 0
    assert (tmp_path / "back" / "two" / "gt" / "gt.txt").read_text() == TRUTH
    assert f"{tmp_path / 'back' / 'one'}: 6 images" in out
    words = ("--topic", "/one/image/compressed", "--quiet")
    assert rtreid("bag", "to-mot", tmp_path / "bag", tmp_path / "only", *words)[0] == 0
    assert (tmp_path / "only" / "seqinfo.ini").is_file()


def test_the_quality_of_pictures_can_be_chosen(rtreid, sequence, tmp_path):
    root = sequence()
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    cv2.imwrite(str(root / "img1" / "000001.jpg"), noise)
    sizes = {}
    for quality in (10, 50):
        bag = tmp_path / str(quality)
        assert rtreid("bag", "from-mot", root, bag, "--jpeg-quality", quality, "--quiet")[0] == 0
        images = [message for _, message in read(bag)["/image/compressed"]]
        sizes[quality] = len(images[0].data)
        assert number_of(cv2.imdecode(images[3].data, cv2.IMREAD_COLOR)) == 3
    assert sizes[10] < sizes[50] < (root / "img1" / "000001.jpg").stat().st_size


def test_pictures_that_ask_to_be_turned_are_turned(rtreid, tmp_path):
    (tmp_path / "shots").mkdir()
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :20] = 255
    _, data = cv2.imencode(".jpg", image)
    file = data.tobytes()
    (tmp_path / "shots" / "1.jpg").write_bytes(file[:2] + EXIF_TURNED + file[2:])
    (tmp_path / "shots" / "2.jpg").write_bytes(file)
    with open_source(str(tmp_path / "shots")) as source:
        expected = [frame.image for frame in source]
    assert [picture.shape for picture in expected] == [(64, 48, 3), (48, 64, 3)]
    assert rtreid("bag", "from-video", tmp_path / "shots", tmp_path / "bag", "--frames", 2, "--quiet")[0] == 0
    images = [message for _, message in read(tmp_path / "bag")["/image/compressed"]]
    assert images[1].data.tobytes() == file  # as it was
    found = cv2.imdecode(images[0].data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert found.shape == (64, 48, 3)
    assert np.abs(found.astype(int) - expected[0]).max() < 30


def test_the_synthetic_scene_brings_its_ground_truth(rtreid, tmp_path):
    code, out, _ = rtreid("bag", "from-video", "synthetic:frames=4,people=3", tmp_path / "bag")
    assert code == 0
    assert "4 on /image/compressed, 4 on /ground_truth" in out
    with open_source("synthetic:frames=4,people=3") as scene, open_source(str(tmp_path / "bag")) as bag:
        assert bag.class_names == scene.class_names
        for one, other in zip(scene, bag, strict=True):
            assert one.truth.ids.tolist() == other.truth.ids.tolist()


def test_detections_can_be_chosen_or_left_out(rtreid, sequence, tmp_path):
    root = sequence()
    (root / "det" / "other.txt").write_text(DETECTIONS)
    assert rtreid("bag", "from-mot", root, tmp_path / "none", "--detections", "none", "--quiet")[0] == 0
    assert "/detections" not in read(tmp_path / "none")
    code, _, err = rtreid("bag", "from-mot", root, tmp_path / "bag")
    assert code == 2
    assert "several detection files, say which: det/det.txt, det/other.txt" in err
    words = ("--detections", "det/other.txt", "--quiet")
    assert rtreid("bag", "from-mot", root, tmp_path / "bag", *words)[0] == 0


def test_what_does_not_belong_to_an_image_is_left_out_and_said(rtreid, sequence, tmp_path):
    with BagOutput(tmp_path / "bag") as output:
        for stamp in (5, 10**8 + 5):
            output.write_message("/image", messages.raw_image(picture(1), messages.header(stamp, "")), stamp)
        rows = messages.track_array(tracks_of([[1, 0, 0, 5, 5, 1]]), messages.header(77, ""), (48, 64))
        output.write_message("/tracks", rows, 10)
    code, out, _ = rtreid("bag", "to-mot", tmp_path / "bag", tmp_path / "back")
    assert code == 0
    assert "2 images, 0 rows in tracks.txt, 1 messages without an image of their stamp left out" in out


def test_info_lists_topics_cameras_and_jumps(rtreid, sequence, tmp_path):
    with BagOutput(tmp_path / "bag", "sqlite3") as output:
        for number, stamp in enumerate([10, 11, 11, 15, 10]):  # 11 twice, then from the start
            head = messages.header(stamp * 10**9, "front")
            image = messages.raw_image(picture(number), head)
            output.write_message("/cam/image", image, (10 + number) * 10**9)
    code, out, _ = rtreid("bag", "info", tmp_path / "bag")
    assert code == 0
    first, topic, camera = out.splitlines()
    assert first.startswith(f"{tmp_path / 'bag'}: sqlite3, ")
    assert first.endswith("4.00 s from 10.000 s")
    assert topic.split() == ["/cam/image", "5", "sensor_msgs/msg/Image"]
    assert camera == (
        "camera cam (/cam/image): 5 images, 64x48, 0.4 Hz, 5.00 s, frame_id 'front', longest gap 4.000 s, "
        "1 late or repeated, 1 jumps back in time, no ground truth"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("from-video", "{tmp}/none.mp4", "{tmp}/bag"), "none.mp4: no such file"),
        (("from-mot", "{tmp}", "{tmp}/bag"), "seqinfo.ini: no such file"),
        (("from-mot", "{seq}", "{seq}", "{tmp}/bag"), "several cameras need a name each, got '', ''"),
        (("from-mot", "a/={seq}", "{tmp}/bag"), None),
        (("from-mot", "a//b={seq}", "{tmp}/bag"), "'a//b' is no name for ROS topics"),
        (("from-mot", "{seq}", "{tmp}/bag", "--topic", "1st"), "'1st' is no name for ROS topics"),
        (("from-mot", "{seq}", "{tmp}/bag", "--start", "soon"), "--start takes seconds"),
        (("from-mot", "{seq}", "{tmp}/bag", "--start", "-1"), "cannot begin before 1970"),
        (("from-mot", "{seq}", "{tmp}/bag", "--start", "99999999999"), "a ROS header, which ends in 2038"),
        (("to-mot", "{tmp}/good", "{seq}/seqinfo.ini"), "seqinfo.ini: already there and no sequence"),
        (("from-mot", "{seq}", "{tmp}/bag", "--jpeg-quality", "0"), "JPEG quality must be from 1 to 100"),
        (("from-mot", "{seq}", "{seq}/det"), "already there and no bag"),
        (("from-mot", "{seq}", "{seq}"), "{tmp}/A: writing there would replace {tmp}/A"),
        (("to-mot", "{tmp}/none", "{tmp}/back"), "none: no such bag"),
        (("to-mot", "{tmp}/text", "{tmp}/back"), "no image topic; topics in this bag:\n  /note"),
        (("to-mot", "{tmp}/good", "{seq}/img1"), "already there and no sequence"),
        (("to-mot", "{tmp}/good", "{tmp}/back", "--topic", "/img"), "no topic '/img'"),
        (("info", "{tmp}/damaged.mcap"), "damaged.mcap: not a readable rosbag2"),
        (("from-video", "{tmp}/good", "{tmp}/good"), "writing there would replace {tmp}/good"),
        (("from-video", "{tmp}/good/good.mcap", "{tmp}/good"), "replace {tmp}/good/good.mcap"),
        (("to-mot", "{tmp}/good", "{tmp}"), "writing there would replace {tmp}/good"),
    ],
)
def test_mistakes_are_said_in_one_line(rtreid, sequence, tmp_path, words, says):
    root = sequence()
    (tmp_path / "damaged.mcap").write_bytes(b"rubbish")
    with BagOutput(tmp_path / "text") as output:
        output.write_message("/note", message_types().types["std_msgs/msg/String"](data="hello"), 5)
    with BagSink(tmp_path / "good") as sink:
        sink.write(result_of(0, tracks_of([])))
    code, _, err = rtreid("bag", *(word.format(tmp=tmp_path, seq=root) for word in words))
    if says is None:
        assert code == 0
    else:
        assert code == 2
        assert says.format(tmp=tmp_path) in err
        assert err.startswith("rtreid bag: error: ")
    assert len(list(open_source(str(tmp_path / "good")))) == 1
    assert not list(tmp_path.rglob("*.partial"))


def test_every_action_teaches_by_examples(rtreid):
    for action in ("from-video", "from-mot", "to-mot", "info"):
        code, out, _ = rtreid("bag", action, "--help")
        assert code == 0
        assert f"rtreid bag {action} " in out.partition("examples:")[2]
    code, _, err = rtreid("bag")
    assert code == 2
    assert "ACTION" in err
