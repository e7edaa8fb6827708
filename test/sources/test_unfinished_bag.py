"""Bags whose recorder was killed."""

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from support.results import result_of, tracks_of

from rtreid_ros.bags import messages
from rtreid_ros.bags.definitions import IMAGE, message_types
from rtreid_ros.bags.reader import BagReader, is_bag
from rtreid_ros.errors import SourceError
from rtreid_ros.sinks.bag import BagSink
from rtreid_ros.sources import open_source

T0 = 10**18
SIZE = (300, 400)
"""Three such images are a chunk."""
SAVED = 10
"""Images in the six chunks that are written when the recorder dies."""


def image(index):
    """Noise, which does not become smaller; its first pixel tells which it is."""
    picture = np.random.default_rng(index).integers(0, 256, (*SIZE, 3), np.uint8)
    picture[0, 0] = index
    return messages.raw_image(picture, messages.header(T0 + index, "cam"))


@pytest.fixture
def killed(tmp_path):
    """Writes 11 images, and 9 of a camera that lags; what is on the disk before anything is closed."""

    def write(compression=None):
        writer = Writer(tmp_path / "bag.partial" / "bag", version=8, storage_plugin=StoragePlugin.MCAP)
        if compression:
            writer.set_compression(compression, CompressionFormat.ZSTD)
        writer.open()
        store = message_types()
        topics = {
            "/image": writer.add_connection("/image", IMAGE, typestore=store),
            "/late": writer.add_connection("/late", IMAGE, typestore=store),
        }
        for index in range(11):
            for topic, back in (("/image", 0), ("/late", 2)):
                if index >= back:
                    data = store.serialize_cdr(image(index - back), IMAGE)
                    writer.write(topics[topic], T0 + index - back, data)
        file = tmp_path / "bag.partial" / "bag" / "bag.mcap"
        left = file.read_bytes()  # without what is still in the writer's memory
        writer.abort()
        file.write_bytes(left)
        return file

    return write


@pytest.mark.parametrize("compression", [None, CompressionMode.STORAGE])
def test_what_was_written_is_read(killed, compression, caplog):
    file = killed(compression)
    folder = file.parents[1]
    assert is_bag(folder)
    for path in (folder, file.parent, file):
        with BagReader(path) as reader:
            found = [(m.topic, m.received_ns - T0) for m in reader.messages()]
            assert reader.start_ns == T0
            assert reader.topics["/image"].count == sum(topic == "/image" for topic, _ in found)
        times = [time for _, time in found]
        assert times == sorted(times)
        assert [time for topic, time in found if topic == "/image"] == list(range(SAVED))
        assert [time for topic, time in found if topic == "/late"] == list(range(SAVED - 2))
    assert "never finished; " in caplog.text
    with open_source(str(file), topic="/image") as source:
        assert [int(frame.image[0, 0, 0]) for frame in source] == list(range(SAVED))


def test_a_file_may_break_off_anywhere(killed):
    file = killed()
    data = file.read_bytes()
    counts = []
    for length in range(len(data), 0, -len(data) // 40):
        file.write_bytes(data[:length])
        try:
            with BagReader(file) as reader:
                counts.append(len(list(reader.messages())))
        except SourceError:  # not even a header
            counts.append(0)
    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 2 * SAVED - 2
    assert 0 < counts[len(counts) // 2] < SAVED


def test_a_file_that_lost_its_end_while_it_was_copied_is_read(tmp_path):
    with BagSink(tmp_path / "bag", images="raw") as sink:
        for index in range(5):
            sink.write(result_of(index, tracks_of([])))
    file = tmp_path / "bag" / "bag.mcap"
    for missing in (1, 30, 300):
        file.write_bytes(file.read_bytes()[:-missing])
        with BagReader(file) as reader:
            assert len(list(reader.messages())) == 10


def test_records_need_not_be_in_chunks(killed):
    file = killed()
    with BagReader(file) as reader:
        expected = [(m.topic, m.received_ns, m.cdr) for m in reader.messages(["/image"])]
    file.write_bytes(without_chunks(file.read_bytes(), channel=1))
    with BagReader(file) as reader:
        assert [(m.topic, m.received_ns, m.cdr) for m in reader.messages()] == expected


def without_chunks(data, channel):
    """The header, the definitions and the messages of one channel, one after the other."""
    out, place = data[:8], 8
    while place + 9 <= len(data):
        kind, length = data[place], int.from_bytes(data[place + 1 : place + 9], "little")
        content = data[place + 9 : place + 9 + length]
        if kind == 1:
            out += data[place : place + 9 + length]
        elif kind == 6:  # times, sizes, checksum, the empty name of no compression, length
            inner = content[8 + 8 + 8 + 4 + 4 + 8 :]
            at = 0
            while at < len(inner):
                size = 9 + int.from_bytes(inner[at + 1 : at + 9], "little")
                record = inner[at : at + size]
                if record[0] != 5 or int.from_bytes(record[9:11], "little") == channel:
                    out += record
                at += size
        place += 9 + length
    return out


def test_damage_inside_is_an_error(killed):
    file = killed(CompressionMode.STORAGE)
    file.write_bytes(file.read_bytes().replace(b"zstd", b"none", 1))
    with pytest.raises(SourceError, match=r"bag\.mcap: unfinished and damaged \('none'\)"):
        BagReader(file)


def test_space_that_was_set_aside_is_no_record(killed):
    file = killed()
    with BagReader(file) as reader:
        expected = len(list(reader.messages()))
    file.write_bytes(file.read_bytes() + bytes(5000))
    with BagReader(file) as reader:
        assert len(list(reader.messages())) == expected
