"""One tracked person at the time of one image, and everybody in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from rtreid_ros.types import TrackState

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class TrackedPerson:
    """A track (of any class) at the time of one image.

    Attributes:
        id: of the track, unique within one tracker.
        global_id: identity across cameras and absences; 0 = none assigned.
        global_confidence: how sure the gallery is of it, 0 to 1.
        state: CONFIRMED = seen in this very image, LOST = predicted, TENTATIVE = hardly believed yet.
        class_name: as the detector's model says it, such as ``person``; may be empty.
        score: of the last matched detection, 0 to 1.
        box: corners ``x1, y1, x2, y2`` in pixels of the image.
        velocity: of the box's centre, pixels per second, right and down positive.
        age: seconds since the track's first detection.
        time_since_update: seconds since its last matched detection; 0 if seen in this image.
        stamp_ns: of the image, nanoseconds.
        image_size: ``(height, width)`` of the image, pixels.
        position: ``x, y, z`` in metres, in the frame named by `TrackFrame.position_frame`; None where
            nobody measures it.
    """

    id: int
    global_id: int
    global_confidence: float
    state: TrackState
    class_name: str
    score: float
    box: tuple[float, float, float, float]
    velocity: Point
    age: float
    time_since_update: float
    stamp_ns: int
    image_size: tuple[int, int]
    position: tuple[float, float, float] | None = None

    @property
    def stamp(self) -> float:
        """Time of the image, seconds."""
        return self.stamp_ns * 1e-9

    @property
    def visible(self) -> bool:
        """Whether it is believed and was seen in this very image."""
        return self.state == TrackState.CONFIRMED

    @property
    def centre(self) -> Point:
        """Middle of the box, pixels."""
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2

    @property
    def feet(self) -> Point:
        """Middle of the box's lower edge, pixels: where it stands."""
        x1, _, x2, y2 = self.box
        return (x1 + x2) / 2, y2

    @property
    def width(self) -> float:
        """Of the box, pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        """Of the box, pixels."""
        return self.box[3] - self.box[1]

    @property
    def offset(self) -> float:
        """Where the centre lies across the image: -1 at its left edge, 0 in the middle, 1 at its right.

        0 where the image's size is not known.
        """
        image_width = self.image_size[1]
        return self.centre[0] / image_width * 2 - 1 if image_width else 0.0

    @property
    def distance(self) -> float | None:
        """Metres to the origin of the position's frame; None without a position."""
        if self.position is None:
            return None
        x, y, z = self.position
        return float((x * x + y * y + z * z) ** 0.5)


@dataclass(frozen=True)
class TrackFrame:
    """Every live track of one image.

    Attributes:
        stamp_ns: of the image, nanoseconds.
        camera: ``frame_id`` of the image.
        tracks: all of them, of any state, ordered by id.
        position_frame: frame of the positions; empty where there are none.
    """

    stamp_ns: int
    camera: str
    tracks: tuple[TrackedPerson, ...]
    position_frame: str = ""

    @property
    def stamp(self) -> float:
        """Time of the image, seconds."""
        return self.stamp_ns * 1e-9

    @cached_property
    def people(self) -> tuple[TrackedPerson, ...]:
        """Those seen in this very image, ordered by id."""
        return tuple(person for person in self.tracks if person.visible)

    def find(self, id: int | None = None, *, global_id: int | None = None) -> TrackedPerson | None:  # noqa: A002 (the messages' word)
        """The track of that id, or of that global id, rather one that is seen than one that is not.

        None if there is none.
        """
        for person in (*self.people, *self.tracks):
            if person.global_id == global_id if id is None else person.id == id:
                return person
        return None

    def nearest(self) -> TrackedPerson | None:
        """The nearest of `people`, as far as `nearest` can tell; None if nobody is there."""
        return nearest(self.people)


def nearest(people: Sequence[TrackedPerson]) -> TrackedPerson | None:
    """The one at the smallest distance; None of none.

    Where positions are not known: the tallest box, because people differ less in height than in
    distance.
    """
    distances = [(person.distance, person) for person in people]
    known = [(distance, person) for distance, person in distances if distance is not None]
    if known:
        return min(known, key=lambda row: row[0])[1]
    return max(people, key=lambda person: person.height, default=None)
