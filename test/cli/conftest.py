import cv2
import numpy as np
import pytest
from support.models import constant_detector, mean_color_embedder

from rtreid_ros.cli.main import main


@pytest.fixture
def rtreid(capsys):
    """Runs a command line; exit code, standard output, standard error."""

    def call(*words):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:  # argparse
            code = end.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def models(tmp_path):
    """Flags for a detector that always sees two people, and an embedder."""
    table = np.zeros((1, 5, 2100), np.float32)
    table[0, :, 0] = 100, 100, 40, 80, 0.9
    table[0, :, 1] = 220, 150, 40, 80, 0.8
    names = {"names": "{0: 'person'}", "task": "detect"}
    detector = constant_detector(tmp_path / "detector.onnx", table, metadata=names)
    embedder = mean_color_embedder(tmp_path / "embedder.onnx")
    return "--detector", detector, "--embedder", embedder, "--set", "embedder.preprocessing=unit"


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "street"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 255, (320, 320, 3), dtype=np.uint8))
    return folder
