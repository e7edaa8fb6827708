import numpy as np
import pytest

from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Detections


@pytest.mark.parametrize("name", sorted(TRACKERS))
def test_tracking_begins_after_frames_in_which_nobody_was_seen_or_embedded(name):
    tracker = create_tracker(name, min_hits=1)
    nobody = Detections.empty().with_embeddings(np.zeros((0, 3), np.float32))
    someone = Detections([[0, 0, 10, 20]], [0.9], embeddings=np.eye(1, 3, dtype=np.float32))
    assert len(tracker.update(nobody, stamp=0.0)) == 0
    assert len(tracker.update(someone.with_embeddings(np.full((1, 3), np.nan)), stamp=0.1)) == 0
    assert tracker.update(someone, stamp=0.2).ids.tolist() == [1]
    assert tracker.update(nobody, stamp=0.3).ids.tolist() in ([1], [])
