"""boxmot (AGPL-3.0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.peers.base import Conditions, Implementation, Session, StoredMotion, black, results_of
from rtreid_ros.recordings import RecordedFrame, Recording
from rtreid_ros.types import Tracks

_LIKENESS_OF_ALL = 128
"""Length of the constant embedding for trackers that cannot do without any."""


class Boxmot(Implementation):
    """boxmot's Python trackers, with the options of the YAML files it ships."""

    title, distribution, module = "boxmot", "boxmot", "boxmot"
    trackers = ("bytetrack", "ocsort", "botsort", "strongsort", "deepocsort")
    appearance = motion = ("botsort", "strongsort", "deepocsort")
    takes_time = True

    @classmethod
    def start(cls, tracker: str, recording: Recording, conditions: Conditions) -> Session:
        """As the class says."""
        return _BoxmotSession(tracker, recording, conditions)


class _BoxmotSession(Session):
    def __init__(self, name: str, recording: Recording, conditions: Conditions) -> None:
        import torch
        from boxmot import structures
        from boxmot.trackers.config import load_tracker_config
        from boxmot.trackers.factory import create_tracker as create
        from boxmot.trackers.specs import TrackerSpec

        torch.set_num_threads(1)
        self._torch, self._structures, self._conditions = torch, structures, conditions
        options = load_tracker_config(name)
        for key, value in (
            ("use_embeddings", conditions.embeddings),
            ("use_cmc", conditions.camera_motion),
            ("cmc_off", not conditions.camera_motion),
        ):
            if key in options:
                options[key] = value
        if conditions.real_time:
            options["variable_dt"] = True
        self._tracker = create(TrackerSpec(name=name, options=tuple(sorted(options.items()))))
        self._motion = StoredMotion()
        if hasattr(self._tracker, "cmc"):
            self._tracker.cmc = self._motion if conditions.camera_motion else None
        needs = self._tracker.requirements
        self._needs_embeddings = needs.embeddings
        self._image = black(recording) if needs.frame else None

    def prepare(self, frame: RecordedFrame, stamp: float) -> tuple[Any, ...]:
        self._motion.take(frame)
        seen, torch = frame.detections, self._torch
        stamp_s = stamp if self._conditions.real_time else None
        if not self._needs_embeddings:
            rows = np.column_stack([seen.boxes, seen.scores, seen.class_ids]).astype(np.float32)
            return rows.reshape(-1, 6), stamp_s
        looks = seen.embeddings if self._conditions.embeddings else None
        if looks is None:
            looks = np.full((len(seen), _LIKENESS_OF_ALL), _LIKENESS_OF_ALL**-0.5, np.float32)
        detections = self._structures.Detections(
            geometry=self._structures.Boxes(torch.from_numpy(seen.boxes)),
            scores=torch.from_numpy(seen.scores),
            class_ids=torch.from_numpy(seen.class_ids.astype(np.int64)),
            sample_id=str(frame.number),
            embeddings=torch.from_numpy(looks),
        )
        return detections, stamp_s

    def update(self, *arguments: Any) -> Any:
        detections, stamp_s = arguments
        return self._tracker.update(detections, self._image, timestamp_s=stamp_s)

    def read(self, output: Any) -> Tracks:
        if isinstance(output, np.ndarray):
            if not len(output):
                return Tracks.empty()
            return results_of(output[:, 4], output[:, :4], output[:, 5])
        return results_of(output.track_ids.numpy(), output.geometry.values.numpy(), output.scores.numpy())
