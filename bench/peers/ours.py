"""This package."""

from __future__ import annotations

from typing import Any

from bench.peers.base import Conditions, Implementation, Session
from rtreid_ros.recordings import RecordedFrame, Recording
from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Tracks


class Ours(Implementation):
    """This package."""

    title, distribution, module = "rtreid_ros", "rtreid_ros", "rtreid_ros"
    trackers = tuple(TRACKERS)
    appearance = tuple(name for name in TRACKERS if TRACKERS[name].uses_embeddings)
    motion = trackers
    takes_time = True

    @staticmethod
    def report(tracker: str) -> str:
        """Which box of a matched track it gives by default."""
        return TRACKERS[tracker].Options().report

    @staticmethod
    def other_report(tracker: str) -> str:
        """The one it does not."""
        return "filter" if Ours.report(tracker) == "detection" else "detection"

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _OurSession(tracker, recording, conditions)


class _OurSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        self._conditions = conditions
        self._tracker = create_tracker(name, recording.frame_rate, **dict(conditions.options))

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        seen = frame.detections if self._conditions.embeddings else frame.detections.with_embeddings(None)
        return seen, stamp, frame.camera_motion if self._conditions.camera_motion else None

    def update(self, *arguments: Any) -> Any:
        detections, stamp, camera_motion = arguments
        return self._tracker.update(detections, stamp=stamp, camera_motion=camera_motion)

    def read(self, output: Any) -> Tracks:
        tracks: Tracks = output
        return tracks
