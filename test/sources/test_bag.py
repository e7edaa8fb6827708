"""rosbag2 as a source: both storages, raw and compressed images."""

import logging
import struct
from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from support.pictures import number_of, picture
from support.results import truth_of

from rtreid_ros.bags import messages
from rtreid_ros.bags.cameras import images_of
from rtreid_ros.bags.reader import BagReader
from rtreid_ros.bags.stamps import header_stamp, with_header_stamp
from rtreid_ros.errors import MessageError, SourceError
from rtreid_ros.evaluation.mot_text import MOT_CLASSES
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sources import open_source
from rtreid_ros.sources.bag import BagCameras

STORE = get_typestore(Stores.ROS2_JAZZY)
IMAGE, COMPRESSED, TEXT = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "std_msgs/msg/String"


def header(nanoseconds, frame_id="front"):
    time = STORE.types["builtin_interfaces/msg/Time"](sec=nanoseconds // 10**9, nanosec=nanoseconds % 10**9)
    return STORE.types["std_msgs/msg/Header"](stamp=time, frame_id=frame_id)


def raw(number, stamp, encoding="rgb8", padding=0):
    rows = picture(number).reshape(48, -1)
    rows = np.concatenate([rows, np.zeros((48, padding), np.uint8)], axis=1)
    return STORE.types[IMAGE](
        header=header(stamp),
        height=48,
        width=64,
        encoding=encoding,
        is_bigendian=0,
        step=192 + padding,
        data=rows.reshape(-1),
    )


def jpeg(number, stamp, keep=1.0):
    data = cv2.imencode(".jpg", picture(number))[1].reshape(-1)
    return STORE.types[COMPRESSED](header=header(stamp), format="jpeg", data=data[: int(len(data) * keep)])


@pytest.fixture
def write_bag(tmp_path):
    def write(topics, storage=StoragePlugin.MCAP, name="bag"):
        """`topics`: name -> (type, messages); recorded 5 ms after their stamps."""
        with Writer(tmp_path / name, version=9, storage_plugin=storage) as writer:
            for topic, (kind, messages) in topics.items():
                connection = writer.add_connection(topic, kind, typestore=STORE)
                for number, message in enumerate(messages):
                    writer.write(connection, 10**18 + number * 10**8, STORE.serialize_cdr(message, kind))
        return tmp_path / name

    return write


T0 = 1_700_000_000 * 10**9 + 5
STAMPS = [T0 + 50_000_000 * i for i in range(4)]
NOTE = (TEXT, [STORE.types[TEXT](data="hello")])


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize(("kind", "make"), [(IMAGE, raw), (COMPRESSED, jpeg)])
def test_images_come_with_the_stamps_of_their_headers(write_bag, storage, kind, make):
    path = write_bag({"/cam": (kind, [make(i, s) for i, s in enumerate(STAMPS)]), "/note": NOTE}, storage)
    with open_source(str(path)) as source:
        for _ in range(2):  # it can be rewound
            frames = list(source)
            assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
            assert [frame.stamp_ns for frame in frames] == STAMPS
            assert [frame.index for frame in frames] == [0, 1, 2, 3]
            assert {frame.camera for frame in frames} == {"front"}
        assert (source.length, source.size) == (4, (48, 64))
        assert source.frame_rate == 20
    assert len(list(source)) == 4  # and opened again


@pytest.mark.parametrize(
    ("storage", "suffix"), [(StoragePlugin.MCAP, "mcap"), (StoragePlugin.SQLITE3, "db3")]
)
def test_a_bag_is_also_its_file_or_a_folder_without_metadata(write_bag, storage, suffix):
    path = write_bag({"/cam": (IMAGE, [raw(i, s) for i, s in enumerate(STAMPS)])}, storage)
    (file,) = path.glob(f"*.{suffix}")
    assert len(list(open_source(str(file)))) == 4
    (path / "metadata.yaml").unlink()
    assert len(list(open_source(str(path)))) == 4


def test_padded_rows_are_understood(write_bag):
    path = write_bag({"/cam": (IMAGE, [raw(3, T0, "bgr8", padding=64)])})
    (frame,) = open_source(str(path))
    assert np.array_equal(frame.image, picture(3))


def test_a_missing_topic_is_answered_with_those_there_are(write_bag):
    path = write_bag({"/cam/image_raw": (IMAGE, [raw(0, T0)]), "/note": NOTE})
    with pytest.raises(
        SourceError, match=r"no topic '/cam/image' \(did you mean '/cam/image_raw'\?\)"
    ) as caught:
        open_source(str(path), topic="/cam/image")
    assert "/cam/image_raw  (sensor_msgs/msg/Image)\n  /note  (std_msgs/msg/String)" in str(caught.value)
    with pytest.raises(SourceError, match=r"topic /note is no image(.|\n)*/cam/image_raw  \(sensor"):
        open_source(str(path), topic="/note")


def test_of_several_image_topics_one_must_be_named(write_bag):
    path = write_bag({"/left": (IMAGE, [raw(1, T0)]), "/right": (COMPRESSED, [jpeg(2, T0)])})
    with pytest.raises(
        SourceError, match=r"several image topics(.|\n)*/left  \(sensor(.|\n)*/right  \(sensor_msgs/msg/Comp"
    ):
        open_source(str(path))
    assert [number_of(frame.image) for frame in open_source(str(path), topic="/right")] == [2]


def test_a_bag_without_images_lists_its_topics(write_bag):
    with pytest.raises(SourceError, match=r"no image topic(.|\n)*/note  \(std_msgs/msg/String\)"):
        open_source(str(write_bag({"/note": NOTE})))


def test_unusable_messages_are_counted_and_leave_gaps(write_bag, caplog):
    messages = [jpeg(0, STAMPS[0]), jpeg(1, STAMPS[1], keep=0.5), jpeg(2, STAMPS[2])]
    source = open_source(str(write_bag({"/cam": (COMPRESSED, messages)})))
    with caplog.at_level(logging.WARNING):
        assert [frame.index for frame in source] == [0, 2]
    assert source.lost == 1
    assert "message 1 of /cam skipped: compressed image (jpeg" in caplog.text


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (raw(0, T0, "brg8"), "unknown image encoding 'brg8'"),
        (raw(0, T0, "rgb16"), "step is 192 bytes, a row needs 384"),
    ],
)
def test_a_topic_of_unusable_images_is_refused_with_the_reason(write_bag, message, says):
    with pytest.raises(SourceError, match=f"no usable image on /cam: .*{says}"):
        open_source(str(write_bag({"/cam": (IMAGE, [message])})))


