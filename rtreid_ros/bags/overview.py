"""What is in a bag, for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.bags.cameras import Camera, find_cameras, images_of
from rtreid_ros.errors import ImageError, MessageError, SourceError
from rtreid_ros.ordering import Order, StampOrder
from rtreid_ros.sources.bag import decode_image

if TYPE_CHECKING:
    from rtreid_ros.bags.reader import BagReader


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """How the images of a camera lie in time.

    Attributes:
        camera: which.
        size: ``(height, width)`` of the first usable image, None without any.
        frame_id: of that image.
        seconds: from its first image to its last.
        longest_gap: largest step forwards between two images, seconds.
        late: images whose stamp is not after the one before.
        restarts: jumps far back, as where a bag loops.
    """

    camera: Camera
    size: tuple[int, int] | None
    frame_id: str
    seconds: float
    longest_gap: float
    late: int
    restarts: int


def camera_facts(reader: BagReader) -> list[CameraFacts]:
    """The facts about every camera of a bag; none without images.

    Raises:
        SourceError: the bag is damaged.
    """
    try:
        cameras = find_cameras(reader)
    except SourceError:
        return []
    return [_facts(reader, camera) for camera in cameras]


def _facts(reader: BagReader, camera: Camera) -> CameraFacts:
    size, frame_id = None, ""
    stamps, order, found = [], StampOrder(), []
    for image in images_of(reader, [camera]):
        if size is None:
            try:
                frame = decode_image(reader, image)
                size, frame_id = (frame.image.shape[0], frame.image.shape[1]), frame.camera
            except (ImageError, MessageError):
                pass  # the next one may be better
        stamps.append(image.stamp_ns)
        found.append(order.judge(image.stamp_ns))
    steps = np.diff(np.array(stamps, np.int64))
    forward = steps[steps > 0]
    return CameraFacts(
        camera=camera,
        size=size,
        frame_id=frame_id,
        seconds=float(forward.sum()) * 1e-9,
        longest_gap=float(forward.max()) * 1e-9 if len(forward) else 0.0,
        late=found.count(Order.LATE),
        restarts=found.count(Order.RESTART),
    )


def overview(reader: BagReader) -> str:
    """Files, topics and cameras as text, a line each."""
    size = sum(file.stat().st_size for file in reader.files)
    storage = {".db3": "sqlite3", ".mcap": "mcap"}.get(reader.files[0].suffix.lower(), "unknown")
    lines = [
        f"{reader.path}: {storage}, {size / 1e6:.1f} MB, {reader.duration_ns * 1e-9:.2f} s "
        f"from {reader.start_ns * 1e-9:.3f} s"
    ]
    width = max(map(len, reader.topics), default=0)
    lines += [
        f"  {topic.name.ljust(width)}  {topic.count:7d}  {topic.kind}"
        for _, topic in sorted(reader.topics.items())
    ]
    facts = camera_facts(reader)
    lines += [_camera_line(item) for item in facts] or ["no camera: no image topic"]
    return "\n".join(lines)


def _camera_line(facts: CameraFacts) -> str:
    camera = facts.camera
    size = f"{facts.size[1]}x{facts.size[0]}" if facts.size else "no usable image"
    notes = [
        f"{camera.count} images",
        size,
        f"{camera.frame_rate:g} Hz",
        f"{facts.seconds:.2f} s",
        f"frame_id {facts.frame_id!r}",
        f"longest gap {facts.longest_gap:.3f} s",
    ]
    if not camera.stamped:
        notes.append("no stamps: time of receipt is used")
    if facts.late:
        notes.append(f"{facts.late} late or repeated")
    if facts.restarts:
        notes.append(f"{facts.restarts} jumps back in time")
    notes.append(f"ground truth on {camera.truth}" if camera.truth else "no ground truth")
    return f"camera {camera.name} ({camera.image}): {', '.join(notes)}"
