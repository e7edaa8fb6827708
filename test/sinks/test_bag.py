"""Results as a rosbag2, read back with rosbags and with our own source."""

import contextlib

import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability, QosReliability
from support.results import result_of, tracks_of, truth_of

from rtreid_ros.bags.definitions import message_types
from rtreid_ros.errors import ConfigError, SinkError
from rtreid_ros.sinks.bag import BagSink
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sources import open_source
from rtreid_ros.types import TrackState

BOX = [0.1, 0.2, 20.3, 40.4]  # not whole in float32


def write(path, frames=3, **options):
    states = [TrackState.CONFIRMED, TrackState.LOST]
    with BagSink(path, class_names=("person",), **options) as sink:
        for index in range(frames):
            tracks = tracks_of([[7, *BOX, 0.875], [9, 1, 1, 2, 2, 0.5]], states)
            sink.write(result_of(index, tracks, truth=truth_of([[3, 1, 2, 4, 8]], considered=index > 0)))
    return path


def messages(path, topic):
    with AnyReader([path]) as reader:
        connections = [c for c in reader.connections if c.topic == topic]
        return [(t, reader.deserialize(data, c.msgtype)) for c, t, data in reader.messages(connections)]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_tracks_are_recorded_at_their_stamps_with_exact_boxes(tmp_path, storage):
    found = messages(write(tmp_path / "bag", storage=storage), "/tracks")
    assert [time for time, _ in found] == [0, 100_000_000, 200_000_000]
    message = found[2][1]
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (0, 200_000_000)
    assert (message.image_height, message.image_width) == (48, 64)
    assert [message.detection_ms, message.embedding_ms, message.tracking_ms] == [1.5, 2.5, 0.5]
    assert message.camera_motion_ms == 3.5
    track, lost = message.tracks
    corners = np.array([track.x, track.y, track.x + track.width, track.y + track.height], np.float32)
    assert corners.tolist() == np.array(BOX, np.float32).tolist()
    assert (track.id, track.global_id, track.class_name, track.score) == (7, 0, "person", 0.875)
    assert (track.velocity_x, track.velocity_y, track.age, track.detection_index) == (3.0, -1.5, 0.5, 0)
    assert (track.state, lost.state) == (track.STATE_CONFIRMED, lost.STATE_LOST)


def test_ground_truth_is_a_topic_of_its_own(tmp_path):
    path = write(tmp_path / "bag", truth_class_names=("", "pedestrian"))
    rows = [message.tracks[0] for _, message in messages(path, "/ground_truth")]
    assert [row.state for row in rows] == [TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.CONFIRMED]
    assert (rows[0].id, rows[0].score, rows[0].class_name, rows[0].width) == (3, 0.75, "pedestrian", 3.0)


@pytest.mark.parametrize(("images", "topic"), [("raw", "/image"), ("compressed", "/image/compressed")])
def test_images_come_back_through_the_bag_source(tmp_path, images, topic):
    with open_source(str(write(tmp_path / "bag", images=images))) as source:
        assert source.topic == topic
        frames = list(source)
    assert [frame.stamp_ns for frame in frames] == [0, 100_000_000, 200_000_000]
    assert [round(float(frame.image.mean())) for frame in frames] == [20, 21, 22]


def test_images_can_be_left_out(tmp_path):
    path = write(tmp_path / "bag", images="none")
    with AnyReader([path]) as reader:
        assert sorted(reader.topics) == ["/ground_truth", "/tracks"]


def test_a_bag_replaces_a_bag_and_nothing_else(tmp_path):
    write(tmp_path / "bag", frames=5)
    write(tmp_path / "bag", frames=2)
    assert len(messages(tmp_path / "bag", "/tracks")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]
    (tmp_path / "photos").mkdir()
    with pytest.raises(SinkError, match="already there and no bag"):
        BagSink(tmp_path / "photos")


def test_after_an_error_the_older_bag_stays(tmp_path):
    write(tmp_path / "bag", frames=5)
    with contextlib.suppress(ZeroDivisionError), BagSink(tmp_path / "bag") as sink:
        sink.write(result_of(0, tracks_of([])))
        raise ZeroDivisionError
    assert len(messages(tmp_path / "bag", "/tracks")) == 5


def test_a_player_is_told_to_keep_ground_truth_for_those_who_come_late(tmp_path):
    path = write(tmp_path / "bag", frames=1)
    with AnyReader([path]) as reader:
        offered = {item.topic: item.ext.offered_qos_profiles[0] for item in reader.connections}
    assert offered["/ground_truth"].durability is QosDurability.TRANSIENT_LOCAL
    assert offered["/tracks"].durability is QosDurability.VOLATILE
    assert {profile.reliability for profile in offered.values()} == {QosReliability.RELIABLE}


def test_serialised_messages_are_recorded_as_they_are(tmp_path):
    store = message_types()
    note = store.types["std_msgs/msg/String"](data="hello")
    data = bytes(store.serialize_cdr(note, note.__msgtype__))
    with BagOutput(tmp_path / "bag") as output:
        output.write_cdr("/note", "std_msgs/msg/String", 5, data)
        with pytest.raises(ConfigError, match="carries std_msgs/msg/String, not std_msgs/msg/Header"):
            output.write_cdr("/note", "std_msgs/msg/Header", 6, data)
        with pytest.raises(ConfigError, match="'a/msg/B' is not known"):
            output.write_cdr("/other", "a/msg/B", 6, data)
    ((time, message),) = messages(tmp_path / "bag", "/note")
    assert (time, message.data) == (5, "hello")


def test_an_unknown_storage_lists_those_there_are(tmp_path):
    with pytest.raises(ConfigError, match="mcap, sqlite3, got 'rosbag1'"):
        BagOutput(tmp_path / "bag", storage="rosbag1")


def test_our_message_definitions_are_those_of_the_generated_ones():
    generated = pytest.importorskip("rtreid_ros.msg", reason="the messages are not built here")
    store = message_types()
    for name in ("Detection", "DetectionArray", "Track", "TrackArray"):
        fields = [field for field, _ in store.fielddefs[f"rtreid_ros/msg/{name}"][1]]
        assert fields == list(getattr(generated, name).get_fields_and_field_types())