def test_an_empty_topic_is_refused(write_bag):
    with pytest.raises(SourceError, match=r"no usable image on /cam: the topic is empty|no image topic"):
        open_source(str(write_bag({"/cam": (IMAGE, [])})))


@pytest.mark.parametrize(
    ("storage", "suffix"), [(StoragePlugin.MCAP, "mcap"), (StoragePlugin.SQLITE3, "db3")]
)
def test_a_damaged_bag_is_an_error_not_a_crash(write_bag, storage, suffix):
    path = write_bag({"/cam": (IMAGE, [raw(i, s) for i, s in enumerate(STAMPS)])}, storage)
    (file,) = path.glob(f"*.{suffix}")
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(SourceError, match=r"not a readable rosbag2|damaged"):
        list(open_source(str(path)))
    file.write_bytes(b"rubbish")
    with pytest.raises(SourceError, match="not a readable rosbag2"):
        open_source(str(file))


def test_a_missing_bag_is_named(tmp_path):
    with pytest.raises(SourceError, match="no such"):
        open_source(str(tmp_path / "none.mcap"))


def test_a_topic_makes_sense_for_bags_only(write_pictures):
    with pytest.raises(ValueError, match="is no bag"):
        open_source(str(write_pictures(["a.png"])), topic="/cam")


def compressed_depth(stamp):
    return STORE.types[COMPRESSED](
        header=header(stamp), format="16UC1; compressedDepth png", data=np.zeros(9, np.uint8)
    )


