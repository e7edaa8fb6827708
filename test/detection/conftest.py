import numpy as np
import pytest
from support.models import constant_detector

from rtreid_ros.detection import DetectorOptions, create_detector

NAMES = {"names": "{0: 'person', 1: 'bicycle', 2: 'traffic light'}", "task": "detect"}


@pytest.fixture
def detector_of(tmp_path):
    """A detector whose model always gives these (x, y, width, height, score, class) in a 320x320 input."""

    def make(rows, dtype=np.float32, count=3, metadata=NAMES, made=None, **options):
        table = np.zeros((1, 4 + count, 2100), dtype)
        for index, (x, y, width, height, score, label) in enumerate(rows):
            table[0, :4, index] = x, y, width, height
            table[0, 4 + label, index] = score
        path = constant_detector(tmp_path / "made.onnx", table, metadata=metadata, **(made or {}))
        return create_detector(DetectorOptions(model=str(path), **options))

    return make


@pytest.fixture
def image():
    return np.zeros((320, 320, 3), np.uint8)
