"""Launch files describe the graph that their arguments ask for."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from support.launched import Described, load, require_launch

from rtreid_ros.bags import messages
from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.nodes.options import NODES
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.tracking import TRACKERS
from rtreid_ros.types import Tracks

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path.name.removesuffix(".launch.py") for path in (ROOT / "launch").glob("*.launch.py"))


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """A recording of two cameras, one of them with ground truth, and of what was made of their images."""
    path = tmp_path_factory.mktemp("bags") / "recording"
    head = messages.header(10**18, "cam")
    with BagOutput(path) as output:
        for topic in ("/front/image", "/rear/image/compressed"):
            make = messages.raw_image if topic == "/front/image" else messages.jpeg_image
            quality = () if topic == "/front/image" else (90,)
            output.write_message(topic, make(np.zeros((8, 8, 3), np.uint8), head, *quality), 10**18)
        for topic in ("/rear/ground_truth", "/tracks"):
            output.write_message(topic, messages.track_array(Tracks.empty(), head, (8, 8)), 10**18)
    return path


@pytest.fixture
def described(bag):
    """Describes a launch file with arguments; those without which it has nothing to do are there."""
    require_launch()
    needed = {
        "multi_camera": {"cameras": "front,rear"},
        "replay_eval": {"bag": str(bag), "topic": "/rear/image/compressed"},
    }
    return lambda name, **arguments: Described(name, **{**needed.get(name, {}), **arguments})


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
    override = "qos_overrides./rear/ground_truth.subscription.durability"
    for executable, actions in graph.nodes.items():
        known = {"use_sim_time", override, *(option for option, _ in NODES[executable].options("sort"))}
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
    assert graph.node("tracking_node")._ExecuteLocal__respawn_delay == 1.0
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
    assert graph.parameters("embedder_node") == {
        **common,
        "embedder.model": "osnet_x0_25_market1501.onnx",
        "tracker.name": "sort",
    }
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
    with pytest.raises(ConfigError, match=r"in the namespace of every camera.*, got '/camera/image_raw'"):
        described("multi_camera", image="/camera/image_raw")


def test_a_bag_is_played_in_simulated_time(described, bag) -> None:
    graph = described("replay_eval", rate="0.5", rules="MOT17")
    command = graph.module.play_command(graph.values, ["/image"])
    assert command[:7] == ["ros2", "bag", "play", str(bag), "--clock", "--rate", "0.5"]
    for executable in ("tracking_node", "recorder_node", "evaluator_node"):
        assert graph.parameters(executable)["use_sim_time"] is True
    for executable in ("tracking_node", "recorder_node"):
        assert graph.parameters(executable)["image_transport"] == "compressed"
        assert graph.remaps(executable)["image/compressed"] == "/rear/image/compressed"
    assert graph.parameters("evaluator_node")["rules"] == "MOT17"
    assert "source_node" not in graph.nodes


def test_only_a_camera_and_its_ground_truth_are_played(described, bag, tmp_path) -> None:
    graph = described("replay_eval")
    assert graph.module.played_topics(graph.values) == ("/rear/image/compressed", "/rear/ground_truth")
    command = graph.module.play_command(graph.values, ["/a", "/b"])
    assert command[-3:] == ["--topics", "/a", "/b"]
    for executable in ("recorder_node", "evaluator_node"):
        assert graph.remaps(executable)["ground_truth"] == "/rear/ground_truth"
        override = "qos_overrides./rear/ground_truth.subscription.durability"
        assert graph.parameters(executable)[override] == "volatile"
    assert "ground_truth" not in graph.remaps("tracking_node")
    alone = described("replay_eval", topic="/front/image")
    assert alone.module.played_topics(alone.values) == ("/front/image", None)
    assert "ground_truth" not in alone.remaps("evaluator_node")
    # so it is where the bag is only its file, without metadata
    (file,) = bag.glob("*.mcap")
    single = described("replay_eval", bag=str(file))
    assert single.module.played_topics(single.values) == ("/rear/image/compressed", "/rear/ground_truth")


def test_a_bag_played_by_our_source_is_numbered(described, bag, tmp_path) -> None:
    graph = described("replay_eval", player="source_node", lossless="true", output=str(tmp_path))
    given = graph.parameters("source_node")
    assert (given["source"], given["lossless"], given["wait_for_subscribers"]) == (str(bag), True, 2)
    assert graph.module.judging(graph.values) == []
    graph.context.launch_configurations["gt"] = "gt.txt"
    (judge,) = graph.module.judging(graph.values)
    command = [part[0].text for part in judge.cmd[1:]]
    assert command[:4] == ["eval", str(tmp_path / "tracks.txt"), "--gt", "gt.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bag": ""}, "bag:= must name a bag"),
        ({"bag": "/no/such"}, "bag:= must name a bag to play, got '/no/such'"),
        ({"gt": "gt.txt"}, "gt needs player:=source_node"),
        ({"lossless": "true"}, "lossless needs player:=source_node"),
        ({"rate": "fast"}, "rate:= takes a number above 0, got 'fast'"),
        ({"rate": "0"}, "rate:= takes a number above 0, got '0'"),
        ({"rate": "-2"}, "rate:= takes a number above 0, got '-2'"),
        ({"settle": "-1"}, "settle:= takes a number from 0, got '-1'"),
        ({"settle": "nan"}, "settle:= takes a number from 0, got 'nan'"),
        ({"topic": ""}, r"topic:= must name an image topic of .*\n  /front/image  \(sensor_msgs"),
        ({"topic": "/front/imag"}, "no topic '/front/imag'"),
        ({"topic": "/tracks"}, "topic /tracks is no image"),
        ({"rate": "2", "player": "source_node"}, "rate needs player:=rosbag2"),
    ],
)
def test_a_replay_that_cannot_be_is_refused(arguments, message, described) -> None:
    with pytest.raises((ConfigError, SourceError), match=message):
        described("replay_eval", **arguments)


def test_a_replay_does_not_replace_what_it_plays(described, bag) -> None:
    recording = bag.parent / "rec"
    recording.mkdir()
    (recording / "bag").symlink_to(bag)
    for player in ("rosbag2", "source_node"):
        with pytest.raises(ConfigError, match="writing there would replace"):
            described("replay_eval", output=str(recording), player=player)


def test_what_is_wrong_with_metadata_is_said(described, tmp_path) -> None:
    (tmp_path / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    with pytest.raises(SourceError, match=r"metadata\.yaml: no metadata of a rosbag2"):
        described("replay_eval", bag=str(tmp_path))