@pytest.fixture
def write_loop(tmp_path):
    def write(rounds=1, camera="", name="bag", offset=0):
        """A bag of ours with ground truth: two images, `rounds` times with the same stamps."""
        with BagOutput(tmp_path / name) as output:
            for number in range(2 * rounds):
                stamp = T0 + 50_000_000 * (number % 2)
                received = T0 + 50_000_000 * number + offset
                head = messages.header(stamp, "front")
                truth = truth_of([[10 * (number + 1), 1, 2, 4.5, 8]])
                image = messages.raw_image(picture(number), head)
                output.write_message(f"{camera}/image", image, received)
                rows = messages.track_array(truth.as_tracks(), head, (48, 64), MOT_CLASSES)
                output.write_message(f"{camera}/ground_truth", rows, received)
        return tmp_path / name

    return write


def test_ground_truth_comes_back_with_the_images(write_loop):
    with open_source(str(write_loop())) as source:
        for _ in range(2):
            frames = list(source)
            assert [frame.truth.ids.tolist() for frame in frames] == [[10], [20]]
        assert source.class_names == MOT_CLASSES
    truth = frames[0].truth
    assert truth.boxes.tolist() == [[1, 2, 4.5, 8]]
    assert (truth.visibility.tolist(), truth.considered.tolist()) == ([0.75], [True])


def test_in_a_bag_that_loops_every_round_has_its_own_ground_truth(write_loop):
    frames = list(open_source(str(write_loop(rounds=2))))
    assert [frame.stamp_ns - T0 for frame in frames] == [0, 50_000_000] * 2
    assert [frame.truth.ids.tolist() for frame in frames] == [[10], [20], [30], [40]]


def test_ground_truth_of_another_namespace_belongs_to_another_camera(write_bag, write_loop):
    path = write_bag({"/cam": (IMAGE, [raw(0, T0)])})
    (frame,) = open_source(str(path))
    assert frame.truth is None
    source = open_source(str(write_loop(camera="/robot/front")))
    assert source.camera.name == "robot/front"
    assert [frame.truth.ids.tolist() for frame in source] == [[10], [20]]


def test_images_without_stamps_get_the_time_of_their_receipt(write_bag, caplog):
    path = write_bag({"/cam": (IMAGE, [raw(i, 0) for i in range(3)])})
    with caplog.at_level(logging.WARNING):
        source = open_source(str(path))
    assert "the images of /cam have no stamps; the time of their receipt is used" in caplog.text
    assert [frame.stamp_ns for frame in source] == [10**18 + i * 10**8 for i in range(3)]
    assert source.frame_rate == 10
    (image,) = islice(images_of(source._reader, [source.camera]), 1)
    assert header_stamp(image.cdr) == 10**18  # so that a node sees it too


def test_media_time_may_begin_at_zero(write_bag, caplog):
    source = open_source(str(write_bag({"/cam": (IMAGE, [raw(i, i * 10**7) for i in range(3)])})))
    assert [frame.stamp_ns for frame in source] == [0, 10**7, 2 * 10**7]
    assert not caplog.text


def test_several_cameras_come_interleaved_in_the_time_of_the_bag(write_bag):
    left = [raw(i, T0 + 100 * i) for i in range(3)]
    right = [jpeg(5 + i, T0 + 7 + 100 * i, keep=0.5 if i == 1 else 1) for i in range(3)]
    path = write_bag({"/left/image_raw": (IMAGE, left), "/right/image/compressed": (COMPRESSED, right)})
    with BagCameras(path) as bag:
        assert list(bag.cameras) == ["left", "right"]
        for _ in range(2):
            frames = [(name, number_of(frame.image), frame.index) for name, frame in bag]
            assert sorted(frames[:2]) == [("left", 0, 0), ("right", 5, 0)]  # received at the same time
            assert frames[2] == ("left", 1, 1)
            assert sorted(frames[3:]) == [("left", 2, 2), ("right", 7, 2)]
            assert bag.lost == 1
    with BagCameras(path, ["/right/image/compressed"]) as bag:
        assert {name for name, _ in bag} == {"right"}


