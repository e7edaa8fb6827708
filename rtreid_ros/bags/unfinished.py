"""MCAP files that nobody finished, as a recorder leaves them that was killed.

A file of MCAP (specification version 0, mcap.dev/spec) is a sequence of records, most of them in chunks.
Its end holds an index, without which readers take it for damaged. Here the records are counted and the
missing end is made; the file stays as it is.
"""

from __future__ import annotations

import importlib
import io
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from rtreid_ros.errors import SourceError

MAGIC = b"\x89MCAP0\r\n"
_NOTHING = 0x00  # no record: space that a file system had set aside
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX = 0x02, 0x03, 0x04, 0x05, 0x06, 0x07
_CHUNK_INDEX, _STATISTICS, _DATA_END = 0x08, 0x0B, 0x0F
_HEAD = struct.Struct("<BQ")
"""What every record begins with: its kind and the length of the rest."""
_CHUNK_HEAD = struct.Struct("<QQQI")
"""First and last time, size of its records, their checksum."""
_MESSAGE_HEAD = struct.Struct("<HIQQ")
"""Channel, sequence number, time of record, time of publication."""


def is_unfinished(path: Path) -> bool:
    """Whether this is the beginning of an MCAP file without its end."""
    if path.suffix.lower() != ".mcap":
        return False
    try:
        with path.open("rb") as stream:
            begins = stream.read(len(MAGIC)) == MAGIC
            end = stream.seek(0, io.SEEK_END)
            stream.seek(max(0, end - len(MAGIC)))
            return begins and (end == len(MAGIC) or stream.read() != MAGIC)
    except OSError:
        return False  # who opens it will say why


