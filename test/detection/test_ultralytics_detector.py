import importlib.util

import cv2
import numpy as np
import pytest

from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ConfigError, MissingDependencyError, ModelError

INSTALLED = importlib.util.find_spec("ultralytics") is not None
needs_it = pytest.mark.skipif(not INSTALLED, reason="ultralytics is not installed (it is an opt-in extra)")


@pytest.mark.skipif(INSTALLED, reason="ultralytics is installed")
def test_without_the_package_the_message_names_the_extra():
    with pytest.raises(MissingDependencyError, match=r"rtreid_ros\[ultralytics\]"):
        create_detector(DetectorOptions(model="yolo11n.pt"))


def test_a_model_must_be_named():
    with pytest.raises(ConfigError, match="needs a model"):
        create_detector(DetectorOptions(backend="ultralytics"))


@needs_it
def test_a_corrupt_file_is_refused(tmp_path):
    file = tmp_path / "broken.pt"
    file.write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot load"):
        create_detector(DetectorOptions(model=str(file)))


@needs_it
def test_both_backends_read_one_onnx_file_alike(shared_data):
    """Ultralytics' own letterbox, decoding and suppression are an independent reference for ours."""
    model = str(shared_data / "weights/det/yolov8n_int8_digitalm.onnx")
    video = cv2.VideoCapture(str(shared_data / "mot/MOT15/TUD-Stadtmitte/TUD-Stadtmitte.mp4"))
    ours, theirs = (
        create_detector(DetectorOptions(model=model, backend=backend, score_threshold=0.25))
        for backend in ("onnx", "ultralytics")
    )
    assert theirs.class_names == ours.class_names
    assert theirs.info.backend == "ultralytics"
    for _ in range(3):
        image = video.read()[1]
        mine, reference = ours.detect(image), theirs.detect(image)
        assert len(mine) > 3
        np.testing.assert_allclose(mine.boxes, reference.boxes, atol=0.01)
        np.testing.assert_allclose(mine.scores, reference.scores, atol=1e-5)
        np.testing.assert_array_equal(mine.class_ids, reference.class_ids)


@needs_it
def test_weights_of_pytorch_run(tmp_path):
    from ultralytics import YOLO  # noqa: PLC0415 (optional)

    file = tmp_path / "untrained.pt"
    YOLO("yolo11n.yaml").save(str(file))
    detector = create_detector(
        DetectorOptions(model=str(file), classes=(), score_threshold=0.0, max_detections=50)
    )
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    detections = detector.detect(image)
    assert len(detections) > 0
    assert detections.is_valid().all()
    assert (np.diff(detections.scores) <= 0).all()
    assert (detections.boxes >= 0).all()
    assert (detections.boxes <= (320, 240, 320, 240)).all()
    assert detector.info.provider == "cpu"
