"""Roboflow's trackers (Apache-2.0)."""

from __future__ import annotations

from typing import Any, ClassVar

from bench.peers.base import Conditions, Implementation, Session, StoredMotion, black, results_of
from rtreid_ros.recordings import RecordedFrame, Recording
from rtreid_ros.types import Tracks


class Roboflow(Implementation):
    """roboflow/trackers, with the defaults of its constructors and the recording's frame rate."""

    title, distribution, module = "roboflow", "trackers", "trackers"
    classes: ClassVar[dict[str, str]] = {
        "sort": "SORTTracker",
        "bytetrack": "ByteTrackTracker",
        "ocsort": "OCSORTTracker",
        "botsort": "BoTSORTTracker",
    }
    trackers = tuple(classes)
    motion = ("botsort",)
    takes_time = True

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _RoboflowSession(cls.classes[tracker], recording, conditions)


class _RoboflowSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        import supervision
        import trackers

        self._supervision, self._conditions = supervision, conditions
        cls = getattr(trackers, name)
        takes_motion = name == Roboflow.classes["botsort"]
        options = {"enable_cmc": conditions.camera_motion} if takes_motion else {}
        self._tracker = cls(frame_rate=recording.frame_rate, **options)
        self._motion, self._image = StoredMotion(), None
        if takes_motion and conditions.camera_motion:
            self._tracker.cmc, self._image = self._motion, black(recording)

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        self._motion.take(frame)
        seen = frame.detections
        detections = self._supervision.Detections(
            xyxy=seen.boxes, confidence=seen.scores, class_id=seen.class_ids.astype(int)
        )
        return detections, stamp if self._conditions.real_time else None

    def update(self, *arguments: Any) -> Any:
        detections, stamp = arguments
        return self._tracker.update(detections, self._image, timestamp=stamp)

    def read(self, output: Any) -> Tracks:
        if not len(output) or output.tracker_id is None:
            return Tracks.empty()
        known = output.tracker_id >= 0  # -1: not yet believed
        return results_of(output.tracker_id[known], output.xyxy[known], output.confidence[known])
