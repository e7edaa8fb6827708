"""One camera of a bag as a MOTChallenge folder."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rtreid_ros.bags.cameras import BagImage, Camera, images_of
from rtreid_ros.bags.definitions import COMPRESSED_IMAGE
from rtreid_ros.bags.reader import BagMessage, BagReader
from rtreid_ros.bags.truth import stamp_of
from rtreid_ros.errors import ImageError, MessageError, SinkError, SourceError
from rtreid_ros.evaluation.mot_text import MOT_CLASSES, PEDESTRIAN
from rtreid_ros.sinks.base import Output
from rtreid_ros.sources.bag import decode_image
from rtreid_ros.types import TrackState

if TYPE_CHECKING:
    from rtreid_ros.types import UInt8

logger = logging.getLogger(__name__)

_CLASS_NUMBERS = {**{name: number for number, name in enumerate(MOT_CLASSES)}, "person": PEDESTRIAN}
_JPEG_START = b"\xff\xd8"


@dataclass(slots=True)
class Export:
    """What came of it: numbers of images, of those unusable, of rows by file, of messages without image."""

    images: int = 0
    unusable: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    without_image: int = 0


class MotFolder(Output):
    """A sequence folder that bears its name only once it is whole.

    An older one of the same name is replaced; a folder of anything else is not.

    Raises:
        SinkError: the place cannot be written to, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        foreign = self.path.exists() and not (self.path / "seqinfo.ini").is_file()
        if foreign and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise SinkError(f"{self.path}: already there and no sequence; remove it or choose another place")
        try:
            (self.partial / "img1").mkdir(parents=True)
        except OSError as error:
            raise SinkError(f"{self.path}: cannot be written there ({error})") from None

    def close(self) -> None:
        """Nothing is held back."""


def export_mot(reader: BagReader, camera: Camera, folder: str | Path, *, progress: bool = False) -> Export:
    """Write ``img1/``, ``seqinfo.ini`` and, where the bag has them, ``gt/``, ``det/`` and ``tracks.txt``.

    Frame n is the n-th message of the image topic. Everything else belongs to the image of its
    exact stamp; in a bag that loops, the n-th message of a stamp to its n-th image. Numbers are
    written with as many digits as they need to be read back bit by bit. JPEG and PNG images are
    written as they are, raw ones as PNG.

    Args:
        reader: an open bag.
        camera: one of its cameras.
        folder: where to; its name becomes that of the sequence.
        progress: show a bar on standard error.

    Raises:
        SourceError: the bag is damaged, or has no usable image.
        SinkError: the place cannot be written to.
    """
    from tqdm import tqdm  # noqa: PLC0415 (only here)

    done = Export()
    numbers: dict[int, list[int]] = defaultdict(list)
    with MotFolder(folder) as output:
        suffix, size = "", (0, 0)
        bar = tqdm(images_of(reader, [camera]), total=camera.count, unit="frame", disable=not progress)
        for image in bar:
            done.images += 1
            numbers[image.stamp_ns].append(image.index + 1)
            try:
                picture = decode_image(reader, image).image
            except (ImageError, MessageError) as error:
                done.unusable += 1
                logger.warning("%s, message %d of %s: %s", reader.path, image.index, camera.image, error)
                continue
            data = _file_bytes(reader, image) if camera.compressed else None
            if not suffix:
                suffix, size = (".png" if data is None else _suffix(data)), picture.shape[:2]
            _write_picture(output.partial / "img1" / f"{image.index + 1:06d}{suffix}", picture, data)
        if not suffix:
            raise SourceError(f"{reader.path}: no usable image on {camera.image}")
        for topic, file, lines in (
            (camera.truth, "gt/gt.txt", _truth_lines),
            (camera.detections, "det/det.txt", _detection_lines),
            (camera.tracks, "tracks.txt", _track_lines),
        ):
            if topic is not None:
                _write_rows(reader, topic, output.partial / file, lines, numbers, done)
        _write_seqinfo(output, camera, done.images, size, suffix)
    return done


def _file_bytes(reader: BagReader, image: BagImage) -> bytes:
    message = BagMessage(image.camera.image, COMPRESSED_IMAGE, image.stamp_ns, image.cdr)
    return bytes(reader.decode(message).data)


def _suffix(data: bytes) -> str:
    return ".jpg" if data.startswith(_JPEG_START) else ".png"


def _write_picture(path: Path, picture: UInt8, data: bytes | None) -> None:
    if data is not None and _suffix(data) == path.suffix:
        path.write_bytes(data)
    elif not cv2.imwrite(str(path), picture):
        raise SinkError(f"{path}: cannot be written")


def _write_rows(
    reader: BagReader,
    topic: str,
    path: Path,
    lines: Callable[[int, Any], Iterator[str]],
    numbers: dict[int, list[int]],
    done: Export,
) -> None:
    """The rows of all messages of a topic, ordered by frame."""
    rounds: dict[int, int] = defaultdict(int)
    by_frame: dict[int, list[str]] = {}
    for message in reader.messages([topic]):
        content = reader.decode(message)
        stamp = stamp_of(content)
        place = rounds[stamp]
        rounds[stamp] += 1
        if place >= len(numbers.get(stamp, ())):
            done.without_image += 1
            continue
        number = numbers[stamp][place]
        by_frame[number] = list(lines(number, content))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(line for number in sorted(by_frame) for line in by_frame[number])
    path.write_text(text, encoding="utf-8", newline="\n")
    done.rows[path.name] = text.count("\n")


def _truth_lines(number: int, message: Any) -> Iterator[str]:
    for row in message.tracks:
        considered = int(row.state == TrackState.CONFIRMED)
        if getattr(row, "has_position", False):  # ten columns, as MOT15 has them
            place = ",".join(_shortest(np.float64(value)) for value in _place(row.position))
            yield f"{number},{row.id},{_box(row)},{considered},{place}\n"
        else:
            yield f"{number},{row.id},{_box(row)},{considered},{_mot_class(row)},{_single(row.score)}\n"


def _mot_class(row: Any) -> int:
    """The data set's number of a class, by its name where it has one."""
    return _CLASS_NUMBERS.get(row.class_name, 0) if row.class_name else int(row.class_id)


def _place(position: Any) -> tuple[float, float, float]:
    return position.x, position.y, position.z


def _detection_lines(number: int, message: Any) -> Iterator[str]:
    for row in message.detections:
        yield f"{number},-1,{_box(row)},{_single(row.score)},-1,-1,-1\n"


def _track_lines(number: int, message: Any) -> Iterator[str]:
    for row in message.tracks:
        if row.state == TrackState.CONFIRMED:
            yield f"{number},{row.id},{_box(row)},{_single(row.score)},-1,-1,-1\n"


def _box(row: Any) -> str:
    return ",".join(_shortest(np.float64(value)) for value in (row.x, row.y, row.width, row.height))


def _single(value: float) -> str:
    return _shortest(np.float32(value))


def _shortest(value: np.floating[Any]) -> str:
    """The fewest digits that are read back as this very number."""
    return str(value).removesuffix(".0")


def _write_seqinfo(
    output: MotFolder, camera: Camera, length: int, size: tuple[int, int], suffix: str
) -> None:
    content = (
        f"[Sequence]\nname={output.path.resolve().name}\nimDir=img1\nframeRate={camera.frame_rate:g}\n"
        f"seqLength={length}\nimWidth={size[1]}\nimHeight={size[0]}\nimExt={suffix}\n"
    )
    (output.partial / "seqinfo.ini").write_text(content, encoding="utf-8", newline="\n")
