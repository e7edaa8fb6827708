"""Reading a rosbag2, sqlite3 or MCAP, through ``rosbags``: no ROS needed."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtreid_ros.bags.definitions import message_types, standard_types
from rtreid_ros.bags.topics import Topic, listing
from rtreid_ros.bags.unfinished import FinishedMcap, is_unfinished
from rtreid_ros.closing import Closing
from rtreid_ros.errors import MessageError, SourceError

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

logger = logging.getLogger(__name__)

BAG_SUFFIXES = (".mcap", ".db3")
_OURS = "rtreid_ros/msg/"


def is_bag(path: Path) -> bool:
    """Whether this is a storage file of rosbag2, or a folder with metadata or exactly such a file."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file() or len(_storage_files(path)) == 1
    return path.suffix.lower() in BAG_SUFFIXES


def _storage_files(folder: Path) -> list[Path]:
    """Those of a bag; of one that was never finished, they lie in a folder of its final name."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in BAG_SUFFIXES)
    inner = list(folder.iterdir())
    if not found and ".partial" in folder.suffixes and len(inner) == 1 and inner[0].is_dir():
        return _storage_files(inner[0])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class BagMessage:
    """A serialised message, and when the recorder received it, nanoseconds."""

    topic: str
    kind: str
    received_ns: int
    cdr: bytes


class BagReader(Closing):
    """An open bag; a context manager.

    Our own messages are read by the definitions that the bag itself holds, where it does, so that
    bags of other versions of this package stay readable. An MCAP file that was never finished is read
    as far as it goes, with a warning.

    Args:
        path: folder of the bag, or its ``.mcap`` or ``.db3`` file.

    Attributes:
        topics: by name.

    Raises:
        SourceError: nothing there, or not a readable bag.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise SourceError(f"{self.path}: no such bag")
        self._reader = self._open()
        self._types: Typestore | None = None
        self.topics: dict[str, Topic] = {}
        for connection in self._reader.connections:
            known = self.topics.get(connection.topic)
            count = connection.msgcount + (known.count if known else 0)
            self.topics[connection.topic] = Topic(connection.topic, connection.msgtype, count)

    @property
    def files(self) -> list[Path]:
        """The storage files."""
        if self.path.is_file():
            return [self.path]
        return _storage_files(self.path)

    @property
    def start_ns(self) -> int:
        """When its first message was received; 0 without any."""
        return int(self._reader.start_time) if self._reader.message_count else 0

    @property
    def duration_ns(self) -> int:
        """From the first message to the last."""
        # the library counts the end as the nanosecond after the last message
        return max(int(self._reader.duration) - 1, 0)

    def listing(self) -> str:
        """The topics with their types, a line each, for messages."""
        return listing(self.topics)

    def messages(self, names: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Messages in the order they were recorded; `names`: only of these topics.

        Raises:
            SourceError: the bag is damaged.
        """
        connections = [c for c in self._reader.connections if names is None or c.topic in names]
        if not connections:
            return
        try:
            for connection, received, data in self._reader.messages(connections=connections):
                yield BagMessage(connection.topic, connection.msgtype, received, data)
        except Exception as error:  # whatever a damaged file makes the parsers raise
            what = ", ".join(sorted({connection.topic for connection in connections}))
            raise SourceError(f"{self.path}: damaged while reading {what} ({error})") from error

    def decode(self, message: BagMessage) -> Any:
        """The fields of a message.

        Raises:
            SourceError: a type that neither ROS 2 nor we nor the bag define.
            MessageError: the bytes are no message of its type.
        """
        if self._types is None:
            self._types = self._own_types()
        if message.kind not in self._types.fielddefs:
            raise SourceError(f"{self.path}: {message.topic} has the unknown message type {message.kind}")
        try:
            return self._types.deserialize_cdr(message.cdr, message.kind)
        except Exception as error:  # short buffers raise all kinds of errors
            raise MessageError(f"{message.topic}: no readable {message.kind} ({error})") from None

    def close(self) -> None:
        """Close the bag's files; closing twice is fine."""
        if self._reader.is_open:
            self._reader.close()

    def _open(self) -> Any:
        from rosbags.rosbag2 import Reader  # noqa: PLC0415 (slow to import)

        target = self.path
        if target.is_dir() and not (target / "metadata.yaml").is_file():
            # a recorder that was killed leaves its file without metadata
            files = _storage_files(target)
            if len(files) != 1:
                raise SourceError(
                    f"{target}: no metadata.yaml and not exactly one of {', '.join(BAG_SUFFIXES)}"
                )
            target = files[0]
        whole = _whole(target)
        try:
            reader = Reader(whole)
            reader.open()
        except Exception as error:  # whatever a damaged file makes the parsers raise
            raise SourceError(f"{self.path}: not a readable rosbag2 ({error})") from error
        return reader

    def _own_types(self) -> Typestore:
        from rosbags.interfaces import MessageDefinitionFormat  # noqa: PLC0415 (slow to import)
        from rosbags.typesys import get_types_from_msg  # noqa: PLC0415

        found: dict[str, Any] = {}
        for connection in self._reader.connections:
            text = connection.msgdef.format is MessageDefinitionFormat.MSG
            if connection.msgtype.startswith(_OURS) and text:
                found.update(get_types_from_msg(connection.msgdef.data, connection.msgtype))
        ours = {name: fields for name, fields in message_types().fielddefs.items() if name.startswith(_OURS)}
        store = standard_types()
        store.register({n: fields for n, fields in {**ours, **found}.items() if n not in store.fielddefs})
        return store


def _whole(path: Path) -> Any:
    """What ``rosbags`` is to read: `path`, or what was saved of a file that was never finished."""
    if not path.is_file() or not is_unfinished(path):
        return path
    finished = FinishedMcap(path)
    logger.warning(
        "%s: the recording was never finished; %d messages of it are there", path, finished.messages
    )
    return finished
