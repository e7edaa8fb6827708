import numpy as np
import pytest
from support.models import constant_detector


@pytest.fixture
def small_model(tmp_path):
    """A valid ONNX model of a few kilobytes."""
    return constant_detector(tmp_path / "small.onnx", np.zeros((1, 84, 21), np.float32), size=(32, 32))