class FinishedMcap:
    """A file that lacks its end, read as if it had one. It has what ``rosbags`` asks of a path.

    What was being written when the recorder died, a record or chunk that is not whole, is left out.

    Args:
        path: a file of which `is_unfinished` says so.

    Attributes:
        messages: how many were saved.

    Raises:
        SourceError: it cannot be read, or its chunks are damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.suffix = path.suffix
        self.stem = path.stem
        try:
            with path.open("rb") as stream:
                scan = _Scan(stream)
        except Exception as error:  # whatever damaged bytes make the parsers raise
            raise SourceError(f"{path}: unfinished and damaged ({error})") from error
        self.messages = sum(scan.counts.values())
        self._length, self._end = scan.length, scan.end()

    def __str__(self) -> str:
        return str(self._path)

    def exists(self) -> bool:
        """As of a path."""
        return self._path.exists()

    def is_dir(self) -> bool:
        """As of a path."""
        return False

    def open(self, *_: Any, **__: Any) -> BinaryIO:
        """The whole file, for reading."""
        return io.BufferedReader(_Joined(self._path.open("rb"), self._length, self._end))


class _Joined(io.RawIOBase):
    """The first `length` bytes of a stream, then those of `end`."""

    def __init__(self, stream: BinaryIO, length: int, end: bytes) -> None:
        self._stream, self._length, self._end = stream, length, end
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length + len(self._end)}
        self._at = begin[whence] + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._at < self._length:
            self._stream.seek(self._at)
            data = self._stream.read(min(len(view), self._length - self._at))
        else:
            begin = self._at - self._length
            data = self._end[begin : begin + len(view)]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(slots=True)
class _Chunk:
    """A chunk and the index that follows it."""

    start: int
    length: int
    first: int
    last: int
    compression: bytes
    compressed_size: int
    size: int
    messages: dict[int, list[tuple[int, int]]]
    """Time and place of the messages of each channel."""
    indices: dict[int, int] = field(default_factory=dict)
    """Where the index of each channel is."""
    end: int = 0
    """Where the last of these ends."""


class _Scan:
    """Goes over all whole records.

    Attributes:
        length: where the last of them ends.
        counts: messages by channel.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.counts: dict[int, int] = {}
        self._definitions: dict[tuple[int, int], bytes] = {}
        self._chunks: list[_Chunk] = []
        self._times: list[int] = []
        size = stream.seek(0, io.SEEK_END)
        self.length = stream.seek(len(MAGIC))
        while (head := stream.read(_HEAD.size)) and len(head) == _HEAD.size:
            kind, length = _HEAD.unpack(head)
            end = self.length + _HEAD.size + length
            if kind in (_NOTHING, _DATA_END, _FOOTER) or end > size:
                break
            if kind in (_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK, _MESSAGE_INDEX):
                self._record(kind, stream.read(length))
            self.length = stream.seek(end)
        self._complete = b""
        if self._chunks and not self._is_indexed(self._chunks[-1]):
            self._index_last()

    def end(self) -> bytes:
        """What is missing after `length`: the last chunk's index, the summary and the footer."""
        begin = self._complete + _record(_DATA_END, bytes(4))
        if not self._chunks or not all(map(self._is_indexed, self._chunks)):
            return begin + _record(_FOOTER, bytes(20)) + MAGIC  # readers will go over the records themselves
        summary = b"".join(self._definitions.values())
        summary += b"".join(map(_chunk_index, self._chunks)) + self._statistics()
        footer = struct.pack("<QQI", self.length + len(begin), 0, 0)
        return begin + summary + _record(_FOOTER, footer) + MAGIC

    def _record(self, kind: int, content: bytes) -> None:
        if kind == _CHUNK:
            self._chunk(content)
        elif kind == _MESSAGE_INDEX:
            (channel,) = struct.unpack_from("<H", content)
            self._chunks[-1].indices[channel] = self.length
            self._chunks[-1].end = self.length + _HEAD.size + len(content)
        elif kind == _MESSAGE:
            self._message(content)
        else:
            (number,) = struct.unpack_from("<H", content)
            self._definitions[kind, number] = _record(kind, content)

    def _message(self, content: bytes) -> tuple[int, int]:
        channel, _, time, _ = _MESSAGE_HEAD.unpack_from(content)
        self.counts[channel] = self.counts.get(channel, 0) + 1
        self._times = [min([time, *self._times]), max([time, *self._times])]
        return channel, time

    def _chunk(self, content: bytes) -> None:
        first, last, size, _ = _CHUNK_HEAD.unpack_from(content)
        (width,) = struct.unpack_from("<I", content, _CHUNK_HEAD.size)
        at = _CHUNK_HEAD.size + 4 + width
        compression = content[_CHUNK_HEAD.size + 4 : at]
        packed = content[at + 8 :]
        start, length = self.length, _HEAD.size + len(content)
        chunk = _Chunk(start, length, first, last, compression, len(packed), size, {}, {}, start + length)
        for kind, place, record in _records(_inflated(packed, compression.decode())):
            if kind == _MESSAGE:
                channel, time = self._message(record)
                chunk.messages.setdefault(channel, []).append((time, place))
            elif kind in (_SCHEMA, _CHANNEL):
                self._record(kind, record)
        self._chunks.append(chunk)

    @staticmethod
    def _is_indexed(chunk: _Chunk) -> bool:
        return chunk.indices.keys() == chunk.messages.keys()

    def _index_last(self) -> None:
        """Make the index of the last chunk anew, which the recorder no longer wrote."""
        chunk = self._chunks[-1]
        self.length = chunk.start + chunk.length
        for channel, messages in chunk.messages.items():
            chunk.indices[channel] = self.length + len(self._complete)
            pairs = b"".join(struct.pack("<QQ", *pair) for pair in messages)
            self._complete += _record(_MESSAGE_INDEX, struct.pack("<HI", channel, len(pairs)) + pairs)
        chunk.end = self.length + len(self._complete)

    def _statistics(self) -> bytes:
        schemas = sum(kind == _SCHEMA for kind, _ in self._definitions)
        channels = len(self._definitions) - schemas
        total = sum(self.counts.values())
        first, last = self._times or (0, 0)
        head = struct.pack("<QHIIIIQQ", total, schemas, channels, 0, 0, len(self._chunks), first, last)
        counts = b"".join(struct.pack("<HQ", *pair) for pair in self.counts.items())
        return _record(_STATISTICS, head + struct.pack("<I", len(counts)) + counts)


def _record(kind: int, content: bytes) -> bytes:
    return _HEAD.pack(kind, len(content)) + content


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, place and content of the records of a chunk."""
    place = 0
    while place < len(data):
        kind, length = _HEAD.unpack_from(data, place)
        yield kind, place, data[place + _HEAD.size : place + _HEAD.size + length]
        place += _HEAD.size + length


def _chunk_index(chunk: _Chunk) -> bytes:
    places = b"".join(struct.pack("<HQ", *pair) for pair in chunk.indices.items())
    content = struct.pack("<QQQQI", chunk.first, chunk.last, chunk.start, chunk.length, len(places)) + places
    content += struct.pack("<QI", chunk.end - chunk.start - chunk.length, len(chunk.compression))
    return _record(
        _CHUNK_INDEX, content + chunk.compression + struct.pack("<QQ", chunk.compressed_size, chunk.size)
    )


def _inflated(data: bytes, compression: str) -> bytes:
    if not compression:
        return data
    zstd = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    module = importlib.import_module({"zstd": zstd, "lz4": "lz4.frame"}[compression])
    return bytes(module.decompress(data))
