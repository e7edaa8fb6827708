"""Images of a rosbag2, sqlite3 or MCAP, through ``rosbags``: no ROS needed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from rtreid_ros.bags.cameras import BagImage, Camera, find_camera, find_cameras, images_of
from rtreid_ros.bags.definitions import COMPRESSED_IMAGE, IMAGE
from rtreid_ros.bags.reader import BagMessage, BagReader
from rtreid_ros.bags.truth import BagTruth
from rtreid_ros.closing import Closing
from rtreid_ros.errors import ImageError, MessageError, SourceError
from rtreid_ros.sources.base import BaseSource
from rtreid_ros.sources.encodings import decode_compressed, to_bgr
from rtreid_ros.types import Frame

logger = logging.getLogger(__name__)


class BagSource(BaseSource):
    """The images of one topic of a bag, in the order they were recorded, with their ground truth.

    Stamps are those of the message headers; where these are all zero, the time of receipt. Ground
    truth comes from the topic ``ground_truth`` beside the images, by exact stamp. A message that
    is no usable image is logged, counted in `lost` and skipped; its index stays free.

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
        self.path = Path(path)
        self._reader: BagReader | None = BagReader(path)
        try:
            camera = find_camera(self._reader, topic)
            height, width = _first_size(self._reader, camera)
            self._truth = BagTruth(self._reader, camera.truth) if camera.truth else None
        except BaseException:
            self.close()
            raise
        super().__init__(self.path.stem or "bag", frame_rate or camera.frame_rate, (height, width))
        self.camera = camera
        self.topic = camera.image
        self.length = camera.count or None
        self.class_names = self._truth.class_names if self._truth else ()

    def __iter__(self) -> Iterator[Frame]:
        if self._reader is None:
            self._reader = BagReader(self.path)
        self.lost = 0
        if self._truth is not None:
            self._truth.rewind()
        for image in images_of(self._reader, [self.camera]):
            frame = _decoded(self._reader, image, self._truth)
            if frame is None:
                self.lost += 1
            else:
                yield frame

    def close(self) -> None:
        """Close the bag's files."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


class BagCameras(Closing):
    """Several cameras of one bag, interleaved as they were recorded. A context manager.

    Args:
        path: folder of the bag, or its ``.mcap`` or ``.db3`` file.
        topics: image topics; none = every camera of the bag.

    Attributes:
        cameras: by name.
        lost: messages that were no usable image, in the current iteration.

    Raises:
        SourceError: as `BagSource`, but several image topics are welcome.
    """

    def __init__(self, path: str | Path, topics: Sequence[str] = ()) -> None:
        self.path = Path(path)
        self._reader = BagReader(path)
        self.lost = 0
        try:
            self.cameras = {camera.name: camera for camera in find_cameras(self._reader, topics)}
            self._truths = {
                name: BagTruth(self._reader, camera.truth)
                for name, camera in self.cameras.items()
                if camera.truth
            }
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[tuple[str, Frame]]:
        """The name of a camera and its next frame."""
        self.lost = 0
        for truth in self._truths.values():
            truth.rewind()
        for image in images_of(self._reader, list(self.cameras.values())):
            name = image.camera.name
            frame = _decoded(self._reader, image, self._truths.get(name))
            if frame is None:
                self.lost += 1
            else:
                yield name, frame

    def close(self) -> None:
        """Close the bag's files."""
        self._reader.close()


def _decoded(reader: BagReader, image: BagImage, truth: BagTruth | None) -> Frame | None:
    """The frame of a message; None, and said in the log, where it is no usable image."""
    try:
        frame = decode_image(reader, image)
    except (ImageError, MessageError) as error:
        topic = image.camera.image
        logger.warning("%s, message %d of %s skipped: %s", reader.path, image.index, topic, error)
        return None
    if truth is None:
        return frame
    return Frame(frame.image, frame.index, frame.stamp_ns, truth.take(frame.stamp_ns), frame.camera)


def decode_image(reader: BagReader, image: BagImage) -> Frame:
    """The picture of a message.

    Raises:
        ImageError: encoding, size or data make no picture.
        MessageError: the bytes are no image message.
    """
    camera = image.camera
    kind = COMPRESSED_IMAGE if camera.compressed else IMAGE
    message = reader.decode(BagMessage(camera.image, kind, image.stamp_ns, image.cdr))
    if camera.compressed:
        picture = decode_compressed(message.data, message.format)
    else:
        picture = to_bgr(
            message.data, message.height, message.width, message.step, message.encoding, message.is_bigendian
        )
    return Frame(picture, image.index, image.stamp_ns, camera=message.header.frame_id or "camera")


def _first_size(reader: BagReader, camera: Camera) -> tuple[int, int]:
    """``(height, width)`` of the first usable picture."""
    reason = "the topic is empty"
    for image in images_of(reader, [camera]):
        try:
            height, width = decode_image(reader, image).image.shape[:2]
        except (ImageError, MessageError) as error:
            reason = str(error)
            continue
        return height, width
    raise SourceError(f"{reader.path}: no usable image on {camera.image}: {reason}")
