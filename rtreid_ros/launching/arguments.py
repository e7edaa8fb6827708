"""The arguments of our launch files: each is described once, its values are typed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration

from rtreid_ros.camera_motion.options import METHODS
from rtreid_ros.errors import ConfigError
from rtreid_ros.tracking import TRACKERS

BOOLEAN = ("true", "false")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: what it is for, its default and, where they are few, the values it takes."""

    description: str
    default: str = ""
    choices: tuple[str, ...] = ()


def _switch(description: str, default: str = "false") -> Argument:
    return Argument(description, default, BOOLEAN)


ARGUMENTS = {
    # what runs
    "image": Argument("topic of the camera's images", "image"),
    "image_transport": Argument(
        "compressed: take sensor_msgs/CompressedImage from <image>/compressed",
        choices=("", "raw", "compressed"),
    ),
    "detector": Argument("detection model, a file or a name; empty = as in params_file, or built-in"),
    "embedder": Argument("ReID model, a file; empty = as in params_file, or a built-in one"),
    "tracker": Argument(
        "which tracker; empty = as in params_file, or the default", choices=("", *sorted(TRACKERS))
    ),
    "camera_motion": Argument(
        "how to tell the camera's motion; empty = as in params_file, or the default",
        choices=("", "auto", *METHODS),
    ),
    "mode": Argument(
        "composed: all stages in one process; distributed: one process per stage",
        "composed",
        ("composed", "distributed"),
    ),
    "lossless": Argument(
        "process every frame in order, for evaluation; the source must wait for results",
        choices=("", *BOOLEAN),
    ),
    "params_file": Argument("YAML file with parameters of the nodes"),
    "namespace": Argument("namespace of nodes and topics"),
    "use_sim_time": _switch("take time from /clock"),
    # what else runs
    "visualize": _switch("publish the annotated image and the markers (rviz:=true does so too)"),
    "rviz": _switch("start RViz"),
    "frame": Argument("frame_id of the images, RViz's fixed frame", "camera"),
    "positions": Argument(
        "publish where tracks stand (tracks_3d, markers_3d): by a depth image, by the ground, or by either; "
        "empty = do not",
        choices=("", "auto", "depth", "ground"),
    ),
    "camera_height": Argument("height of the camera above the ground, for positions, metres"),
    "camera_pitch": Argument("how far the camera looks down, for positions, radians"),
    "camera_info": Argument("topic of the camera's calibration, for positions", "camera_info"),
    "depth": Argument("topic of depth images registered to the images, for positions", "depth"),
    # how it runs
    "autostart": _switch(
        "configure and activate the nodes; false: they wait for `ros2 lifecycle set`", "true"
    ),
    "respawn": _switch("start a node again when its process dies; false: that ends the launch"),
    # runs with an end
    "source": Argument("what to publish: anything `rtreid track` takes, such as video.mp4"),
    "output": Argument("folder for tracks.txt, metrics.json and bag/"),
    "evaluate": _switch("write metrics.json; for scores it needs TrackEval (pip install trackeval)", "true"),
}
"""What every argument of these names means, in whichever of our launch files."""


def declare(*names: str, **defaults: str) -> list[DeclareLaunchArgument]:
    """The declarations of `ARGUMENTS` of these names, with other defaults for some."""
    chosen = {name: ARGUMENTS[name] for name in names}
    for name, default in defaults.items():
        chosen[name] = replace(chosen[name], default=default)
    return [declaration(name, argument) for name, argument in chosen.items()]


def declaration(name: str, argument: Argument) -> DeclareLaunchArgument:
    """The declaration of one argument, for those that a launch file has to itself."""
    return DeclareLaunchArgument(
        name,
        default_value=argument.default,
        description=argument.description,
        choices=list(argument.choices) or None,
    )


class Values:
    """The values of the arguments, once they are known.

    An argument that the launch file does not declare has the default it has in `ARGUMENTS`, or is empty.
    """

    def __init__(self, context: LaunchContext) -> None:
        self._context = context

    def __getitem__(self, name: str) -> str:
        usual = ARGUMENTS[name].default if name in ARGUMENTS else ""
        return str(LaunchConfiguration(name, default=usual).perform(self._context))

    def flag(self, name: str) -> bool:
        """Whether a switch is on."""
        return self[name] == "true"

    def number(self, name: str, *, zero: bool = True) -> float:
        """The number an argument stands for; `zero`: whether 0 is one.

        Raises:
            ConfigError: it stands for none, or for one below that.
        """
        try:
            value = float(self[name])
        except ValueError:
            value = -1.0
        if not (math.isfinite(value) and (value > 0 or (zero and value == 0))):
            raise ConfigError(f"{name}:= takes a number {'from' if zero else 'above'} 0, got {self[name]!r}")
        return value

    def names(self, name: str) -> list[str]:
        """The items of a list, which are separated by commas."""
        return [item.strip() for item in self[name].split(",") if item.strip()]

    def sim_time(self) -> dict[str, Any]:
        """The parameter ``use_sim_time`` where it is asked for."""
        return {"use_sim_time": True} if self.flag("use_sim_time") else {}

    def files(self, name: str) -> list[str]:
        """The file of that argument; none if it is empty.

        Raises:
            ConfigError: there is no such file, with which `launch_ros` would go on.
        """
        file = self[name]
        if file and not Path(file).is_file():
            raise ConfigError(f"{name}: there is no file {file!r}")
        return [file] if file else []