def test_cameras_of_one_namespace_are_named_after_their_topics(write_bag):
    path = write_bag({"/rig/a": (IMAGE, [raw(0, T0)]), "/rig/b": (IMAGE, [raw(1, T0)])})
    with BagCameras(path) as bag:
        assert list(bag.cameras) == ["rig/a", "rig/b"]


def test_the_same_pictures_raw_and_compressed_are_one_camera(write_bag):
    path = write_bag({"/cam": (IMAGE, [raw(1, T0)]), "/cam/compressed": (COMPRESSED, [jpeg(1, T0)])})
    assert open_source(str(path)).topic == "/cam"
    assert open_source(str(path), topic="/cam/compressed").topic == "/cam/compressed"


def test_depth_images_are_no_camera(write_bag):
    topics = {
        "/cam/image": (IMAGE, [raw(1, T0)]),
        "/depth/image": (IMAGE, [raw(1, T0, "16UC1")]),
        "/depth/image/compressedDepth": (COMPRESSED, [compressed_depth(T0)]),
    }
    assert open_source(str(write_bag(topics))).topic == "/cam/image"


def test_messages_are_read_by_the_definitions_the_bag_holds(tmp_path):
    """A bag of another version of this package, whose Track has other fields."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(
        {
            **get_types_from_msg("int64 id\nstring note", "rtreid_ros/msg/Track"),
            **get_types_from_msg("std_msgs/Header header\nTrack[] tracks", "rtreid_ros/msg/TrackArray"),
        }
    )
    head = store.types["std_msgs/msg/Header"](
        stamp=store.types["builtin_interfaces/msg/Time"](sec=1, nanosec=2), frame_id="x"
    )
    kind = "rtreid_ros/msg/TrackArray"
    track = store.types["rtreid_ros/msg/Track"](id=7, note="old")
    for plugin in StoragePlugin.MCAP, StoragePlugin.SQLITE3:
        path = tmp_path / plugin.name
        with Writer(path, version=8, storage_plugin=plugin) as writer:
            connection = writer.add_connection("/tracks", kind, typestore=store)
            content = store.types[kind](header=head, tracks=[track])
            writer.write(connection, 5, store.serialize_cdr(content, kind))
        with BagReader(path) as reader:
            (message,) = reader.messages()
            assert (message.topic, message.kind, message.received_ns) == ("/tracks", kind, 5)
            assert reader.decode(message).tracks[0].note == "old"


def test_bytes_of_another_type_are_refused_with_the_topic(write_bag):
    with BagReader(write_bag({"/note": NOTE})) as reader:
        (message,) = reader.messages(["/note"])
        with pytest.raises(MessageError, match="/note: no readable sensor_msgs/msg/Image"):
            reader.decode(replace(message, kind=IMAGE))
        with pytest.raises(SourceError, match="/note has the unknown message type a/msg/B"):
            reader.decode(replace(message, kind="a/msg/B"))


BIG_ENDIAN = b"\x00\x00\x00\x00" + struct.pack(">iI", 5, 6)


@pytest.mark.parametrize("cdr", [bytes(STORE.serialize_cdr(raw(0, T0), IMAGE)), BIG_ENDIAN])
def test_a_stamp_can_be_read_and_replaced_in_the_bytes(cdr):
    changed = with_header_stamp(cdr, 7 * 10**9 + 8)
    assert header_stamp(changed) == 7 * 10**9 + 8
    assert (changed[:4], changed[12:]) == (cdr[:4], cdr[12:])
    assert header_stamp(cdr) in (T0, 5 * 10**9 + 6)


@pytest.mark.parametrize("cdr", [b"", b"\x00\x01\x00\x00abc", b"\x00\x02" + bytes(20)])
def test_bytes_without_a_header_have_no_stamp(cdr):
    with pytest.raises(MessageError, match="do not begin with a header"):
        header_stamp(cdr)
