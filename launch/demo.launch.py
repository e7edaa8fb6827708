"""The whole graph on a synthetic street, or on a video: `ros2 launch rtreid_ros demo.launch.py rviz:=true`.

Ends by itself with the source; results lie in `output`.
"""

from __future__ import annotations

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction

from rtreid_ros.launching.arguments import Values, declare
from rtreid_ros.launching.lifecycle import bring_up, end_after
from rtreid_ros.launching.nodes import displays, image_readers, observers, our_node, stages

ARGUMENTS = (
    "source",
    "output",
    "evaluate",
    "mode",
    "detector",
    "embedder",
    "tracker",
    "camera_motion",
    "params_file",
    "lossless",
    "rviz",
    "frame",
)


def generate_launch_description() -> LaunchDescription:
    defaults = {"source": "synthetic", "output": "out/demo", "mode": "distributed"}
    return LaunchDescription([*declare(*ARGUMENTS, **defaults), OpaqueFunction(function=graph)])


def graph(context: LaunchContext) -> list[Action]:
    """The processes that the arguments ask for; when those that judge and record end, everything ends."""
    values = Values(context)
    shown, others = displays(values)
    judges = observers(values, {"video": True})
    source = our_node(
        "source_node",
        values,
        {
            "source": values["source"],
            "wait_for_subscribers": image_readers(values),
            "wait_for_observers": len(judges),
            "wait_for_tracker": True,
        },
    )
    nodes = [*stages(values), *judges, source]
    return [*end_after(judges), *bring_up(nodes, values, optional=shown), *others]
