"""Images of a rosbag2, sqlite3 or MCAP, through ``rosbags``: no ROS needed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.errors import ImageError, SourceError
from rtreid_ros.registry import suggest
from rtreid_ros.sources.base import BaseSource
from rtreid_ros.sources.encodings import decode_compressed, to_bgr
from rtreid_ros.types import Frame

if TYPE_CHECKING:
    from rtreid_ros.types import UInt8

logger = logging.getLogger(__name__)

BAG_SUFFIXES = (".mcap", ".db3")
IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_RATE_SAMPLES = 32
_DEFAULT_RATE = 30.0


def is_bag(path: Path) -> bool:
    """Whether this is a storage file of rosbag2, or a folder with metadata or exactly such a file."""
    if path.is_dir():
        return (path / "metadata.yaml").is_file() or len(_storage_files(path)) == 1
    return path.suffix.lower() in BAG_SUFFIXES


def _storage_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in BAG_SUFFIXES)


class BagSource(BaseSource):
    """The images of one topic of a bag, in the order they were recorded.

    Stamps are those of the message headers. A message that is no usable image is logged, counted
    in `lost` and skipped; its index stays free.

    Args:
        path: folder of the bag, or its ``.mcap`` or ``.db3`` file.
        topic: the image topic; None where the bag has only one.
        frame_rate: frames per second; None = median of the first stamps.

    Raises:
        SourceError: not a readable bag; the topic is not there, is no image, or several could be
            meant (the topics of the bag are listed with their types); no usable image in it.
    """

    def __init__(
        self, path: str | Path, topic: str | None = None, *, frame_rate: float | None = None
    ) -> None:
        from rosbags.typesys import Stores, get_typestore  # noqa: PLC0415 (slow to import)

        self.path = Path(path)
        if not self.path.exists():
            raise SourceError(f"{self.path}: no such bag")
        # Image, CompressedImage and Header are the same in every ROS 2 distribution.
        self._types = get_typestore(Stores.ROS2_HUMBLE)
        self._reader: Any = self._open()
        try:
            self.topic = self._choose(topic)
            self._connections = [c for c in self._reader.connections if c.topic == self.topic]
            first, rate = self._look_ahead()
            super().__init__(
                self.path.stem or "bag", frame_rate or rate, (first.image.shape[0], first.image.shape[1])
            )
        except BaseException:
            self.close()
            raise
        self.length = sum(connection.msgcount for connection in self._connections) or None

    def __iter__(self) -> Iterator[Frame]:
        if self._reader is None:
            self._reader = self._open()
            self._connections = [c for c in self._reader.connections if c.topic == self.topic]
        self.lost = 0
        for index, message in enumerate(self._messages()):
            try:
                image = self._image(message)
            except ImageError as error:
                self.lost += 1
                logger.warning("%s, message %d of %s skipped: %s", self.path, index, self.topic, error)
                continue
            header = message.header
            yield Frame(image, index, _nanoseconds(header.stamp), camera=header.frame_id or "camera")

    def close(self) -> None:
        """Close the bag's files."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _open(self) -> Any:
        from rosbags.rosbag2 import Reader  # noqa: PLC0415

        target = self.path
        if target.is_dir() and not (target / "metadata.yaml").is_file():
            # a recorder that was killed leaves its file without metadata
            files = _storage_files(target)
            if len(files) != 1:
                raise SourceError(
                    f"{target}: no metadata.yaml and not exactly one of {', '.join(BAG_SUFFIXES)}"
                )
            target = files[0]
        try:
            reader = Reader(target)
            reader.open()
        except Exception as error:  # whatever a damaged file makes the parsers raise
            raise SourceError(f"{self.path}: not a readable rosbag2 ({error})") from error
        return reader

    def _choose(self, topic: str | None) -> str:
        types: dict[str, str] = {c.topic: c.msgtype for c in self._reader.connections}
        listing = "".join(f"\n  {name}  ({kind})" for name, kind in sorted(types.items())) or " none"
        images = sorted(name for name, kind in types.items() if kind in IMAGE_TYPES)
        if topic is not None:
            if topic not in types:
                hint = suggest(topic, list(types))
                raise SourceError(f"{self.path}: no topic {topic!r}{hint}; topics in this bag:{listing}")
            if topic not in images:
                raise SourceError(f"{self.path}: topic {topic} is no image; topics in this bag:{listing}")
            return topic
        if len(images) != 1:
            problem = "several image topics, name one of them" if images else "no image topic"
            raise SourceError(f"{self.path}: {problem}; topics in this bag:{listing}")
        return images[0]

    def _messages(self) -> Iterator[Any]:
        try:
            for connection, _, data in self._reader.messages(connections=self._connections):
                yield self._types.deserialize_cdr(data, connection.msgtype)
        except Exception as error:
            raise SourceError(f"{self.path}: damaged while reading {self.topic} ({error})") from error

    def _image(self, message: Any) -> UInt8:
        if hasattr(message, "format"):
            return decode_compressed(message.data, message.format)
        return to_bgr(
            message.data, message.height, message.width, message.step, message.encoding, message.is_bigendian
        )

    def _look_ahead(self) -> tuple[Frame, float]:
        """The first usable frame, and the frame rate by the first stamps."""
        stamps, first, reason = [], None, "the topic is empty"
        for index, message in enumerate(islice(self._messages(), _RATE_SAMPLES)):
            stamps.append(_nanoseconds(message.header.stamp))
            if first is None:
                try:
                    first = Frame(self._image(message), index, stamps[-1])
                except ImageError as error:
                    reason = str(error)
        if first is None:
            raise SourceError(f"{self.path}: no usable image on {self.topic}: {reason}")
        steps = np.diff(stamps)
        steps = steps[steps > 0]
        # stamps are rounded to nanoseconds or worse
        return first, round(float(1e9 / np.median(steps)), 3) if len(steps) else _DEFAULT_RATE


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
