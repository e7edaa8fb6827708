"""Launch files describe the graph that their arguments ask for."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rtreid_ros.nodes.options import NODES
from rtreid_ros.tracking import TRACKERS

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "launch").glob("*.launch.py"))


def load(name: str) -> ModuleType:
    pytest.importorskip("launch.actions", reason="`launch` comes with a ROS 2 installation only")
    pytest.importorskip("launch_ros.actions", reason="`launch_ros` comes with a ROS 2 installation only")
    spec = importlib.util.spec_from_file_location(name, ROOT / "launch" / f"{name}.launch.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declared(description: Any) -> dict[str, Any]:
    """The arguments of a launch description by name."""
    return {argument.name: argument for argument in description.get_launch_arguments()}


def started(module: ModuleType, function: str, **arguments: str) -> list[Any]:
    """The actions that `function` of a launch file returns, once the arguments are set."""
    from launch import LaunchContext  # noqa: PLC0415

    context = LaunchContext()
    context.launch_configurations.update(arguments)
    for action in module.generate_launch_description().entities:
        if type(action).__name__ == "DeclareLaunchArgument":
            action.visit(context)
    return list(getattr(module, function)(context))


def executables(actions: list[Any]) -> list[str]:
    return [action.node_executable for action in actions if hasattr(action, "node_executable")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_node_a_launch_file_names_exists(path: Path) -> None:
    texts = {item.value for item in ast.walk(ast.parse(path.read_text())) if isinstance(item, ast.Constant)}
    named = {text for text in texts if isinstance(text, str) and text.endswith("_node") and " " not in text}
    assert named
    assert named <= set(NODES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_parameter_a_launch_file_sets_exists(path: Path) -> None:
    known = {name for node in NODES.values() for name, _ in node.options()}
    dotted = {
        item.value
        for item in ast.walk(ast.parse(path.read_text()))
        if isinstance(item, ast.Constant)
        and isinstance(item.value, str)
        and item.value.partition(".")[0] in {"detector", "embedder", "tracker", "camera_motion"}
        and "." in item.value
    }
    assert dotted <= known


def test_every_argument_is_described_and_optional() -> None:
    for path in FILES:
        module = load(path.name.removesuffix(".launch.py"))
        for name, argument in declared(module.generate_launch_description()).items():
            assert argument.description, name
            assert argument.default_value is not None, name


def test_the_tracker_argument_offers_every_tracker() -> None:
    arguments = declared(load("tracking").generate_launch_description())
    assert set(arguments["tracker"].choices) == {"", *TRACKERS}


def test_composed_is_one_process_and_the_default() -> None:
    assert executables(started(load("tracking"), "nodes")) == ["tracking_node"]


def test_distributed_is_one_process_per_stage() -> None:
    nodes = executables(started(load("tracking"), "nodes", mode="distributed"))
    assert nodes == ["detector_node", "embedder_node", "tracker_node"]


def test_rviz_brings_the_visualizer_along() -> None:
    assert executables(started(load("tracking"), "nodes", rviz="true"))[1:] == ["visualizer_node", "rviz2"]


def test_a_missing_parameter_file_is_an_error() -> None:
    module = load("tracking")
    with pytest.raises(FileNotFoundError, match="no file"):
        started(module, "nodes", params_file="/nowhere.yaml")


def test_the_demo_judges_only_where_there_is_ground_truth() -> None:
    module = load("demo")
    assert executables(started(module, "ends_of_the_graph")) == [
        "recorder_node",
        "evaluator_node",
        "source_node",
    ]
    without = executables(started(module, "ends_of_the_graph", evaluate="false"))
    assert without == ["recorder_node", "source_node"]
