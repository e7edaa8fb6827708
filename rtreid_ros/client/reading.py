"""Track messages as frames of people."""

from __future__ import annotations

import math
from collections.abc import Collection

from rtreid_ros.msg import Track, TrackArray
from rtreid_ros.nodes.messages.conversions import stamp_ns
from rtreid_ros.people.person import TrackedPerson, TrackFrame
from rtreid_ros.types import TrackState


def frame_from_message(message: TrackArray, classes: Collection[str] = ()) -> TrackFrame:
    """The tracks of a message, or (`classes`) those of some class names.

    Rows whose box is none (not finite, or of no size) and rows of an unknown state are left out.
    """
    stamp = stamp_ns(message)
    size = (message.image_height, message.image_width)
    people = tuple(
        _person(row, stamp, size)
        for row in message.tracks
        if _usable(row) and (not classes or row.class_name in classes)
    )
    return TrackFrame(stamp, message.header.frame_id, people, message.position_frame)


def _usable(row: Track) -> bool:
    if not math.isfinite(row.x + row.y + row.width + row.height + row.velocity_x + row.velocity_y):
        return False
    return row.width > 0 and row.height > 0 and row.state in _STATES


_STATES = frozenset(TrackState)


def _person(row: Track, stamp_ns: int, size: tuple[int, int]) -> TrackedPerson:
    position = (row.position.x, row.position.y, row.position.z) if row.has_position else None
    if position is not None and not all(map(math.isfinite, position)):
        position = None
    return TrackedPerson(
        id=row.id,
        global_id=row.global_id,
        global_confidence=row.global_confidence,
        state=TrackState(row.state),
        class_name=row.class_name,
        score=row.score,
        box=(row.x, row.y, row.x + row.width, row.y + row.height),
        velocity=(row.velocity_x, row.velocity_y),
        age=row.age,
        time_since_update=row.time_since_update,
        stamp_ns=stamp_ns,
        image_size=size,
        position=position,
    )
