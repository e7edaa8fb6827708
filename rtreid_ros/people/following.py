"""One person from image to image."""

from __future__ import annotations

from rtreid_ros.people.person import TrackedPerson, TrackFrame

NANOSECONDS = 1_000_000_000

_BIRTH_TOLERANCE_S = 0.5
"""Ages are float32 seconds and stamps of one track jitter; two people with one id are born further apart."""


class Following:
    """Finds one person in the images that come.

    A tracker that is restarted or reset begins again with id 1. A track of the id that was first
    seen at another time is therefore somebody else, and following ends; as it does when the source
    starts anew.

    Args:
        id: of the track.
        global_id: the identity instead; it may pass from track to track.
        lost_for: following ends when the person has not been seen for longer, seconds.

    Attributes:
        ended: whether the person is lost.
    """

    def __init__(self, id: int | None = None, *, global_id: int | None = None, lost_for: float) -> None:  # noqa: A002 (the messages' word)
        self.ended = False
        self._id = id
        self._global_id = global_id
        self._lost_for_ns = round(lost_for * NANOSECONDS)
        self._last_ns: int | None = None
        self._seen_ns = 0
        self._born: float | None = None

    def update(self, frame: TrackFrame) -> TrackedPerson | None:
        """The person in this image if it is seen there; stamps go back only when the source starts anew."""
        if self._last_ns is None:
            self._seen_ns = frame.stamp_ns
        elif frame.stamp_ns < self._last_ns:
            self.ended = True
            return None
        self._last_ns = frame.stamp_ns
        person = frame.find(self._id, global_id=self._global_id)
        if person is not None and self._is_another(person):
            self.ended = True
            return None
        if person is not None and person.visible:
            self._seen_ns = frame.stamp_ns
            return person
        if frame.stamp_ns - self._seen_ns > self._lost_for_ns:
            self.ended = True
        return None

    def _is_another(self, person: TrackedPerson) -> bool:
        if self._id is None:
            return False
        born = person.stamp - person.age
        if self._born is None:
            self._born = born
        return abs(born - self._born) > _BIRTH_TOLERANCE_S
