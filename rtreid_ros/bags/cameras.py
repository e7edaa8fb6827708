"""Which topics of a bag are cameras, what belongs to each, and their images in the bag's time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.bags.definitions import COMPRESSED_IMAGE, DETECTION_ARRAY, TRACK_ARRAY
from rtreid_ros.bags.stamps import header_stamp, with_header_stamp
from rtreid_ros.bags.topics import COMPRESSED, companion, image_topic, image_topics, namespace_of
from rtreid_ros.errors import MessageError, SourceError

if TYPE_CHECKING:
    from rtreid_ros.bags.reader import BagReader
    from rtreid_ros.bags.topics import Topic

logger = logging.getLogger(__name__)

DEFAULT_RATE = 30.0
_DEPTH_ENCODINGS = ("16UC1", "32FC1")
_SAMPLES = 32


@dataclass(frozen=True, slots=True)
class Camera:
    """An image topic and its companions.

    Attributes:
        name: the topic's namespace without the leading slash, such as ``left``; ``camera`` without
            one; the whole topic where cameras share a namespace.
        image: the image topic.
        compressed: whether that carries ``CompressedImage``.
        count: number of images, usable or not.
        frame_rate: frames per second by the median of the first steps in time.
        stamped: whether the headers have stamps; if not, images count from when they were received.
        truth, detections, tracks: topics of the same camera, None where the bag has none.
    """

    name: str
    image: str
    compressed: bool
    count: int
    frame_rate: float
    stamped: bool
    truth: str | None
    detections: str | None
    tracks: str | None


@dataclass(frozen=True, slots=True, eq=False)
class BagImage:
    """A serialised image.

    Attributes:
        camera: whose.
        index: its place among the messages of its topic, from 0.
        stamp_ns: when it was taken: the stamp of its header, also in `cdr`.
        received_ns: when the recorder received it.
        cdr: the message.
    """

    camera: Camera
    index: int
    stamp_ns: int
    received_ns: int
    cdr: bytes


def find_cameras(reader: BagReader, wanted: Sequence[str] = ()) -> list[Camera]:
    """The cameras of a bag.

    Args:
        reader: an open bag.
        wanted: image topics; none: all, of those that come raw and compressed the raw one, and no
            depth images.

    Raises:
        SourceError: a wanted topic is not there or no image, or there is no image topic at all;
            the topics of the bag are listed.
    """
    named = [image_topic(reader.topics, name, reader.path) for name in wanted]
    topics = named or _pictures(reader)
    if not topics:
        raise SourceError(f"{reader.path}: no image topic; topics in this bag:{reader.listing()}")
    namespaces = [namespace_of(topic.name) for topic in topics]
    return [
        _camera(reader, topic, shared=namespaces.count(namespace_of(topic.name)) > 1, alone=len(topics) == 1)
        for topic in topics
    ]


def find_camera(reader: BagReader, wanted: str | None) -> Camera:
    """The camera of one image topic; None: of the only one there is.

    Raises:
        SourceError: as `find_cameras`, or several could be meant.
    """
    cameras = find_cameras(reader, [] if wanted is None else [wanted])
    if len(cameras) > 1:
        raise SourceError(
            f"{reader.path}: several image topics, name one of them; topics in this bag:{reader.listing()}"
        )
    return cameras[0]


def results_topic(camera: Camera, *, alone: bool) -> str:
    """Where the tracks of a camera go: beside its images, or below its name where there are several."""
    return f"{namespace_of(camera.image)}/tracks" if alone else f"/{camera.name}/tracks"


def images_of(reader: BagReader, cameras: Sequence[Camera]) -> Iterator[BagImage]:
    """The images of all `cameras` in the order in which they were recorded.

    Where the headers have no stamps, they get the time of receipt. A message too short to have a header
    gets the stamp 0; who reads the image will refuse it.

    Raises:
        SourceError: the bag is damaged.
    """
    by_topic = {camera.image: camera for camera in cameras}
    counts = dict.fromkeys(by_topic, 0)
    for message in reader.messages(by_topic.keys()):
        camera = by_topic[message.topic]
        index = counts[message.topic]
        counts[message.topic] += 1
        stamp, cdr = _stamp(message.cdr), message.cdr
        if not camera.stamped:
            stamp, cdr = message.received_ns, _restamped(cdr, message.received_ns)
        yield BagImage(camera, index, stamp, message.received_ns, cdr)


def _restamped(cdr: bytes, stamp_ns: int) -> bytes:
    try:
        return with_header_stamp(cdr, stamp_ns)
    except MessageError:
        return cdr


def _stamp(cdr: bytes) -> int:
    try:
        return header_stamp(cdr)
    except MessageError:
        return 0


def _pictures(reader: BagReader) -> list[Topic]:
    """Image topics that are worth tracking on."""
    return [topic for topic in image_topics(reader.topics) if not _depth(reader, topic)]


def _depth(reader: BagReader, topic: Topic) -> bool:
    first = next(reader.messages([topic.name]), None)
    if first is None:
        return False
    try:
        message = reader.decode(first)
    except MessageError:
        return False
    if topic.kind == COMPRESSED_IMAGE:
        return "compressedDepth" in message.format
    return message.encoding in _DEPTH_ENCODINGS


def _camera(reader: BagReader, topic: Topic, *, shared: bool, alone: bool) -> Camera:
    namespace = namespace_of(topic.name)
    name = topic.name.removesuffix(COMPRESSED) if shared else namespace
    rate, stamped = _timing(reader, topic)
    if not stamped:
        logger.warning(
            "%s: the images of %s have no stamps; the time of their receipt is used", reader.path, topic.name
        )

    def beside(kind: str, end: str) -> str | None:
        return companion(reader.topics, topic.name, kind, end, alone=alone, shared=shared)

    return Camera(
        name=name.strip("/") or "camera",
        image=topic.name,
        compressed=topic.kind == COMPRESSED_IMAGE,
        count=topic.count,
        frame_rate=rate,
        stamped=stamped,
        truth=beside(TRACK_ARRAY, "ground_truth"),
        detections=beside(DETECTION_ARRAY, "detections"),
        tracks=beside(TRACK_ARRAY, "tracks"),
    )


def _timing(reader: BagReader, topic: Topic) -> tuple[float, bool]:
    """Frames per second by the first messages, and whether their headers have stamps."""
    first = list(islice(reader.messages([topic.name]), _SAMPLES))
    stamps = np.array([_stamp(message.cdr) for message in first], np.int64)
    received = np.array([message.received_ns for message in first], np.int64)
    # media time begins at 0, so a first stamp of 0 alone says nothing
    stamped = bool(stamps.any()) or not received.any()
    steps = np.diff(stamps if stamped else received)
    steps = steps[steps > 0]
    # stamps are rounded to nanoseconds or worse
    return round(float(1e9 / np.median(steps)), 3) if len(steps) else DEFAULT_RATE, stamped
