"""Frames of one or several sources into one bag, interleaved in time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtreid_ros.bags.messages import (
    compressed_image,
    detection_array,
    header,
    jpeg_image,
    raw_image,
    track_array,
)
from rtreid_ros.errors import ConfigError
from rtreid_ros.sinks.bag import JPEG_QUALITY
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sources.base import stamp_at
from rtreid_ros.sources.encodings import decode_compressed
from rtreid_ros.sources.excerpt import Excerpt
from rtreid_ros.sources.images import ImageSource
from rtreid_ros.types import Frame

if TYPE_CHECKING:
    from rtreid_ros.bags.annotations import MotAnnotations
    from rtreid_ros.sources.base import Source

_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)
IMAGES = ("compressed", "raw")
_JPEG_SUFFIXES = (".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class WritingOptions:
    """How a bag is written.

    Attributes:
        storage: ``mcap`` or ``sqlite3``.
        images: ``compressed`` (JPEG) or ``raw`` (bgr8).
        jpeg_quality: 1 to 100; None: JPEG files go in as they are, everything else at 92.
        topic: base name of the image topic.
        namespace: in front of all topics.
        frame_id: of the headers; empty: the camera's name.
        start_ns: stamp of the first frame of all; None: as the sources have it, which is 0 for files.
    """

    storage: str = "mcap"
    images: str = "compressed"
    jpeg_quality: int | None = None
    topic: str = "image"
    namespace: str = ""
    frame_id: str = ""
    start_ns: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """What one camera brings: its frames, and what is known about them.

    Attributes:
        name: a namespace for its topics; empty for the only camera.
        source: its frames; ground truth comes with them unless `annotations` know better.
        annotations: ground truth and detections of a MOTChallenge sequence.
        length: how many frames there must be. Where one is missing an image without a picture takes its
            place, so that the n-th stays frame n; None: as many as come.
    """

    name: str
    source: Source
    annotations: MotAnnotations | None = None
    length: int | None = None


@dataclass(slots=True)
class Written:
    """What went into a bag: messages by topic, and how many of the images have no picture."""

    messages: dict[str, int] = field(default_factory=dict)
    missing: int = 0


def write_bag(
    path: str | Path,
    recordings: Sequence[Recording],
    options: WritingOptions | None = None,
    *,
    progress: bool = False,
) -> Written:
    """Write a bag: per camera ``image``, and where known ``ground_truth`` and ``detections``.

    Args:
        path: folder of the bag; an older bag there is replaced.
        recordings: the cameras.
        options: how.
        progress: show a bar on standard error.

    Raises:
        ConfigError: two cameras of one name, an option that cannot be, or a stamp that a header cannot hold.
        SinkError: the place cannot be written to.
        SourceError: a source breaks off.
    """
    from tqdm import tqdm  # noqa: PLC0415 (only here)

    options = options or WritingOptions()
    names = [recording.name for recording in recordings]
    if len(set(names)) < len(names) or (len(names) > 1 and not all(names)):
        raise ConfigError(f"several cameras need a name each, got {', '.join(map(repr, names))}")
    if options.images not in IMAGES:
        raise ConfigError(f"images must be one of {', '.join(IMAGES)}, got {options.images!r}")
    if options.jpeg_quality is not None and not 1 <= options.jpeg_quality <= 100:
        raise ConfigError(f"JPEG quality must be from 1 to 100, got {options.jpeg_quality}")
    if options.start_ns is not None and options.start_ns < 0:
        raise ConfigError(f"a bag cannot begin before 1970: start {options.start_ns * 1e-9:g} s")
    if options.start_ns is not None:
        header(options.start_ns, "")  # refused here, before anything is replaced
    done = Written()
    lengths = [recording.source.length for recording in recordings]
    total = None if None in lengths else sum(filter(None, lengths))
    with BagOutput(path, options.storage) as output:
        cameras = [_Camera(recording, options) for recording in recordings]
        frames = heapq.merge(*(camera.frames() for camera in cameras), key=lambda item: item[0])
        offset: int | None = None if options.start_ns is not None else 0
        for at, camera, frame in tqdm(
            frames, total=total, desc=Path(path).name, unit="frame", disable=not progress
        ):
            if offset is None:  # cameras keep their time between each other
                offset = (options.start_ns or 0) - at
            stamp = at + offset
            done.missing += not frame.image.size
            for topic, message in camera.messages(frame, stamp):
                output.write_message(topic, message, stamp)
                done.messages[topic] = done.messages.get(topic, 0) + 1
    return done


class _Camera:
    """One recording on its way into the bag."""

    def __init__(self, recording: Recording, options: WritingOptions) -> None:
        self._recording = recording
        self._options = options
        parts = [options.namespace.strip("/"), recording.name.strip("/")]
        self._prefix = "".join(f"/{part}" for part in parts if part)
        self._files = _jpeg_files(recording.source) if options.jpeg_quality is None else {}

    def frames(self) -> Iterator[tuple[int, _Camera, Frame]]:
        """Each frame with its stamp in the source."""
        expected = 0
        for frame in self._recording.source:
            yield from self._missing(expected, frame.index)
            yield frame.stamp_ns, self, frame
            expected = frame.index + 1
        yield from self._missing(expected, self._recording.length)

    def _missing(self, begin: int, end: int | None) -> Iterator[tuple[int, _Camera, Frame]]:
        """Frames without a picture, where the recording must be complete."""
        if end is not None and self._recording.length is not None:
            for index in range(begin, min(end, self._recording.length)):
                stamp = stamp_at(index, self._recording.source.frame_rate)
                yield stamp, self, Frame(_NO_PICTURE, index, stamp)

    def messages(self, frame: Frame, stamp: int) -> Iterable[tuple[str, Any]]:
        """Topic and message of all there is at one moment."""
        options, known = self._options, self._recording.annotations
        head = header(stamp, options.frame_id or self._recording.name or frame.camera)
        size = (
            (frame.image.shape[0], frame.image.shape[1]) if frame.image.size else self._recording.source.size
        )
        topic = f"{self._prefix}/{options.topic.strip('/')}"
        if options.images == "raw":
            yield topic, raw_image(frame.image, head)
        else:
            yield f"{topic}/compressed", self._compressed(frame, head)
        if known is not None and known.truth is not None:
            truth, ltwh, places = known.truth_at(frame.index)
            names = known.truth_names
            rows = track_array(truth.as_tracks(), head, size, names, ltwh=ltwh, places=places)
            yield f"{self._prefix}/ground_truth", rows
        elif frame.truth is not None:
            names = self._recording.source.class_names
            yield f"{self._prefix}/ground_truth", track_array(frame.truth.as_tracks(), head, size, names)
        if known is not None and known.detections is not None:
            detections, ltwh = known.detections_at(frame.index)
            rows = detection_array(detections, head, size, known.detection_names, ltwh=ltwh)
            yield f"{self._prefix}/detections", rows

    def _compressed(self, frame: Frame, head: Any) -> Any:
        if not frame.image.size:
            return compressed_image(np.zeros(0, np.uint8), head)
        file = self._files.get(frame.index)
        if file is not None:
            data = np.fromfile(file, np.uint8)
            # not where the file asks to be turned: tags are ignored in messages
            if np.array_equal(decode_compressed(data), frame.image):
                return compressed_image(data, head)
        return jpeg_image(frame.image, head, self._options.jpeg_quality or JPEG_QUALITY)


def _jpeg_files(source: Source) -> dict[int, Path]:
    """The files behind frames that are JPEG already and need not lose anything again."""
    if isinstance(source, Excerpt):
        source = source.source
    if not isinstance(source, ImageSource):
        return {}
    pairs = zip(source.indices, source.paths, strict=True)
    return {index: path for index, path in pairs if path.suffix.lower() in _JPEG_SUFFIXES}
