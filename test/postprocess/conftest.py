import numpy as np
import pytest

from rtreid_ros.evaluation.mot_text import MotTable


@pytest.fixture(scope="session")
def people():
    """A table of boxes of people by their way: (id, frames, x at frame 0, pixels per frame[, height])."""

    def make(*ways, y=500.0, jitter=0.8, seed=0):
        rng = np.random.default_rng(seed)
        rows = []
        for track, frames, x, speed, *height in ways:
            size = height[0] if height else 160.0
            for frame in frames:
                left, top, high = np.add((x + speed * frame, y, size), rng.normal(0, jitter, 3))
                rows.append((frame, track, left, top, 0.4 * size, high, 0.9))
        columns = np.array(sorted(rows)).reshape(-1, 7)
        return MotTable(
            frames=columns[:, 0].astype(np.int64),
            ids=columns[:, 1].astype(np.int64),
            boxes=columns[:, 2:6].copy(),
            scores=columns[:, 6].copy(),
            class_ids=np.ones(len(columns), np.int64),
            visibility=np.ones(len(columns), np.float32),
            has_classes=False,
        )

    return make
