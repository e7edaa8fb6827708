"""Launch files describe the graph that their arguments ask for."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from support.launched import Described, load, require_launch

from rtreid_ros.errors import ConfigError
from rtreid_ros.nodes.options import NODES
from rtreid_ros.tracking import TRACKERS

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path.name.removesuffix(".launch.py") for path in (ROOT / "launch").glob("*.launch.py"))
NEEDED = {"multi_camera": {"cameras": "front,rear"}, "replay_eval": {"bag": str(ROOT)}}
"""Arguments without which a launch file has nothing to do."""


@pytest.fixture
def described():
    """Describes a launch file with arguments."""
    require_launch()
    return lambda name, **arguments: Described(name, **{**NEEDED.get(name, {}), **arguments})


@pytest.mark.parametrize("name", [*FILES, "../rtreid_ros/launching/nodes"])
def test_every_node_a_launch_file_names_exists(name: str) -> None:
    path = ROOT / "launch" / (f"{name}.launch.py" if name in FILES else f"{name}.py")
    texts = {item.value for item in ast.walk(ast.parse(path.read_text())) if isinstance(item, ast.Constant)}
    named = {text for text in texts if isinstance(text, str) and text.endswith("_node") and " " not in text}
    assert named <= set(NODES)


@pytest.mark.parametrize("name", FILES)
def test_every_argument_is_described_and_optional(name: str) -> None:
    for argument in load(name).generate_launch_description().get_launch_arguments():
        assert argument.description, argument.name
        assert argument.default_value is not None, argument.name


@pytest.mark.parametrize("name", FILES)
def test_every_parameter_given_is_one_of_the_node(name: str, described) -> None:
    graph = described(
        name,
        detector="a.onnx",
        embedder="b.onnx",
        tracker="sort",
        camera_motion="auto",
        image_transport="raw",
        source="0",
        visualize="true",
        use_sim_time="true",
    )
    for executable, actions in graph.nodes.items():
        known = {"use_sim_time", *(option for option, _ in NODES[executable].options("sort"))}
        for index in range(len(actions)):
            assert set(graph.parameters(executable, index)) <= known


@pytest.mark.parametrize("name", FILES)
def test_launch_leads_every_node_of_ours_through_its_lifecycle(name: str, described) -> None:
    graph = described(name)
    assert graph.nodes
    for executable in graph.nodes:
        assert type(graph.nodes[executable][0]).__name__ == "LifecycleNode"
        assert graph.parameters(executable)["autostart"] is False


def test_without_autostart_launch_asks_for_no_transition(described) -> None:
    def transitions(**arguments):
        handlers = [
            getattr(action, "event_handler", None) for action in described("tracking", **arguments).actions
        ]
        return [handler for handler in handlers if type(handler).__name__ == "OnStateTransition"]

    assert transitions()
    assert not transitions(autostart="false")
    assert not transitions(respawn="true")


def test_nodes_that_are_started_again_start_themselves(described) -> None:
    graph = described("tracking", respawn="true")
    assert graph.parameters("tracking_node")["autostart"] is True
    assert graph.node("tracking_node")._ExecuteLocal__respawn is True
    waiting = described("tracking", respawn="true", autostart="false")
    assert waiting.parameters("tracking_node") == {"autostart": False}


def test_the_tracker_argument_offers_every_tracker(described) -> None:
    assert set(described("tracking").declared["tracker"].choices) == {"", *TRACKERS}


def test_composed_is_one_process_and_the_default(described) -> None:
    assert list(described("tracking").nodes) == ["tracking_node"]


def test_distributed_is_one_process_per_stage(described) -> None:
    nodes = described("tracking", mode="distributed").nodes
    assert list(nodes) == ["detector_node", "embedder_node", "tracker_node"]


def test_rviz_brings_the_visualizer_along(described) -> None:
    graph = described("tracking", rviz="true", namespace="robot")
    assert list(graph.nodes) == ["tracking_node", "visualizer_node", "rviz2"]
    assert graph.namespaces("rviz2") == ["robot"]


def test_positions_come_from_depth_or_ground(described) -> None:
    graph = described("tracking", positions="depth", depth="/cam/depth", rviz="true")
    assert list(graph.nodes) == ["tracking_node", "position_node", "visualizer_node", "rviz2"]
    assert graph.parameters("position_node")["position.method"] == "depth"
    assert graph.remaps("position_node") == {"camera_info": "camera_info", "depth": "/cam/depth"}
    assert "positions.rviz" in str(graph.node("rviz2")._Node__arguments)
    graph = described("tracking", positions="ground", camera_height="1.2", camera_pitch="0")
    given = graph.parameters("position_node")
    assert (given["ground.height"], given["ground.pitch"]) == (1.2, 0.0)
    with pytest.raises(ConfigError, match=r"argument camera_height: height must be a number.*, got 'tall'"):
        described("tracking", positions="ground", camera_height="tall")


def test_simulated_time_is_for_all(described) -> None:
    graph = described("tracking", use_sim_time="true", mode="distributed", rviz="true")
    assert all(graph.parameters(name)["use_sim_time"] is True for name in graph.nodes)


def test_arguments_become_parameters_of_the_nodes_that_have_them(described) -> None:
    graph = described(
        "tracking",
        mode="distributed",
        detector="a.onnx",
        tracker="sort",
        lossless="true",
        camera_motion="ecc",
    )
    common = {"lossless": True, "autostart": False}
    assert graph.parameters("detector_node") == {
        **common,
        "detector.model": "a.onnx",
        "tracker.name": "sort",
        "camera_motion.method": "ecc",
    }
    assert graph.parameters("embedder_node") == {**common, "embedder.model": "osnet_x0_25_market1501.onnx"}
    assert graph.parameters("tracker_node") == {**common, "tracker.name": "sort"}


def test_images_are_taken_from_the_topic_asked_for(described) -> None:
    graph = described("tracking", image="/cam/image_raw", mode="distributed")
    images = {"image": "/cam/image_raw", "image/compressed": "/cam/image_raw/compressed"}
    assert graph.remaps("detector_node") == images
    assert graph.remaps("tracker_node") == {}


def test_a_parameter_file_decides_what_arguments_leave_open(described, tmp_path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("/**: {ros__parameters: {embedder.model: mine.onnx}}\n")
    graph = described("tracking", params_file=str(file), detector="a.onnx")
    assert "embedder.model" not in graph.parameters("tracking_node")
    with pytest.raises(ConfigError, match=r"params_file: there is no file '/nowhere\.yaml'"):
        described("tracking", params_file="/nowhere.yaml")


def test_the_demo_judges_only_where_it_can(described) -> None:
    graph = described("demo")
    assert list(graph.nodes)[3:] == ["recorder_node", "evaluator_node", "source_node"]
    assert graph.parameters("source_node")["wait_for_observers"] == 2
    assert graph.parameters("recorder_node")["video"] is True
    graph = described("demo", evaluate="false", mode="composed")
    assert list(graph.nodes) == ["tracking_node", "recorder_node", "source_node"]
    assert graph.parameters("source_node")["wait_for_observers"] == 1


@pytest.mark.parametrize(
    ("arguments", "readers"),
    [({"mode": "composed"}, 2), ({}, 3), ({"rviz": "true"}, 4)],
)
def test_the_source_of_the_demo_waits_for_all_who_take_images(arguments, readers, described) -> None:
    assert described("demo", **arguments).parameters("source_node")["wait_for_subscribers"] == readers


def test_of_two_machines_each_runs_its_stages(described) -> None:
    robot = described("distributed", peer="10.0.0.2")
    assert list(robot.nodes) == ["tracker_node"]
    assert type(robot.actions[0]).__name__ == "SetEnvironmentVariable"
    robot.actions[0].execute(robot.context)
    assert robot.context.environment["ROS_STATIC_PEERS"] == "10.0.0.2"
    assert list(described("distributed", source="0").nodes) == ["tracker_node", "source_node"]
    server = described("distributed", role="server", source="0")
    assert list(server.nodes) == ["detector_node", "embedder_node"]
    for executable in server.nodes:
        assert server.parameters(executable)["image_transport"] == "compressed"


def test_several_cameras_share_one_process(described) -> None:
    graph = described("multi_camera", image="image_raw", visualize="true", namespace="robot")
    assert list(graph.nodes) == ["tracking_node", "gallery_node", "visualizer_node"]
    given = graph.parameters("tracking_node")
    assert list(given["cameras"]) == ["front", "rear"]
    assert given["tracker.publish_embeddings"] is True
    remaps = graph.remaps("tracking_node")
    assert remaps["front/image"] == "front/image_raw"
    assert remaps["rear/image/compressed"] == "rear/image_raw/compressed"
    assert graph.namespaces("visualizer_node") == ["robot/front", "robot/rear"]
    assert graph.remaps("visualizer_node")["tracks"] == "global_tracks"
    alone = described("multi_camera", gallery="false", rviz="true")
    assert list(alone.nodes) == ["tracking_node", "visualizer_node", "rviz2"]
    assert "tracks" not in alone.remaps("visualizer_node")
    with pytest.raises(ConfigError, match="cameras:= must name"):
        described("multi_camera", cameras=" , ")


def test_a_bag_is_played_in_simulated_time(described) -> None:
    graph = described("replay_eval", bag=str(ROOT), topic="/cam/image/compressed", rate="0.5", rules="MOT17")
    command = graph.module.play_command(graph.values)
    assert command[:7] == ["ros2", "bag", "play", str(ROOT), "--clock", "--rate", "0.5"]
    for executable in ("tracking_node", "recorder_node", "evaluator_node"):
        assert graph.parameters(executable)["use_sim_time"] is True
    for executable in ("tracking_node", "recorder_node"):
        assert graph.parameters(executable)["image_transport"] == "compressed"
        assert graph.remaps(executable)["image/compressed"] == "/cam/image/compressed"
    assert graph.parameters("evaluator_node")["rules"] == "MOT17"
    assert "source_node" not in graph.nodes


def test_a_bag_played_by_our_source_is_numbered(described, tmp_path) -> None:
    graph = described("replay_eval", player="source_node", lossless="true", output=str(tmp_path))
    given = graph.parameters("source_node")
    assert (given["source"], given["lossless"], given["wait_for_subscribers"]) == (str(ROOT), True, 2)
    assert graph.module.judging(graph.values) == []
    graph.context.launch_configurations["gt"] = "gt.txt"
    (judge,) = graph.module.judging(graph.values)
    command = [part[0].text for part in judge.cmd]
    assert command[:4] == [sys.executable, "-m", "rtreid_ros.cli.main", "eval"]
    assert command[4:7] == [str(tmp_path / "tracks.txt"), "--gt", "gt.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bag": ""}, "bag:= must name a bag"),
        ({"bag": "/no/such"}, "bag:= must name a bag to play, got '/no/such'"),
        ({"gt": "gt.txt"}, "gt needs player:=source_node"),
        ({"lossless": "true"}, "lossless needs player:=source_node"),
        ({"rate": "fast"}, "rate:= takes a number, got 'fast'"),
        ({"rate": "2", "player": "source_node"}, "rate needs player:=rosbag2"),
    ],
)
def test_a_replay_that_cannot_be_is_refused(arguments, message, described) -> None:
    with pytest.raises(ConfigError, match=message):
        described("replay_eval", **arguments)
