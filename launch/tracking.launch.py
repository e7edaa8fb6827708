"""Tracks on a camera topic: `ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw`.

Everything is a parameter of the nodes; the arguments here are the ones people change most. What is
left empty comes from `params_file`, then from the nodes' defaults. `--show-args` lists them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from rtreid_ros.camera_motion.options import METHODS
from rtreid_ros.nodes.environment import config_file
from rtreid_ros.tracking import TRACKERS

BOOLEAN = ["true", "false"]


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            DeclareLaunchArgument("image", default_value="image", description="topic of the camera's images"),
            DeclareLaunchArgument(
                "image_transport",
                default_value="",
                choices=["", "raw", "compressed"],
                description="compressed: take sensor_msgs/CompressedImage from <image>/compressed",
            ),
            DeclareLaunchArgument(
                "detector",
                default_value="",
                description="detection model, a file or a name; empty = as in params_file, or built-in",
            ),
            DeclareLaunchArgument(
                "embedder",
                default_value="",
                description="ReID model, a file; empty = as in params_file, or built-in",
            ),
            DeclareLaunchArgument(
                "tracker",
                default_value="",
                choices=["", *sorted(TRACKERS)],
                description="which tracker; empty = as in params_file, or the default",
            ),
            DeclareLaunchArgument(
                "camera_motion",
                default_value="",
                choices=["", "auto", *METHODS],
                description="how to tell the camera's motion; empty = as in params_file, or the default",
            ),
            DeclareLaunchArgument(
                "mode",
                default_value="composed",
                choices=["composed", "distributed"],
                description="composed: all stages in one process; distributed: one process per stage",
            ),
            DeclareLaunchArgument(
                "lossless",
                default_value="",
                choices=["", *BOOLEAN],
                description="process every frame in order, for evaluation; the source must wait for results",
            ),
            DeclareLaunchArgument("namespace", default_value="", description="namespace of nodes and topics"),
            DeclareLaunchArgument(
                "params_file", default_value="", description="YAML file with parameters of the nodes"
            ),
            DeclareLaunchArgument(
                "visualize",
                default_value="false",
                choices=BOOLEAN,
                description="publish the annotated image and the markers (rviz:=true does so too)",
            ),
            DeclareLaunchArgument("rviz", default_value="false", choices=BOOLEAN, description="start RViz"),
            DeclareLaunchArgument(
                "frame", default_value="camera", description="frame_id of the images, RViz's fixed frame"
            ),
            DeclareLaunchArgument(
                "use_sim_time", default_value="false", choices=BOOLEAN, description="take time from /clock"
            ),
            OpaqueFunction(function=nodes),
        ]
    )


def nodes(context: LaunchContext) -> list[Node]:
    """The processes that the arguments ask for."""

    def argument(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    def given(name: str, parameter: str) -> dict[str, Any]:
        value = argument(name)
        return {parameter: value == "true" if value in BOOLEAN else value} if value else {}

    common = given("lossless", "lossless") | given("use_sim_time", "use_sim_time")
    transport = given("image_transport", "image_transport")
    stages = {
        "detector": given("detector", "detector.model") | given("camera_motion", "camera_motion.method"),
        "embedder": given("embedder", "embedder.model"),
        "tracker": given("tracker", "tracker.name"),
    }

    file = argument("params_file")
    if file and not Path(file).is_file():  # launch_ros would go on with a warning
        raise FileNotFoundError(f"params_file: there is no file {file!r}")

    def node(executable: str, *runs: str, takes_images: bool = True) -> Node:
        chosen = common | (transport if takes_images else {})
        for stage in runs:
            chosen |= stages[stage]
        remappings = [("image", argument("image")), ("image/compressed", f"{argument('image')}/compressed")]
        return Node(
            package="rtreid_ros",
            executable=executable,
            name=executable,
            namespace=argument("namespace"),
            output="screen",
            parameters=[*([file] if file else []), chosen],
            remappings=remappings if takes_images else [],
        )

    if argument("mode") == "composed":
        started = [node("tracking_node", "detector", "embedder", "tracker")]
    else:
        started = [
            node("detector_node", "detector", "tracker"),
            node("embedder_node", "embedder"),
            node("tracker_node", "tracker", takes_images=False),
        ]
    rviz = argument("rviz") == "true"
    if rviz or argument("visualize") == "true":
        started.append(node("visualizer_node"))
    if rviz:
        started.append(
            Node(
                package="rviz2",
                executable="rviz2",
                namespace=argument("namespace"),
                arguments=["-d", str(config_file("tracking.rviz")), "-f", argument("frame")],
                parameters=[given("use_sim_time", "use_sim_time")],
            )
        )
    return started
