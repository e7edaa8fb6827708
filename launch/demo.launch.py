"""The whole graph on a synthetic street, or on a video: `ros2 launch rtreid_ros demo.launch.py rviz:=true`.

Ends by itself with the source; results lie in `output`.
"""

from __future__ import annotations

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution, ThisLaunchFileDir
from launch_ros.actions import Node

PASSED_ON = ("mode", "detector", "embedder", "tracker", "rviz", "lossless")


def generate_launch_description() -> LaunchDescription:
    tracking = PythonLaunchDescriptionSource(
        PathJoinSubstitution([ThisLaunchFileDir(), "tracking.launch.py"])
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "source",
                default_value="synthetic",
                description="what to publish: anything `rtreid track` takes, such as video.mp4",
            ),
            DeclareLaunchArgument(
                "output", default_value="out/demo", description="folder for tracks.txt, metrics.json and bag/"
            ),
            DeclareLaunchArgument(
                "evaluate",
                default_value="true",
                choices=["true", "false"],
                description="write metrics.json, which needs TrackEval (pip install trackeval)",
            ),
            DeclareLaunchArgument(
                "mode",
                default_value="distributed",
                choices=["composed", "distributed"],
                description="composed: all stages in one process; distributed: one process per stage",
            ),
            DeclareLaunchArgument(
                "detector", default_value="", description="detection model; empty = built-in"
            ),
            DeclareLaunchArgument("embedder", default_value="", description="ReID model; empty = built-in"),
            DeclareLaunchArgument(
                "tracker", default_value="", description="which tracker; empty = the default"
            ),
            DeclareLaunchArgument(
                "lossless",
                default_value="false",
                choices=["true", "false"],
                description="every frame in order, as fast as results come, instead of at the frame rate",
            ),
            DeclareLaunchArgument(
                "rviz", default_value="false", choices=["true", "false"], description="start RViz"
            ),
            IncludeLaunchDescription(
                tracking,
                launch_arguments=[(name, LaunchConfiguration(name)) for name in PASSED_ON],
            ),
            OpaqueFunction(function=ends_of_the_graph),
        ]
    )


def ends_of_the_graph(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """The source, and the nodes that judge and record; when those have ended, everything ends."""

    def argument(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    def node(executable: str, **parameters: str | bool | int) -> Node:
        return Node(
            package="rtreid_ros",
            executable=executable,
            output="screen",
            parameters=[parameters | {"lossless": argument("lossless") == "true"}],
        )

    # who takes images: the stages, the recorder and, for RViz, the visualizer
    readers = {"composed": 1, "distributed": 2}[argument("mode")] + 1 + (argument("rviz") == "true")
    output = argument("output")
    ending = [node("recorder_node", output=output, video=True)]
    if argument("evaluate") == "true":
        ending.append(node("evaluator_node", output=f"{output}/metrics.json"))
    running = {id(action) for action in ending}

    def ended(event: ProcessExited, _: LaunchContext) -> EmitEvent | None:
        running.discard(id(event.action))
        return None if running else EmitEvent(event=Shutdown(reason="the source has ended"))

    return [
        *ending,
        *(RegisterEventHandler(OnProcessExit(target_action=action, on_exit=ended)) for action in ending),
        node(
            "source_node",
            source=argument("source"),
            wait_for_subscribers=readers,
            wait_for_observers=len(ending),
            wait_for_tracker=True,
        ),
    ]
