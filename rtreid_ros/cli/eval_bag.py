"""``rtreid eval-bag``: a recording, tracked by the very node and judged."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtreid_ros.bags.cameras import Camera
    from rtreid_ros.bags.judging import CameraJudge, Truth
    from rtreid_ros.bags.latency import Latencies
    from rtreid_ros.bags.reader import BagReader
    from rtreid_ros.nodes.replay import Replay

EXAMPLES = """\
The images of the bag go, in the order of the bag and none left out, through the node that `ros2 run
rtreid_ros tracking_node` starts, in this process and with simulated time. The same bag and models give
the same bytes in tracks.txt, bag/ and metrics.json; how long it took is only in latency.json and in
trace.json, which ui.perfetto.dev shows.

GT is a MOTChallenge gt.txt or sequence folder; without it the bag's own topic ground_truth judges.
Several image topics are several cameras of one node, each with a tracker of its own; GT of one of them
is CAMERA=GT, and results lie in a folder of its name.

examples:
  rtreid eval-bag tud/ --detector yolox.onnx --embedder osnet.onnx
  rtreid eval-bag recording/ --gt MOT15/TUD-Stadtmitte --tracker bytetrack --output out/tud
  rtreid eval-bag recording/ --topic /camera/image_raw --config config/tracking_node.yaml
  rtreid eval-bag pair/ --gt left=A/gt/gt.txt --gt right=B/gt/gt.txt
  rtreid eval-bag lossy/ --gt A --match stamp --set tracker.max_lost=2
  rtreid bag from-mot MOT15/TUD-Stadtmitte tud/      (makes a bag with ground truth)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("bag", type=Path, metavar="BAG", help="folder, .mcap or .db3 file")
    parser.add_argument(
        "--topic",
        action="append",
        default=[],
        dest="topics",
        metavar="TOPIC",
        help="image topic, repeatable; default: every camera of the bag",
    )
    judging = parser.add_argument_group("ground truth")
    judging.add_argument(
        "--gt",
        action="append",
        default=[],
        metavar="[CAMERA=]GT",
        help="gt.txt or sequence folder, repeatable; default: the bag's own ground_truth",
    )
    judging.add_argument(
        "--match",
        choices=("number", "stamp"),
        default="number",
        help="of GT: the n-th image is frame n (default), or frames follow from stamps, for bags with gaps",
    )
    judging.add_argument(
        "--rules",
        choices=("auto", "MOT15", "MOT17", "MOT20", "plain"),
        default="auto",
        help="preprocessing, as of `rtreid eval`; auto goes by the ground truth",
    )
    node = parser.add_argument_group("the node")
    node.add_argument("--detector", metavar="MODEL", help="parameter detector.model")
    node.add_argument("--embedder", metavar="MODEL", help="parameter embedder.model")
    node.add_argument("--tracker", metavar="NAME", help="parameter tracker.name")
    node.add_argument("--config", metavar="YAML", help="ROS parameter file, as --params-file takes it")
    node.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        dest="assignments",
        help="any parameter of the node, value as in YAML; repeatable, wins over --config",
    )
    writing = parser.add_argument_group("writing")
    writing.add_argument("--output", type=Path, metavar="DIR", help="default: out/eval-bag/<name of BAG>")
    writing.add_argument(
        "--bag-storage", choices=("mcap", "sqlite3"), default="mcap", help="default: %(default)s"
    )
    writing.add_argument("--quiet", action="store_true", help="no progress bar and no summary")


def run(arguments: argparse.Namespace) -> int:
    """Replay, judge, write, print."""
    from rtreid_ros.bags.cameras import find_cameras  # noqa: PLC0415
    from rtreid_ros.bags.reader import BagReader  # noqa: PLC0415
    from rtreid_ros.cli.eval_bag_summary import Outcome, files_of  # noqa: PLC0415
    from rtreid_ros.errors import SourceError  # noqa: PLC0415
    from rtreid_ros.evaluation.metrics import require_judging  # noqa: PLC0415
    from rtreid_ros.sinks.protection import protect  # noqa: PLC0415

    output = arguments.output or Path("out", "eval-bag", arguments.bag.resolve().stem)
    with BagReader(arguments.bag) as reader:
        cameras = find_cameras(reader, arguments.topics)
        if not any(camera.count for camera in cameras):
            raise SourceError(f"{reader.path}: no image on {', '.join(camera.image for camera in cameras)}")
        truths = _truth_files(arguments.gt, [camera.name for camera in cameras])
        inputs = [arguments.bag, *truths.values(), *filter(None, [arguments.config])]
        protect(inputs, files_of(output, [camera.name for camera in cameras]))
        judges = _judges(arguments, reader, cameras, truths)
        if any(judge.truth is not None for judge in judges.values()):
            require_judging()  # so that nobody waits for a replay in vain
        with _replay(arguments, cameras) as replay:
            latencies = _play(arguments, reader, cameras, judges, replay, output)
            models = {stage: str(info) for stage, info in replay.node.models.items()}
    outcome = Outcome(output, judges, latencies, models)
    outcome.write()
    if not arguments.quiet:
        print(outcome.text())
    if not any(map(len, latencies.values())):
        raise SourceError(f"{arguments.bag}: not one image could be tracked; why is said above")
    return 0


