"""Our nodes as launch actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from launch_ros.actions import LifecycleNode, Node

from rtreid_ros.errors import ConfigError
from rtreid_ros.launching.arguments import Values
from rtreid_ros.nodes.environment import config_file
from rtreid_ros.nodes.options import NODES
from rtreid_ros.reid import embedder_beside

_SETS = {
    "lossless": "lossless",
    "image_transport": "image_transport",
    "detector": "detector.model",
    "embedder": "embedder.model",
    "tracker": "tracker.name",
    "camera_motion": "camera_motion.method",
    "positions": "position.method",
    "camera_height": "ground.height",
    "camera_pitch": "ground.pitch",
}
"""Which parameter an argument sets, on every node that has it."""
_WRITING_S = 60.0
"""Patience for files to be written and tracks to be judged."""


def our_node(
    executable: str,
    values: Values,
    parameters: Mapping[str, Any] | None = None,
    *,
    namespace: str = "",
    remaps: Mapping[str, str] | None = None,
    patience: float = 5.0,
) -> LifecycleNode:
    """One of `options.NODES`, with the parameters and topics that the arguments ask for.

    It is to be started by `lifecycle.bring_up`.

    Args:
        executable: its name in `options.NODES`.
        values: of the arguments.
        parameters: further ones, which win.
        namespace: below that of the argument ``namespace``.
        remaps: topics by the node's name for them, besides that of ``image``.
        patience: how long it may take to end, seconds.

    Raises:
        ConfigError: a value that its parameter cannot have, or ``params_file`` is no file.
    """
    known = dict(NODES[executable].options())
    chosen: dict[str, Any] = values.sim_time()
    for argument, parameter in _SETS.items():
        if parameter in known and values[argument]:
            try:
                chosen[parameter] = known[parameter].parse(values[argument])
            except ConfigError as wrong:
                raise ConfigError(f"argument {argument}: {wrong}") from None
    files = values.files("params_file")
    beside = embedder_beside(values["detector"], values["embedder"])
    if "embedder.model" in known and beside and not files:
        chosen["embedder.model"] = beside
    # launch leads the node through its lifecycle, except where nobody would do so after its death
    chosen["autostart"] = values.flag("autostart") and values.flag("respawn")
    topics = renamed("image", values["image"]) if "image_transport" in known else {}
    topics |= remaps or {}
    return LifecycleNode(
        package="rtreid_ros",
        executable=executable,
        name=executable,
        namespace=_joined(values["namespace"], namespace),
        output="screen",
        parameters=[*files, {**chosen, **(parameters or {})}],
        remappings=list(topics.items()),
        respawn=values.flag("respawn"),
        respawn_delay=1.0,
        sigterm_timeout=str(patience),
    )


def _joined(*namespaces: str) -> str:
    return "/".join(part for part in namespaces if part)


def renamed(name: str, topic: str) -> dict[str, str]:
    """Remaps of an image topic, raw and compressed."""
    return {name: topic, f"{name}/compressed": f"{topic}/compressed"}


def stages(
    values: Values, parameters: Mapping[str, Any] | None = None, remaps: Mapping[str, str] | None = None
) -> list[LifecycleNode]:
    """The nodes from image to tracks, in one process or (``mode:=distributed``) one each."""
    composed = values["mode"] != "distributed"
    names = ["tracking_node"] if composed else ["detector_node", "embedder_node", "tracker_node"]
    return [our_node(name, values, _known_to(name, parameters), remaps=remaps) for name in names]


def rviz(values: Values, config: str = "tracking.rviz", *, namespace: str = "") -> Node:
    """RViz with a file of ``config/``, its topics in a namespace below that of the argument ``namespace``."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=_joined(values["namespace"], namespace),
        arguments=["-d", str(config_file(config)), "-f", values["frame"]],
        parameters=[values.sim_time()],
    )


def displays(values: Values) -> tuple[list[LifecycleNode], list[Node]]:
    """What shows the tracks, as ``positions``, ``visualize`` and ``rviz`` ask for: our nodes, and RViz."""
    ours = []
    if values["positions"]:
        topics = {name: values[name] for name in ("camera_info", "depth")}
        ours.append(our_node("position_node", values, remaps=topics))
    if values.flag("visualize") or values.flag("rviz"):
        ours.append(our_node("visualizer_node", values))
    config = "positions.rviz" if values["positions"] else "tracking.rviz"
    return ours, [rviz(values, config)] if values.flag("rviz") else []


def observers(
    values: Values, parameters: Mapping[str, Any] | None = None, remaps: Mapping[str, str] | None = None
) -> list[LifecycleNode]:
    """Who writes down a run, into the folder ``output``: a recorder and, if ``evaluate``, an evaluator.

    What an earlier run wrote there is replaced.
    """
    outputs = {"recorder_node": values["output"]}
    if values.flag("evaluate"):
        outputs["evaluator_node"] = f"{values['output']}/metrics.json"
    return [
        our_node(
            name,
            values,
            {**_known_to(name, {"replace": True, **(parameters or {})}), "output": output},
            remaps=remaps,
            patience=_WRITING_S,
        )
        for name, output in outputs.items()
    ]


def _known_to(executable: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Those of `parameters` that a node has; every node has ``use_sim_time`` and ``qos_overrides``."""
    known = {"use_sim_time", "qos_overrides", *(name for name, _ in NODES[executable].options())}
    return {
        name: value
        for name, value in (parameters or {}).items()
        if name in known or name.partition(".")[0] in known
    }


def image_readers(values: Values) -> int:
    """How many of the nodes above take images, for a source that waits for them."""
    readers = 1 if values["mode"] != "distributed" else 2
    return readers + 1 + (values.flag("visualize") or values.flag("rviz"))
