"""RViz shows what our nodes publish."""

from pathlib import Path

import pytest
import yaml

CONFIG = Path(__file__).parents[2] / "config"
DOCS = Path(__file__).parents[2] / "docs" / "nodes.md"
TYPES = {"Image": "sensor_msgs/msg/Image", "MarkerArray": "visualization_msgs/msg/MarkerArray"}


def displays(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content["Visualization Manager"]["Displays"]


@pytest.fixture(scope="module")
def published():
    """Type by topic of all that visualizer_node and position_node publish, asked from ROS."""
    rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed here")
    pytest.importorskip("rtreid_ros.msg", reason="our messages are not built: make build")
    from rtreid_ros.nodes.position_node import PositionNode
    from rtreid_ros.nodes.visualizer_node import VisualizerNode

    context = rclpy.Context()
    rclpy.init(context=context, args=[])
    topics = {}
    for kind in (VisualizerNode, PositionNode):
        node = kind(context=context)
        assert node.start()
        for name, types in node.get_publisher_names_and_types_by_node(node.get_name(), "/"):
            if name in node.outputs:
                topics[name.removeprefix("/")] = types[0]
        node.close()
        node.destroy_node()
    context.try_shutdown()
    return topics


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIG.glob("*.rviz")))
def test_every_topic_shown_is_published_with_that_type(name, published):
    shown = [item for item in displays(CONFIG / name) if "Topic" in item]
    assert shown
    for item in shown:
        topic, kind = item["Topic"]["Value"], item["Class"].rpartition("/")[2]
        namespace, _, own = topic.rpartition("/")
        assert namespace in ("", "camera0", "camera1")
        assert published[own] == TYPES[kind], topic


@pytest.mark.parametrize("name", sorted(path.name for path in CONFIG.glob("*.rviz")))
def test_displays_have_classes_and_names_of_their_own(name):
    items = displays(CONFIG / name)
    assert all(item["Class"].startswith("rviz_default_plugins/") for item in items)
    assert len({item["Name"] for item in items}) == len(items)
    frame = yaml.safe_load((CONFIG / name).read_text())["Visualization Manager"]["Global Options"][
        "Fixed Frame"
    ]
    assert frame


def test_the_documented_topics_are_those_published(published):
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    rows = [
        line.split("|") for line in lines if line.startswith(("| `visualizer_node`", "| `position_node`"))
    ]
    told = {word.strip(",:") for row in rows for word in row[3].split() if word.startswith("`")}
    assert told == {f"`{topic}`" for topic in {*published, "/tf"} - {"trace"}}  # every node has that
