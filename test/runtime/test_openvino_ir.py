import subprocess
import sys

import cv2
import numpy as np
import pytest
from support.models import constant_detector, mean_color_embedder

from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ModelError
from rtreid_ros.runtime.openvino_ir import device_order

openvino = pytest.importorskip("openvino")

from rtreid_ros.runtime.openvino_ir import OpenVinoSession  # noqa: E402
from rtreid_ros.runtime.ort import OrtSession  # noqa: E402


def to_ir(onnx_file, folder, info=None):
    """The IR of an ONNX file, with `info` where converters write it."""
    model = openvino.convert_model(str(onnx_file))
    for key, value in (info or {}).items():
        model.set_rt_info(value, ["model_info", key])
    path = folder / "converted.xml"
    openvino.save_model(model, str(path), compress_to_fp16=False)
    return path


def test_an_ir_gives_what_its_onnx_file_gives(tmp_path):
    onnx_file = mean_color_embedder(tmp_path / "mean.onnx")
    batch = np.random.default_rng(0).uniform(size=(5, 3, 16, 8)).astype(np.float32)
    expected = OrtSession(onnx_file).run(batch)[0]
    for path in (onnx_file, to_ir(onnx_file, tmp_path)):
        session = OpenVinoSession(path)
        assert [str(item) for item in session.inputs] == ["crops [?, 3, 16, 8] float32"]
        np.testing.assert_allclose(session.run(batch)[0], expected, rtol=1e-5)
        assert session.provider in ("CPU", "GPU")


def test_a_signal_is_survived_after_models_have_gone(tmp_path):
    code = (
        "import gc, signal, sys\n"
        "from pathlib import Path\n"
        "from rtreid_ros.runtime.openvino_ir import OpenVinoSession\n"
        "first, second = (OpenVinoSession(Path(sys.argv[1])) for _ in range(2))\n"
        "del first\n"
        "gc.collect()\n"
        "del second\n"
        "gc.collect()\n"
        "signal.signal(signal.SIGINT, lambda *_: print('handled'))\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    command = [sys.executable, "-c", code, str(mean_color_embedder(tmp_path / "mean.onnx"))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


def test_a_yolo_layout_is_read_from_an_ir_as_from_its_onnx_file(shared_data, tmp_path):
    onnx_file = shared_data / "weights/det/yolox_nano_coco416.onnx"
    video = cv2.VideoCapture(str(shared_data / "mot/MOT15/TUD-Stadtmitte/TUD-Stadtmitte.mp4"))
    image = video.read()[1]
    ir, reference = (
        create_detector(DetectorOptions(model=str(path), score_threshold=0.3))
        for path in (to_ir(onnx_file, tmp_path), onnx_file)
    )
    assert (ir.info.backend, ir.info.layout) == ("openvino", "yolox")
    found, expected = ir.detect(image), reference.detect(image)
    assert len(expected) > 3
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.05)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-3)


@pytest.mark.parametrize("where", ["inside", "beside"])
def test_metadata_is_found_inside_the_ir_or_beside_it(tmp_path, where):
    table = np.zeros((1, 6, 2100), np.float32)
    table[0, :, 0] = 100, 100, 40, 80, 0, 0.9
    onnx_file = constant_detector(tmp_path / "two.onnx", table)
    names = "{0: 'cat', 1: 'person'}"
    path = to_ir(onnx_file, tmp_path, {"names": names, "task": "detect"} if where == "inside" else None)
    if where == "beside":
        (tmp_path / "metadata.yaml").write_text(
            "names:\n  0: cat\n  1: person\ntask: detect\nimgsz: [320, 320]\n"
        )
    detector = create_detector(DetectorOptions(model=str(path)))
    assert detector.class_names == ("cat", "person")
    assert detector.info.backend == "openvino"
    np.testing.assert_allclose(detector.detect(np.zeros((320, 320, 3), np.uint8)).boxes, [[80, 60, 120, 140]])


def test_metadata_that_is_no_yaml_is_refused(tmp_path):
    path = to_ir(mean_color_embedder(tmp_path / "mean.onnx"), tmp_path)
    (tmp_path / "metadata.yaml").write_text("names: [person")
    with pytest.raises(ModelError, match="no readable YAML"):
        OpenVinoSession(path)


def test_an_ir_without_its_weights_is_refused(tmp_path):
    path = to_ir(mean_color_embedder(tmp_path / "mean.onnx"), tmp_path)
    path.with_suffix(".bin").unlink()
    with pytest.raises(ModelError, match=r"no converted\.bin beside it"):
        OpenVinoSession(path)


def test_a_damaged_ir_is_refused(tmp_path):
    path = to_ir(mean_color_embedder(tmp_path / "mean.onnx"), tmp_path)
    path.write_text(path.read_text()[:500])
    with pytest.raises(ModelError, match=r"cannot be loaded by OpenVINO.*download or export it again"):
        OpenVinoSession(path)


def test_an_input_that_does_not_fit_is_refused_with_its_shape(tmp_path):
    session = OpenVinoSession(mean_color_embedder(tmp_path / "mean.onnx"))
    with pytest.raises(ModelError, match=r"failed on an input of shape \(1, 3, 8, 8\)"):
        session.run(np.zeros((1, 3, 8, 8), np.float32))


def test_a_gpu_is_preferred_where_there_is_one():
    assert device_order(["CPU", "GPU.0", "GPU.1", "NPU"]) == ("GPU", "CPU")
    assert device_order(["CPU"]) == ("CPU",)
    assert device_order([]) == ()
