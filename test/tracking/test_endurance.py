"""The short version of ``bench/soak.py``: people come and go, and nothing piles up."""

import gc
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from rtreid_ros.tracking import TRACKERS, create_tracker

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench.street import DAY, FPS, days, street

DAYS = 5
TRACED_DAYS = 3  # counting is slow
KILOBYTE = 1024


@pytest.mark.parametrize("name", list(TRACKERS))
def test_nothing_piles_up_and_no_id_comes_twice(name):
    moments = street(people=3, dim=16 if TRACKERS[name].uses_embeddings else 0)
    tracker = create_tracker(name, FPS)
    held, most_rows, live, last_id = [], np.zeros(DAYS, int), np.zeros(0, int), 0
    try:
        for number, moment, stamp in days(moments, DAYS * DAY):
            if number == (DAYS - TRACED_DAYS) * DAY:
                tracemalloc.start()
            tracks = tracker.update(moment.detections, stamp=stamp, camera_motion=moment.camera_motion)
            day = number // DAY
            most_rows[day] = max(most_rows[day], len(tracker.tracks))
            new = np.setdiff1d(tracks.ids, live, assume_unique=True)
            assert (new > last_id).all(), "an id that was gone came back"
            live, last_id = tracks.ids, max(last_id, int(tracks.ids.max(initial=0)))
            if tracemalloc.is_tracing() and number % DAY == DAY - 1:
                del tracks, new
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert last_id > 20 * DAYS
    assert most_rows[-1] <= most_rows[1]
    # of the first traced day, arrays that were there before are not counted
    assert max(held[1:]) - held[1] < 20 * KILOBYTE