def _replay(arguments: argparse.Namespace, cameras: Sequence[Camera]) -> Replay:
    from rtreid_ros.errors import MissingDependencyError  # noqa: PLC0415
    from rtreid_ros.reid import embedder_beside  # noqa: PLC0415

    try:
        from rtreid_ros.nodes.replay import Replay  # noqa: PLC0415 (ROS is optional)
    except ImportError as error:
        raise MissingDependencyError(
            f"the node needs ROS 2 and our messages ({error}): source a workspace with rtreid_ros, or `make "
            "build`; `rtreid track` reads bags without ROS"
        ) from None
    flags = {
        "detector.model": arguments.detector,
        "embedder.model": arguments.embedder,
        "tracker.name": arguments.tracker,
    }
    parameters = {name: value for name, value in flags.items() if value is not None}
    # whoever names a detector here gets the embedder that `rtreid track` would take
    beside = embedder_beside(arguments.detector or "", "")
    return Replay(
        cameras,
        config=arguments.config,
        parameters={**_assigned(arguments.assignments), **parameters},
        fallbacks={"embedder.model": beside} if beside else {},
    )


def _assigned(texts: Sequence[str]) -> dict[str, Any]:
    import yaml  # noqa: PLC0415

    from rtreid_ros.errors import ConfigError  # noqa: PLC0415

    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            found[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            equals = ""
        if not equals:
            raise ConfigError(f"--set takes PARAMETER=VALUE, such as tracker.max_lost=2, got {text!r}")
    return found


def _truth_files(texts: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Paths of ground truth by the name of the camera."""
    from rtreid_ros.errors import ConfigError  # noqa: PLC0415
    from rtreid_ros.registry import suggest  # noqa: PLC0415

    files: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or Path(text).exists():
            if len(names) > 1:
                raise ConfigError(f"--gt {text}: of which camera? CAMERA=GT, one of {', '.join(names)}")
            name, path = names[0], text
        if name not in names:
            raise ConfigError(
                f"--gt {text}: no camera {name!r}{suggest(name, list(names))}; there are {', '.join(names)}"
            )
        files[name] = path
    return files


def _judges(
    arguments: argparse.Namespace, reader: BagReader, cameras: Sequence[Camera], files: Mapping[str, str]
) -> dict[str, CameraJudge]:
    """A judge for each camera, by its name; `files` are ground truth of some."""
    from rtreid_ros.bags.judging import CameraJudge, FileTruth, RecordedTruth  # noqa: PLC0415
    from rtreid_ros.bags.truth import BagTruth  # noqa: PLC0415
    from rtreid_ros.evaluation.judging import BENCHMARKS  # noqa: PLC0415

    judges = {}
    for camera in cameras:
        truth: Truth | None = None
        if camera.name in files:
            truth = FileTruth(files[camera.name], camera, arguments.match)
        elif camera.truth is not None and not files:
            truth = RecordedTruth(BagTruth(reader, camera.truth))
        judges[camera.name] = CameraJudge(camera.name, truth, BENCHMARKS.get(arguments.rules))
    return judges


def _play(
    arguments: argparse.Namespace,
    reader: BagReader,
    cameras: Sequence[Camera],
    judges: Mapping[str, CameraJudge],
    replay: Replay,
    output: Path,
) -> dict[str, Latencies]:
    """Feed every image and write what comes back."""
    from tqdm import tqdm  # noqa: PLC0415

    from rtreid_ros.bags.cameras import images_of, results_topic  # noqa: PLC0415
    from rtreid_ros.bags.definitions import TRACK_ARRAY  # noqa: PLC0415
    from rtreid_ros.bags.latency import Latencies  # noqa: PLC0415
    from rtreid_ros.cli.eval_bag_summary import tracks_file  # noqa: PLC0415
    from rtreid_ros.sinks.bag_output import BagOutput  # noqa: PLC0415
    from rtreid_ros.sinks.text import MotSink  # noqa: PLC0415
    from rtreid_ros.sinks.trace import TraceOutput  # noqa: PLC0415

    latencies = {camera.name: Latencies() for camera in cameras}
    with ExitStack() as stack:
        bag = stack.enter_context(BagOutput(output / "bag", arguments.bag_storage))
        trace = stack.enter_context(TraceOutput(output / "trace.json"))
        texts = {name: stack.enter_context(MotSink(tracks_file(output, name, judges))) for name in judges}
        bar = tqdm(
            images_of(reader, cameras),
            total=sum(camera.count for camera in cameras),
            desc=reader.path.name,
            unit="image",
            disable=arguments.quiet,
        )
        begin = time.perf_counter()
        for image in bar:
            name = image.camera.name
            judges[name].add(image)
            replayed = replay.feed(image)
            if replayed.trace is not None:
                trace.write(replayed.trace)
            if replayed.tracks is not None:
                latencies[name].add(replayed.milliseconds)
                texts[name].write(replayed.result(image))
                topic = results_topic(image.camera, alone=len(cameras) == 1)
                bag.write_cdr(topic, TRACK_ARRAY, image.received_ns, replayed.timeless())
        seconds = time.perf_counter() - begin
    for item in latencies.values():
        item.seconds = seconds
    return latencies
