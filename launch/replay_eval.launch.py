"""A bag is played, tracked live and judged.

    ros2 launch rtreid_ros replay_eval.launch.py bag:=recording topic:=/camera/image_raw tracker:=bytetrack

The results are those of `rtreid eval-bag`, below `output`: tracks.txt, bag/, metrics.json; but live, so
that a slow stage drops frames. `player:=source_node lossless:=true` drops none and gives the same tracks
as `rtreid eval-bag`. Ground truth is the bag's topic `ground_truth`, or a file: `gt:=gt.txt`. Nothing but
the images and their ground truth is played: tracks of the bag would mix with the live ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import EmitEvent, ExecuteProcess, OpaqueFunction, RegisterEventHandler, TimerAction
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackagePrefix

from rtreid_ros.bags.definitions import TRACK_ARRAY
from rtreid_ros.bags.topics import COMPRESSED, companion, image_topic, image_topics, listing, recorded_topics
from rtreid_ros.errors import ConfigError, SourceError
from rtreid_ros.evaluation.judging import BENCHMARKS
from rtreid_ros.launching.arguments import Argument, Values, declaration, declare
from rtreid_ros.launching.lifecycle import bring_up, end_after
from rtreid_ros.launching.nodes import image_readers, observers, our_node, renamed, stages
from rtreid_ros.sinks.protection import protect

OWN = {
    "bag": Argument("the bag: a folder, .mcap or .db3 file"),
    "topic": Argument(
        "image topic as `ros2 bag info` lists it, such as /image/compressed; empty = the only one"
    ),
    "gt": Argument(
        "gt.txt or sequence folder (player:=source_node only); empty = the bag's topic ground_truth"
    ),
    "rules": Argument("preprocessing of which benchmark", "plain", tuple(BENCHMARKS)),
    "player": Argument(
        "rosbag2: `ros2 bag play`, with simulated time; source_node: ours, which waits for the nodes and "
        "numbers the frames",
        "rosbag2",
        ("rosbag2", "source_node"),
    ),
    "rate": Argument("player:=rosbag2: how many times as fast as recorded", "1.0"),
    "settle": Argument("wait this long for late tracks at the end, seconds", "2.0"),
}
SHARED = (
    "detector",
    "embedder",
    "tracker",
    "camera_motion",
    "mode",
    "lossless",
    "params_file",
    "output",
    "evaluate",
)
_WRITTEN = ("tracks.txt", "bag", "metrics.json", "scores.json")
_DISCOVERY_S = 2.0
"""Players and nodes find each other within this."""


def generate_launch_description() -> LaunchDescription:
    own = [declaration(name, argument) for name, argument in OWN.items()]
    shared = declare(*SHARED, output="out/replay_eval")
    return LaunchDescription([*own, *shared, OpaqueFunction(function=graph)])


def graph(context: LaunchContext) -> list[Action]:
    """The processes that the arguments ask for."""
    values = Values(context)
    if not values["bag"] or not Path(values["bag"]).exists():
        raise ConfigError(f"bag:= must name a bag to play, got {values['bag']!r}")
    output = Path(values["output"])
    protect(filter(None, [values["bag"], values["gt"]]), (output / name for name in _WRITTEN))
    if values["player"] == "rosbag2":
        return with_rosbag2(values)
    return with_source_node(values)


def with_rosbag2(values: Values) -> list[Action]:
    """`ros2 bag play` begins when all nodes are active; when it has ended, they write their files."""
    for name, wrong in (("gt", values["gt"]), ("lossless", values.flag("lossless"))):
        if wrong:
            raise ConfigError(f"{name} needs player:=source_node, for `ros2 bag play` numbers no frames")
    image, truth = played_topics(values)
    raw = image.removesuffix(COMPRESSED)
    parameters = {"use_sim_time": True, "image_transport": "raw" if raw == image else "compressed"}
    parameters["rules"] = values["rules"]
    remaps = renamed("image", raw)
    seen: dict[str, Any] = dict(parameters)
    if truth:
        # bags of others do not tell the player to keep it for latecomers, and nobody comes late here
        seen[f"qos_overrides.{truth}.subscription.durability"] = "volatile"
    told = {**remaps, "ground_truth": truth} if truth else remaps
    nodes = [*stages(values, parameters, remaps), *observers(values, seen, told)]
    topics = [image, truth] if truth else [image]
    player = ExecuteProcess(cmd=play_command(values, topics), name="ros2_bag_play", output="screen")
    done = TimerAction(
        period=values.number("settle"), actions=[EmitEvent(event=Shutdown(reason="the bag has ended"))]
    )
    ended = RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[done]))
    return [ended, *bring_up(nodes, values, then=[player])]


def played_topics(values: Values) -> tuple[str, str | None]:
    """The image topic and, where the bag has one, that of its ground truth.

    Raises:
        SourceError: no such topic, or none was named and several could be meant.
    """
    bag = Path(values["bag"])
    topics = recorded_topics(bag)
    images = image_topics(topics)
    if values["topic"]:
        image = image_topic(topics, values["topic"], bag).name
    elif len(images) == 1:
        image = images[0].name
    else:
        raise SourceError(f"topic:= must name an image topic of {bag}; it has:{listing(topics)}")
    return image, companion(topics, image, TRACK_ARRAY, "ground_truth", alone=len(images) == 1)


def play_command(values: Values, topics: Sequence[str]) -> list[str]:
    """What plays these topics of the bag, with options that Humble and later know."""
    rate = f"{values.number('rate', zero=False):g}"
    options = ["--clock", "--rate", rate, "--delay", f"{_DISCOVERY_S:g}", "--disable-keyboard-controls"]
    return ["ros2", "bag", "play", values["bag"], *options, "--topics", *topics]


def with_source_node(values: Values) -> list[Action]:
    """Our source plays the bag; recorder and evaluator know its end, and then `gt` judges."""
    if values.number("rate") != 1:
        raise ConfigError("rate needs player:=rosbag2: source_node plays as recorded, or lossless")
    judges = observers(values, {"settle": values.number("settle"), "rules": values["rules"]})
    parameters = {
        "source": values["bag"],
        "topic": values["topic"],
        "wait_for_subscribers": image_readers(values),
        "wait_for_observers": len(judges),
        "wait_for_tracker": True,
    }
    nodes = [*stages(values), *judges, our_node("source_node", values, parameters)]
    return [*end_after(judges, *judging(values)), *bring_up(nodes, values)]


def judging(values: Values) -> list[Action]:
    """`rtreid eval` on what was recorded, where `gt` was given."""
    if not values["gt"]:
        return []
    # in the Python of our nodes, which may be a virtual environment's; launch runs in that of ROS
    command = PathJoinSubstitution([FindPackagePrefix("rtreid_ros"), "bin", "rtreid"])
    files = [f"{values['output']}/tracks.txt", "--gt", values["gt"], "--rules", values["rules"]]
    scores = f"{values['output']}/scores.json"
    return [ExecuteProcess(cmd=[command, "eval", *files, "--json", scores], output="screen")]
