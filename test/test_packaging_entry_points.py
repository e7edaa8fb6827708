"""One version, one list of entry points, and everything that is installed follows from them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from rtreid_ros.types import TrackState

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PREFIX = Path(sys.prefix)
built = pytest.mark.skipif(
    not (PREFIX / "share" / "rtreid_ros" / "package.xml").exists(),
    reason="the package is not built into this environment",
)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def package() -> ElementTree.Element:
    return ElementTree.parse(ROOT / "package.xml").getroot()


def test_every_entry_point_leads_to_a_function(project: dict[str, Any]) -> None:
    for name, target in project["scripts"].items():
        module, _, function = target.partition(":")
        tree = ast.parse((ROOT / (module.replace(".", "/") + ".py")).read_text())
        functions = {item.name for item in tree.body if isinstance(item, ast.FunctionDef)}
        assert function in functions, name


def test_every_node_module_is_an_entry_point(project: dict[str, Any]) -> None:
    modules = {path.stem for path in (ROOT / "rtreid_ros" / "nodes").glob("*_node.py")}
    assert modules == {name for name in project["scripts"] if name.endswith("_node")}


@built
def test_the_build_installs_one_executable_per_entry_point(project: dict[str, Any]) -> None:
    nodes = {path.name for path in (PREFIX / "lib" / "rtreid_ros").iterdir()}
    assert nodes == {name for name in project["scripts"] if name.endswith("_node")}
    for path in [PREFIX / "bin" / "rtreid", *(PREFIX / "lib" / "rtreid_ros").iterdir()]:
        assert os.access(path, os.X_OK), path


@built
def test_executables_start_without_an_activated_environment() -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    for command in (PREFIX / "bin" / "rtreid", PREFIX / "lib" / "rtreid_ros" / "detector_node"):
        done = subprocess.run(
            [command, "--help"], check=False, env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert "usage" in done.stdout.lower()


def test_the_package_manifest_is_a_format_3_interface_package(package: ElementTree.Element) -> None:
    assert package.get("format") == "3"
    assert package.findtext("export/build_type") == "ament_cmake"
    assert package.findtext("member_of_group") == "rosidl_interface_packages"
    assert package.findtext("license") == "MIT"


@built
def test_the_installed_version_is_that_of_the_manifest(package: ElementTree.Element) -> None:
    assert metadata.version("rtreid_ros") == package.findtext("version")


class Imports(ast.NodeVisitor):
    """The top-level packages that a module imports when it runs."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self.names |= {alias.name.partition(".")[0] for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module and not node.level:
            self.names.add(node.module.partition(".")[0])

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "TYPE_CHECKING":
            self.generic_visit(node)


def imported_packages(folder: Path) -> set[str]:
    imports = Imports()
    for path in folder.rglob("*.py"):
        imports.visit(ast.parse(path.read_text()))
    return imports.names


def test_every_ros_package_we_import_is_declared(
    project: dict[str, Any], package: ElementTree.Element
) -> None:
    ours = imported_packages(ROOT / "rtreid_ros") | imported_packages(ROOT / "launch")
    ros = {
        name
        for name in ours
        if re.search(r"_(msgs|interfaces|srvs)$|^rclpy$|^launch|^cv_bridge$|^ament_", name)
    }
    assert ros >= {"rclpy", "sensor_msgs"}
    declared = {item.text for item in package if item.tag in ("depend", "exec_depend")}
    assert ros <= declared
    extra = {re.split(r"[\[<>=]", item)[0] for item in project["optional-dependencies"]["ros"]}
    not_on_the_index = {"launch", "launch_ros", "cv_bridge", "tf2_msgs", "vision_msgs"}
    needed = {"ros-" + name.replace("_", "-") for name in ros - not_on_the_index}
    assert needed <= extra


def test_what_launch_files_start_is_declared_but_for_rviz(package: ElementTree.Element) -> None:
    declared = {item.text for item in package if item.tag == "exec_depend"}
    assert {"ros2bag", "rosbag2_storage_mcap"} <= declared
    assert "rviz2" not in declared, "half a desktop, which a robot need not have"


def test_only_declared_distributions_are_imported(project: dict[str, Any]) -> None:
    modules = {
        "onnxruntime-gpu": "onnxruntime",
        "opencv-python-headless": "cv2",
        "pytorch-metric-learning": "pytorch_metric_learning",
        "pyyaml": "yaml",
    }
    requirements = [*project["dependencies"]]
    for name in ("openvino", "tensorrt", "ultralytics", "train", "timm", "eval", "tune"):
        requirements += project["optional-dependencies"][name]
    names = [re.split(r"[\[<>=]", item)[0].lower() for item in requirements]
    known = {modules.get(name, name) for name in names} | set(sys.stdlib_module_names) | {"rtreid_ros"}
    ros = {
        name
        for name in imported_packages(ROOT / "rtreid_ros")
        if re.search(r"_(msgs|interfaces|srvs)$|^rclpy$|^cv_bridge$|^launch(_ros)?$", name)
    }
    assert imported_packages(ROOT / "rtreid_ros") - ros <= known


@built
def test_message_constants_are_the_track_states() -> None:
    messages = pytest.importorskip("rtreid_ros.msg")
    for state in TrackState:
        assert getattr(messages.Track, f"STATE_{state.name}") == state
