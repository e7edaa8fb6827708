"""ultralytics (AGPL-3.0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.peers.base import Conditions, Implementation, Session, StoredMotion, black, results_of
from rtreid_ros.recordings import RecordedFrame, Recording
from rtreid_ros.types import Tracks


class Ultralytics(Implementation):
    """ultralytics' trackers, with the options of the YAML files it ships."""

    title, distribution, module = "ultralytics", "ultralytics", "ultralytics"
    trackers = ("bytetrack", "ocsort", "botsort", "deepocsort")
    appearance = motion = ("botsort", "deepocsort")

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _UltralyticsSession(tracker, recording, conditions)


class _UltralyticsSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        import torch
        from ultralytics.engine.results import Boxes
        from ultralytics.trackers.track import TRACKER_MAP
        from ultralytics.utils import YAML, IterableSimpleNamespace
        from ultralytics.utils.checks import check_yaml

        torch.set_num_threads(1)
        self._torch, self._boxes, self._conditions = torch, Boxes, conditions
        self._image = black(recording)
        options = YAML.load(check_yaml(f"{name}.yaml"))
        options.update(
            {
                key: value
                for key, value in (("gmc_method", "none"), ("with_reid", conditions.embeddings))
                if key in options
            }
        )
        self._tracker = TRACKER_MAP[name](args=IterableSimpleNamespace(**options))
        self._motion = StoredMotion()
        if conditions.camera_motion:
            self._tracker.gmc = self._motion

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        self._motion.take(frame)
        seen = frame.detections
        rows = np.column_stack([seen.boxes, seen.scores, seen.class_ids]).astype(np.float32).reshape(-1, 6)
        looks = None
        if self._conditions.embeddings and seen.embeddings is not None:
            looks = self._torch.from_numpy(seen.embeddings)
        return self._boxes(rows, self._image.shape[:2]), looks

    def update(self, *arguments: Any) -> Any:
        boxes, looks = arguments
        return self._tracker.update(boxes, self._image, looks)

    def read(self, output: Any) -> Tracks:
        rows = np.asarray(output).reshape(-1, 8)
        return results_of(rows[:, 4], rows[:, :4], rows[:, 5])
