"""The stages on two machines: the camera's, and one that can run models.

On the robot, where a camera driver publishes:

    ros2 launch rtreid_ros distributed.launch.py role:=robot image:=/camera/image_raw peer:=192.168.1.20

On the server:

    ros2 launch rtreid_ros distributed.launch.py role:=server image:=/camera/image_raw peer:=192.168.1.10

The robot keeps the tracker: images go over, embeddings come back, and tracks are made where they are
used. By default images travel as JPEG, which camera drivers publish beside the raw ones.
"""

from __future__ import annotations

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction, SetEnvironmentVariable

from rtreid_ros.launching.arguments import Argument, Values, declaration, declare
from rtreid_ros.launching.lifecycle import bring_up
from rtreid_ros.launching.nodes import displays, our_node

NODES = {"robot": ("tracker_node",), "server": ("detector_node", "embedder_node")}
ROLE = Argument(
    "robot: the camera's side, which runs the tracker; server: the side that runs the models",
    "robot",
    tuple(NODES),
)
SOURCE = Argument(
    "robot: also publish this, where no driver does: a camera such as 0 or rtsp://..., or a video"
)
PEER = Argument("address of the other machine, where multicast does not reach it; Iron and later")
ARGUMENTS = (
    "image",
    "image_transport",
    "detector",
    "embedder",
    "tracker",
    "camera_motion",
    "namespace",
    "params_file",
    "positions",
    "camera_info",
    "depth",
    "camera_height",
    "camera_pitch",
    "visualize",
    "rviz",
    "frame",
    "autostart",
    "respawn",
)


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription(
        [
            declaration("role", ROLE),
            declaration("peer", PEER),
            declaration("source", SOURCE),
            *declare(*ARGUMENTS, image_transport="compressed"),
            OpaqueFunction(function=graph),
        ]
    )


def graph(context: LaunchContext) -> list[Action]:
    """The processes of one of the two machines."""
    values = Values(context)
    nodes = [our_node(name, values) for name in NODES[values["role"]]]
    if values["source"] and values["role"] == "robot":
        nodes.append(our_node("source_node", values, {"source": values["source"]}))
    shown, others = displays(values)
    reach = [SetEnvironmentVariable("ROS_STATIC_PEERS", values["peer"])] if values["peer"] else []
    return [*reach, *bring_up(nodes, values, optional=shown), *others]
