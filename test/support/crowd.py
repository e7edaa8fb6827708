"""People placed by hand, for tests of what looks at tracks."""

from rtreid_ros.people import TrackedPerson, TrackFrame
from rtreid_ros.types import TrackState

SECOND = 10**9


def someone(id_=1, feet=(50.0, 80.0), *, at=0.0, state=TrackState.CONFIRMED, size=(20.0, 40.0), **fields):
    """A person with its feet there, `at` seconds, first seen at 0."""
    x, y = feet
    width, height = size
    default = {"global_id": 0, "global_confidence": 0.0, "class_name": "person", "score": 0.9, "age": at}
    return TrackedPerson(
        id=id_,
        state=state,
        box=(x - width / 2, y - height, x + width / 2, y),
        velocity=(0.0, 0.0),
        time_since_update=0.0,
        stamp_ns=round(at * SECOND),
        image_size=(100, 200),
        **{**default, **fields},
    )


def frame(at, *people):
    """An image of these people, `at` seconds."""
    return TrackFrame(round(at * SECOND), "camera", tuple(people))


def walk(places, *, id_=1, step=0.1, begin=0.0, **fields):
    """Frames with one person that is at one place after the other; None = not seen."""
    frames = []
    for index, place in enumerate(places):
        at = begin + index * step
        frames.append(frame(at) if place is None else frame(at, someone(id_, place, at=at, **fields)))
    return frames
