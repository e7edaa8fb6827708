"""rosbag2 as a source: both storages, raw and compressed images."""

import logging

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore
from support.pictures import number_of, picture

from rtreid_ros.errors import SourceError
from rtreid_ros.sources import open_source

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
