import numpy as np
import pytest
from support.reid_export import checkpoint_of

from rtreid_ros.reid.export import Crops


@pytest.fixture(scope="session")
def checkpoint():
    return checkpoint_of()


@pytest.fixture(scope="session")
def crops():
    """Coarse coloured patterns of several sizes, fewer than the largest batch."""
    rng = np.random.default_rng(0)
    images = []
    for _ in range(11):
        height, width = rng.integers(20, 60), rng.integers(10, 30)
        pattern = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3)).astype(np.uint8)
        images.append(np.kron(pattern, np.ones((8, 8, 1), np.uint8))[:height, :width])
    return Crops(tuple(images), "a test")
