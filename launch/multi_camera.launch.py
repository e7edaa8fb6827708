"""Several cameras, one copy of each model, one id for each person in all of them.

    ros2 launch rtreid_ros multi_camera.launch.py cameras:=front,rear image:=image_raw

takes /front/image_raw and /rear/image_raw, and publishes /front/tracks, /front/global_tracks and so on.
"""

from __future__ import annotations

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction

from rtreid_ros.errors import ConfigError
from rtreid_ros.launching.arguments import Argument, Values, declaration, declare
from rtreid_ros.launching.lifecycle import bring_up
from rtreid_ros.launching.nodes import our_node, renamed, rviz

CAMERAS = Argument("names of the cameras, separated by commas; their topics are in namespaces of these names")
GALLERY = Argument("give people one id in all cameras and after long absence", "true", ("true", "false"))
ARGUMENTS = (
    "image",
    "image_transport",
    "detector",
    "embedder",
    "tracker",
    "camera_motion",
    "namespace",
    "params_file",
    "visualize",
    "rviz",
    "frame",
    "use_sim_time",
    "autostart",
    "respawn",
)


def generate_launch_description() -> LaunchDescription:
    own = [declaration("cameras", CAMERAS), declaration("gallery", GALLERY)]
    return LaunchDescription([*own, *declare(*ARGUMENTS), OpaqueFunction(function=graph)])


def graph(context: LaunchContext) -> list[Action]:
    """The processes that the arguments ask for."""
    values = Values(context)
    cameras = values.names("cameras")
    if not cameras:
        raise ConfigError("cameras:= must name one camera or more, such as cameras:=front,rear")
    if values["image"].startswith("/"):
        raise ConfigError(
            "image:= is a topic in the namespace of every camera, such as image_raw for "
            f"/{cameras[0]}/image_raw, got {values['image']!r}"
        )
    remaps = {}
    for camera in cameras:
        remaps |= renamed(f"{camera}/image", f"{camera}/{values['image']}")
    with_gallery = values.flag("gallery")
    parameters = {"cameras": cameras, "tracker.publish_embeddings": with_gallery}
    nodes = [our_node("tracking_node", values, parameters, remaps=remaps)]
    if with_gallery:
        nodes.append(our_node("gallery_node", values, {"cameras": cameras}))
    shown = {"tracks": "global_tracks"} if with_gallery else {}
    visualizers = [our_node("visualizer_node", values, namespace=camera, remaps=shown) for camera in cameras]
    windows = [rviz(values, namespace=camera) for camera in cameras if values.flag("rviz")]
    wanted = values.flag("visualize") or values.flag("rviz")
    return [*bring_up(nodes, values, optional=visualizers if wanted else ()), *windows]
