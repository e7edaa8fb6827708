"""``rtreid doctor``."""

import contextlib
import io
import json
import sys
import types

import numpy as np
import onnxruntime
import pytest

from rtreid_ros.cli.checks import inference, media, ros
from rtreid_ros.cli.checks.base import package_check
from rtreid_ros.cli.main import main
from rtreid_ros.errors import ModelError


@pytest.fixture(scope="module")
def listed():
    """All checks by name, from a real run."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["doctor", "--json"])
    content = json.loads(out.getvalue())
    assert code == 0
    assert content["ok"]
    return {check["name"]: check for check in content["checks"]}


def test_the_core_and_the_cpu_are_found_to_work(listed):
    for name in ("rtreid_ros", "python", "numpy", "scipy", "rosbags", "cpu", "mp4"):
        assert listed[name]["state"] == "ok", listed[name]
    assert listed["numpy"]["detail"] == np.__version__
    assert listed["cpu"]["detail"] == "CPUExecutionProvider computes"


def test_everything_not_ok_comes_with_advice(listed):
    assert {check["state"] for check in listed.values()} <= {"ok", "missing", "warning"}
    assert all(check["advice"] for check in listed.values() if check["state"] != "ok")
    assert all(not check["advice"] for check in listed.values() if check["state"] == "ok")


def test_providers_not_in_this_build_are_said_to_be_missing(listed):
    for name, full in (("cuda", "CUDAExecutionProvider"), ("tensorrt", "TensorrtExecutionProvider")):
        if full not in onnxruntime.get_available_providers():
            assert listed[name]["state"] == "missing"
            assert "not in this build" in listed[name]["detail"]


def test_ros_is_looked_at_where_there_is_one(listed):
    pytest.importorskip("rclpy")
    assert listed["rclpy"]["state"] == "ok"
    assert listed["middleware"]["state"] == "ok"
    assert "rmw_" in listed["middleware"]["detail"]
    for name in ("tf2_msgs", "vision_msgs"):
        assert listed[name]["detail"].startswith(f"{name}/msg/"), listed[name]


def test_the_text_says_the_same(rtreid):
    code, out, _ = rtreid("doctor")
    assert code == 0
    for heading in ("Core", "Inference", "Models", "Video", "ROS 2", "Extras"):
        assert f"\n{heading}\n" in f"\n{out}"
    assert "ok       numpy" in out
    assert out.rstrip().endswith("Tracking works here.")


def test_the_probe_is_a_model_that_every_checker_accepts(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(inference.probe_model())
    onnx.checker.check_model(model, full_check=True)


def test_a_provider_that_does_not_come_up_is_no_disaster_unless_it_is_the_cpu(monkeypatch):
    def refuse(*_):
        raise ModelError("no device")

    monkeypatch.setattr("rtreid_ros.runtime.ort.OrtSession", refuse)
    monkeypatch.setattr("rtreid_ros.runtime.ort.available_providers", lambda: ("cuda", "cpu"))
    states = {check.name: check for check in inference.provider_checks()}
    assert (states["cuda"].state, states["cpu"].state) == ("warning", "broken")
    assert "does not come up: no device" in states["cuda"].detail
    assert states["openvino"].state == "missing"


def test_a_broken_core_gives_exit_code_one(rtreid, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    code, out, _ = rtreid("doctor")
    assert code == 1
    assert "broken   scipy" in out
    assert "-> pip install scipy" in out
    assert "does not work here yet" in out


def test_packages_absent_or_broken_are_told_apart(tmp_path, monkeypatch):
    (tmp_path / "half_installed.py").write_text("import something_it_needs\n")
    (tmp_path / "crashing.py").write_text("raise OSError('libGL.so.1: cannot open')\n")
    monkeypatch.syspath_prepend(tmp_path)
    check = package_check("surely_not_there", "x", advice="install it")
    assert (check.state, check.detail) == ("missing", "not installed")
    assert package_check("surely_not_there", "x", advice="", needed=True).state == "broken"
    assert "something_it_needs" in package_check("half_installed", "x", advice="").detail
    assert "libGL.so.1" in package_check("crashing", "x", advice="").detail


def test_without_ros_the_advice_fits_the_machine(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    first = ros.ros_checks()[0]
    assert (first.name, first.state) == ("rclpy", "missing")
    assert first.advice
    monkeypatch.setenv("ROS_DISTRO", "jazzy")
    first = ros.ros_checks()[0]
    assert first.state == "warning"
    assert "ROS_DISTRO is jazzy" in first.detail


def test_messages_that_are_not_built_are_said_how_to_build(monkeypatch):
    pytest.importorskip("rclpy")
    monkeypatch.setitem(sys.modules, "rtreid_ros.msg", None)
    check = {item.name: item for item in ros.ros_checks()}["messages"]
    assert check.state == "missing"
    assert "colcon build" in check.advice


def test_message_packages_of_others_are_said_what_for_and_how_to_get(monkeypatch):
    pytest.importorskip("rclpy")
    empty = types.ModuleType("vision_msgs.msg")
    monkeypatch.setitem(sys.modules, "tf2_msgs.msg", None)
    monkeypatch.setitem(sys.modules, "vision_msgs.msg", empty)
    checks = {item.name: item for item in ros.ros_checks()}
    assert checks["tf2_msgs"].state == "missing"
    assert checks["tf2_msgs"].advice.startswith("only for frames on /tf: sudo apt install ros-")
    assert checks["vision_msgs"].detail == "there, but without Detection2DArray"
    assert "make build EXTRAS=dev" in checks["vision_msgs"].advice


def test_a_missing_codec_is_a_warning():
    check = media.media_checks(("zzzz",))[0]
    assert (check.name, check.state) == ("mp4", "warning")
    assert "--no-video" in check.advice
