"""Results as a pipeline makes them, without a pipeline."""

import numpy as np

from rtreid_ros.pipeline import FrameResult, Timings
from rtreid_ros.types import Detections, Frame, GroundTruth, Tracks, TrackState


def tracks_of(rows, states=None, class_ids=None):
    """Tracks from rows of (id, x1, y1, x2, y2, score); confirmed unless `states` says otherwise."""
    rows = np.array(rows, np.float64).reshape(-1, 6)
    n = len(rows)
    return Tracks(
        ids=rows[:, 0].astype(np.int64),
        boxes=rows[:, 1:5].astype(np.float32),
        scores=rows[:, 5].astype(np.float32),
        class_ids=np.zeros(n, np.int32) if class_ids is None else np.array(class_ids, np.int32),
        states=np.full(n, TrackState.CONFIRMED, np.uint8) if states is None else np.array(states, np.uint8),
        ages=np.full(n, 0.5, np.float32),
        time_since_update=np.zeros(n, np.float32),
        detection_index=np.arange(n),
        velocities=np.tile(np.array([[3.0, -1.5]], np.float32), (n, 1)),
    )


def truth_of(rows, considered=True):
    """GroundTruth from rows of (id, x1, y1, x2, y2)."""
    rows = np.array(rows, np.float64).reshape(-1, 5)
    n = len(rows)
    return GroundTruth(
        ids=rows[:, 0].astype(np.int64),
        boxes=rows[:, 1:].astype(np.float32),
        class_ids=np.ones(n, np.int32),
        visibility=np.full(n, 0.75, np.float32),
        considered=np.broadcast_to(considered, n),
    )


def result_of(index, tracks, size=(48, 64), truth=None, rate=10):
    """A grey frame of that index with those tracks."""
    image = np.full((*size, 3), 20 + index % 200, np.uint8)
    frame = Frame(image, index, round(index * 1e9 / rate), truth)
    return FrameResult(frame, Detections.empty(), tracks, Timings(1.5, 2.5, 0.5, 3.5))
