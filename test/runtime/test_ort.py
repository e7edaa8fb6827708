import logging

import numpy as np
import onnx
import pytest
from support.models import mean_color_embedder

from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.options import describe
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.runtime import ort as runtime
from rtreid_ros.runtime.ort import PROVIDERS, OrtSession, available_providers, provider_options

BOTH = pytest.mark.parametrize(
    "create",
    [
        lambda path: create_detector(DetectorOptions(model=str(path))),
        lambda path: create_embedder(EmbedderOptions(model=str(path), preprocessing="unit")),
    ],
    ids=["detector", "embedder"],
)


def write(path, content):
    path.write_bytes(content)
    return path


@BOTH
def test_a_missing_file_is_named(create, tmp_path):
    with pytest.raises(ModelError, match=r"nowhere\.onnx' does not exist"):
        create(tmp_path / "nowhere.onnx")


@BOTH
def test_a_folder_is_no_model(create, tmp_path):
    (tmp_path / "model.onnx").mkdir()
    with pytest.raises(ModelError, match="is a folder"):
        create(tmp_path / "model.onnx")


@BOTH
def test_an_empty_file_is_no_model(create, tmp_path):
    with pytest.raises(ModelError, match="is empty"):
        create(write(tmp_path / "model.onnx", b""))


@BOTH
@pytest.mark.parametrize("damage", ["noise", "text", "truncated"])
def test_a_damaged_file_is_refused_with_what_to_do(create, damage, tmp_path, small_model, capfd):
    content = small_model.read_bytes()
    content = {
        "noise": np.random.default_rng(0).bytes(5000),
        "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "truncated": content[: len(content) // 2],
    }[damage]
    with pytest.raises(ModelError, match=r"cannot be loaded as an ONNX model.*download or export it again"):
        create(write(tmp_path / "damaged.onnx", content))
    assert capfd.readouterr() == ("", "")


def test_the_session_says_which_provider_it_really_got(small_model, caplog):
    with caplog.at_level(logging.INFO, "rtreid_ros.runtime.ort"):
        session = OrtSession(small_model)
    assert session.provider in PROVIDERS.values()
    assert any(session.provider in record.getMessage() for record in caplog.records)
    for absent in set(PROVIDERS) - set(available_providers()):
        assert absent in caplog.text


def test_providers_are_tried_in_the_declared_order(small_model):
    if available_providers() != ("cpu",):
        pytest.skip("this build of ONNX Runtime has more than its CPU provider")
    assert OrtSession(small_model, ("tensorrt", "cuda", "openvino", "cpu")).provider == "CPUExecutionProvider"
    for wanted in (("cuda",), ("tensorrt", "openvino"), ()):
        with pytest.raises(ConfigError, match="it has: cpu"):
            OrtSession(small_model, wanted)


@pytest.mark.filterwarnings("ignore:Specified provider:UserWarning")
def test_a_provider_that_does_not_come_up_is_named_and_the_next_one_taken(small_model, monkeypatch, caplog):
    if "cuda" in available_providers():
        pytest.skip("this build of ONNX Runtime has CUDA, which may come up")
    monkeypatch.setattr(runtime, "available_providers", lambda: ("cuda", "cpu"))
    assert OrtSession(small_model).provider == "CPUExecutionProvider"
    assert "CUDAExecutionProvider did not come up" in caplog.text
    with pytest.raises(ModelError, match="none of the wanted execution providers came up"):
        OrtSession(small_model, ("cuda",))


def test_a_provider_that_fails_is_named_and_the_next_one_taken(small_model, monkeypatch, caplog, capfd):
    monkeypatch.setattr(runtime, "available_providers", lambda: ("openvino", "cpu"))
    monkeypatch.setattr(runtime, "provider_options", lambda name: None if name == "openvino" else {})
    assert OrtSession(small_model).provider == "CPUExecutionProvider"
    assert "OpenVINOExecutionProvider failed" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_model_newer_than_the_runtime_is_refused_with_the_reason(small_model):
    model = onnx.load(small_model)
    model.ir_version = 99
    small_model.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"IR version: 99.*not too old"):
        OrtSession(small_model)


@pytest.mark.parametrize("options", [DetectorOptions, EmbedderOptions])
def test_the_options_offer_the_providers_we_know_in_our_order(options):
    offered = next(option for option in describe(options) if option.name == "providers")
    assert tuple(offered.choices) == offered.default == tuple(PROVIDERS)


def test_tensorrt_engines_are_kept_in_the_cache_folder_of_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = provider_options("tensorrt")
    assert settings["trt_engine_cache_enable"] == "True"
    assert settings["trt_engine_cache_path"].startswith(str(tmp_path))
    assert provider_options("cpu") == {}


def test_cuda_does_not_time_its_algorithms_anew_for_each_batch_size():
    assert provider_options("cuda") == {"cudnn_conv_algo_search": "HEURISTIC"}


def test_inputs_outputs_and_metadata_are_described(tmp_path):
    session = OrtSession(mean_color_embedder(tmp_path / "any.onnx", metadata={"key": "value"}))
    assert [str(item) for item in session.inputs] == ["crops [?, 3, 16, 8] float32"]
    assert [str(item) for item in session.outputs] == ["vectors [?, 3] float32"]
    assert session.metadata == {"key": "value"}
    assert session.name == "any.onnx"


def test_an_input_that_does_not_fit_is_refused_with_its_shape(small_model):
    with pytest.raises(ModelError, match=r"small\.onnx failed on an input of shape \(1, 3, 8, 8\)"):
        OrtSession(small_model).run(np.zeros((1, 3, 8, 8), np.float32))


def test_results_do_not_depend_on_the_run_or_on_the_number_of_threads(shared_data):
    path = shared_data / "weights/det/yolox_nano_coco416.onnx"
    image = np.random.default_rng(0).uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)
    sessions = [OrtSession(path, ("cpu",), threads) for threads in (1, 2, 0, 3)]
    results = {session.run(image)[0].tobytes() for session in sessions for _ in range(2)}
    assert len(results) == 1
