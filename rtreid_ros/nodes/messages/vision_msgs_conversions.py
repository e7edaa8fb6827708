"""Detections and tracks to ``vision_msgs/Detection2DArray`` and back.

The package has changed its fields twice: since 3.0 (2021) a result holds a hypothesis and ids are called
``class_id`` and ``id``, since 4.0 (Humble) a centre holds a position. What the installed one has is found
by looking.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

from rtreid_ros.detection.labels import COCO
from rtreid_ros.errors import ConfigError
from rtreid_ros.msg import Detection, DetectionArray, Track, TrackArray
from rtreid_ros.nodes.messages.packages import missing


def vision_messages() -> ModuleType:
    """The module ``vision_msgs.msg``.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import vision_msgs.msg  # noqa: PLC0415 (not every ROS has it)
    except ImportError:
        raise missing("vision_msgs", "this node") from None
    module: ModuleType = vision_msgs.msg
    return module


class ClassMap:
    """Which external classes are taken, and as what.

    Args:
        entries: ``THEIRS:OURS`` or ``OURS``, numbered in order of our names. Without any, a class that is
            a number or a name of COCO is taken as that.

    Raises:
        ConfigError: an entry without names, or one external class twice.
    """

    def __init__(self, entries: Sequence[str]) -> None:
        self._known: dict[str, tuple[int, str]] = {}
        names: list[str] = []
        for entry in entries:
            theirs, separator, ours = entry.partition(":")
            theirs, ours = theirs.strip(), (ours if separator else theirs).strip()
            if not theirs or not ours:
                raise ConfigError(f"classes: each must be THEIRS:OURS or OURS, got {entry!r}")
            if theirs in self._known:
                raise ConfigError(f"classes: {theirs!r} is given twice")
            if ours not in names:
                names.append(ours)
            self._known[theirs] = names.index(ours), ours
        self._open = not entries

    def __getitem__(self, theirs: str) -> tuple[int, str] | None:
        """Our number and name of an external class; None if it is not taken."""
        if not self._open:
            return self._known.get(theirs)
        if theirs in COCO:
            return COCO.index(theirs), theirs
        if theirs.isascii() and theirs.isdigit() and int(theirs) < 2**31:
            number = int(theirs)
            return number, COCO[number] if number < len(COCO) else ""
        return None


def detections_to_vision(module: ModuleType, message: DetectionArray) -> Any:
    """A Detection2DArray of all detections; their ids are empty."""
    rows = [_detection_2d(module, message.header, row, "") for row in message.detections]
    return module.Detection2DArray(header=message.header, detections=rows)


def tracks_to_vision(module: ModuleType, message: TrackArray) -> Any:
    """A Detection2DArray of the confirmed tracks with their ids: it has no word for other states."""
    rows = [
        _detection_2d(module, message.header, row, str(row.id))
        for row in message.tracks
        if row.state == Track.STATE_CONFIRMED
    ]
    return module.Detection2DArray(header=message.header, detections=rows)


def _detection_2d(module: ModuleType, header: Any, row: Detection | Track, identity: str) -> Any:
    message = module.Detection2D(header=header)
    centre = message.bbox.center
    place = getattr(centre, "position", centre)
    place.x, place.y = row.x + row.width / 2, row.y + row.height / 2
    message.bbox.size_x, message.bbox.size_y = row.width, row.height
    result = module.ObjectHypothesisWithPose()
    hypothesis = getattr(result, "hypothesis", result)
    name = row.class_name or str(row.class_id)
    setattr(hypothesis, "class_id" if hasattr(hypothesis, "class_id") else "id", name)
    hypothesis.score = float(row.score)
    message.results = [result]
    if hasattr(message, "tracking_id"):
        message.tracking_id, message.is_tracking = identity, bool(identity)
    else:
        message.id = identity
    return message


def detections_from_vision(
    message: Any, classes: ClassMap, size: tuple[int, int]
) -> tuple[DetectionArray, dict[str, int]]:
    """Detections of classes that are taken, and how many of others there were by their names.

    The best of a detection's results is its class. Turned boxes become the upright ones around them.

    Args:
        message: Detection2DArray.
        classes: which to take.
        size: ``(height, width)`` of the image in pixels.
    """
    refused: dict[str, int] = {}
    rows = []
    for item in message.detections:
        name, score = _best(item.results)
        ours = classes[name]
        if ours is None:
            refused[name] = refused.get(name, 0) + 1
            continue
        x, y, width, height = _upright_box(item.bbox)
        rows.append(
            Detection(class_id=ours[0], class_name=ours[1], score=score, x=x, y=y, width=width, height=height)
        )
    converted = DetectionArray(header=message.header, detections=rows)
    converted.image_height, converted.image_width = size
    return converted, refused


def _best(results: Iterable[Any]) -> tuple[str, float]:
    """Name and score of the likeliest class; an empty name where there is no result at all."""
    hypotheses = [getattr(result, "hypothesis", result) for result in results]
    if not hypotheses:
        return "", 0.0
    best = max(hypotheses, key=lambda hypothesis: hypothesis.score)
    name = best.class_id if hasattr(best, "class_id") else best.id
    return str(name), float(best.score)


def _upright_box(box: Any) -> tuple[float, float, float, float]:
    """Corner and size of the upright box around a box that may be turned."""
    place = getattr(box.center, "position", box.center)
    width, height = box.size_x, box.size_y
    if box.center.theta:
        cos, sin = abs(math.cos(box.center.theta)), abs(math.sin(box.center.theta))
        width, height = width * cos + height * sin, width * sin + height * cos
    return place.x - width / 2, place.y - height / 2, width, height


def refusal_text(refused: Mapping[str, int]) -> str:
    """What to say of classes that are not taken."""
    names = ", ".join(f"{name!r} ({count})" if name else f"none ({count})" for name, count in refused.items())
    return f"external detections of other classes left out: {names}; name those to take in `classes`"
