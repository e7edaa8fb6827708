"""Tracks on a camera topic: `ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw`.

Everything is a parameter of the nodes; the arguments here are the ones people change most. What is
left empty comes from `params_file`, then from the nodes' defaults. `--show-args` lists them.
"""

from __future__ import annotations

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction

from rtreid_ros.launching.arguments import Values, declare
from rtreid_ros.launching.lifecycle import bring_up
from rtreid_ros.launching.nodes import displays, stages

ARGUMENTS = (
    "image",
    "image_transport",
    "detector",
    "embedder",
    "tracker",
    "camera_motion",
    "mode",
    "lossless",
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
    "use_sim_time",
    "autostart",
    "respawn",
)


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*declare(*ARGUMENTS), OpaqueFunction(function=graph)])


def graph(context: LaunchContext) -> list[Action]:
    """The processes that the arguments ask for."""
    values = Values(context)
    shown, others = displays(values)
    return [*bring_up(stages(values), values, optional=shown), *others]
