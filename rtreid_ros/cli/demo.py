"""``rtreid demo``: the whole graph, once, on this machine.

Every stage runs as a process of its own and talks ROS 2; this command only starts them, watches
the tracks come in and reads the files they leave.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rtreid_ros.errors import ConfigError, MissingDependencyError
from rtreid_ros.sinks.base import remove

logger = logging.getLogger(__name__)

EXAMPLES = """\
examples:
  rtreid demo                                     the synthetic street, judged against its ground truth
  rtreid demo --source synthetic:seed=7,people=40 another street
  rtreid demo --source video.mp4 --detector yolox_s.onnx --embedder osnet_x0_25.onnx
  rtreid demo --composed                          all three stages in one process

The files lie under out/demo/: metrics.json, annotated.mp4, preview.jpg, tracks.txt, bag/ and log/."""

_ROWS = (
    ("HOTA", "hota", "{:.3f}"),
    ("MOTA", "mota", "{:.3f}"),
    ("IDF1", "idf1", "{:.3f}"),
    ("id switches", "id_switches", "{:d}"),
    ("latency p50", "latency_ms_p50", "{:.1f} ms"),
    ("latency p99", "latency_ms_p99", "{:.1f} ms"),
    ("frames", "frames", "{:d}"),
    ("frames dropped", "dropped", "{:d}"),
)
_FILES = {
    "metrics.json": "the figures above and more",
    "annotated.mp4": "the video with boxes, ids and trails",
    "preview.jpg": "a picture of it",
    "tracks.txt": "MOTChallenge format",
    "bag": "rosbag2: images, tracks, ground truth",
}
"""What a demo leaves, and what that is."""
_START_S = 60.0
"""Patience for processes to load models and find each other."""
_SCENE = "synthetic:people=14"
_REMEMBER_S = 8.0
"""People leave the street and come back: a tracker that knows looks should remember them for longer."""
_STALL_S = 30.0
"""Patience for the next frame, once they run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--source", default=_SCENE, help=f"what to track, as for `rtreid track` (default: {_SCENE})"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("out/demo"), help="folder for everything it makes"
    )
    parser.add_argument("--detector", default="", help="detector model (default: the built-in synthetic one)")
    parser.add_argument("--embedder", default="", help="ReID model (default: a built-in one)")
    parser.add_argument("--tracker", help="which tracker (default: strongsort)")
    parser.add_argument(
        "--composed", action="store_true", help="run the three stages in one process, not in three"
    )
    parser.add_argument(
        "--lossless",
        action="store_true",
        help="track every frame, however long it takes: gives the tracks of `rtreid track`, and no latency",
    )
    parser.add_argument(
        "--domain-id", type=int, help="ROS_DOMAIN_ID of the graph (default: one that depends on the process)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the graph, judge it, say where everything is."""
    _require_ros()
    from rtreid_ros.sinks.protection import protect  # noqa: PLC0415
    from rtreid_ros.sources import open_source  # noqa: PLC0415 (a quick --help)

    with open_source(arguments.source) as source:  # before anything is started or removed
        length, rate = source.length, source.frame_rate
    if not (_is_synthetic(arguments) or arguments.detector):
        logger.warning(
            "the built-in detector knows only the synthetic scene; name a real one with --detector"
        )
    output = arguments.output.resolve()
    protect([arguments.source], (output / name for name in _FILES))
    _clear(output)
    print(f"Starting the graph: {arguments.source} at {rate:g} frames per second")
    metrics = _run_graph(arguments, output, length)
    _write_preview(output)
    _report(metrics, output)
    return 0


def _require_ros() -> None:
    try:
        import rclpy  # noqa: F401, PLC0415

        import rtreid_ros.msg  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            f"the demo runs ROS 2 nodes, and {error.name} is not here: use `make demo` in a checkout, or "
            "source a ROS 2 workspace this package was built in; `rtreid doctor` says more"
        ) from None


def _clear(output: Path) -> None:
    """Remove the files of an earlier demo, and nothing else."""
    for name in _FILES:
        remove(output / name)
    output.mkdir(parents=True, exist_ok=True)


def _nodes(arguments: argparse.Namespace, output: Path) -> list[Any]:
    """The processes: observers and stages first, so that the source finds them all."""
    from rtreid_ros.nodes.graph import NodeSpec  # noqa: PLC0415
    from rtreid_ros.reid import embedder_beside  # noqa: PLC0415
    from rtreid_ros.tracking import DEFAULT_TRACKER, TRACKERS  # noqa: PLC0415

    detector = {"detector.model": arguments.detector}
    embedder: dict[str, Any] = {"embedder.model": embedder_beside(arguments.detector, arguments.embedder)}
    name = arguments.tracker or DEFAULT_TRACKER
    tracker: dict[str, Any] = {"tracker.name": name}
    if _is_synthetic(arguments) and TRACKERS[name].uses_embeddings:
        tracker["tracker.max_lost"] = _REMEMBER_S
    parameters: dict[str, dict[str, Any]] = {
        "evaluator_node": {"output": str(output / "metrics.json")},
        "recorder_node": {"output": str(output), "video": True, "replace": True},
    }
    if arguments.composed:
        parameters["tracking_node"] = {**detector, **embedder, **tracker}
    else:
        detector["tracker.name"] = name  # it estimates camera motion as the tracker wants it
        parameters |= {
            "detector_node": detector,
            "embedder_node": {**embedder, **tracker},  # and it embeds only what the tracker looks at
            "tracker_node": tracker,
        }
    parameters["source_node"] = {
        "source": str(arguments.source),
        "wait_for_subscribers": 2 if arguments.composed else 3,  # the recorder, and the stages that see
        "wait_for_observers": 2,
        "wait_for_tracker": True,
    }
    common = {"lossless": arguments.lossless}
    return [NodeSpec(name, parameters={**own, **common}) for name, own in parameters.items()]


def _is_synthetic(arguments: argparse.Namespace) -> bool:
    return str(arguments.source).startswith("synthetic")


def _run_graph(arguments: argparse.Namespace, output: Path, length: int | None) -> dict[str, Any]:
    from tqdm import tqdm  # noqa: PLC0415

    from rtreid_ros.nodes.graph import Graph, GraphError  # noqa: PLC0415

    domain = arguments.domain_id if arguments.domain_id is not None else 1 + os.getpid() % 100
    if not 0 <= domain <= 101:
        raise ConfigError(f"--domain-id must be from 0 to 101, got {domain}")
    echo = sys.stderr if arguments.verbose else None
    nodes = _nodes(arguments, output)
    observers = ("evaluator_node", "recorder_node")
    with (
        _track_counter(domain) as counter,
        Graph(nodes, log_dir=output / "log", domain_id=domain, echo=echo) as graph,
        tqdm(total=length, unit="frame", desc="tracking", mininterval=0.5) as bar,
    ):
        last_news = time.monotonic()
        while any(graph.running(name) for name in observers):
            graph.check()
            counter.spin(0.1)
            news = counter.frames - bar.n
            if news:
                bar.set_postfix(tracks=counter.tracks, refresh=False)
                bar.update(news)
                last_news = time.monotonic()
            patience = _STALL_S if counter.frames else _START_S
            if time.monotonic() - last_news > patience:
                raise GraphError(
                    f"no tracks for {patience:g} s; the logs of all processes are in {output / 'log'}"
                )
        for name in (*observers, "source_node"):
            graph.wait(name, timeout=10)
        metrics: dict[str, Any] = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
        bar.update(metrics["frames"] - metrics["dropped"] - bar.n)  # those that came before we were found
    return metrics


class _TrackCounter:
    """Counts TrackArray messages, for the progress bar."""

    def __init__(self, context: Any, node: Any) -> None:
        from rtreid_ros.msg import TrackArray  # noqa: PLC0415

        self.frames = 0
        self.tracks = 0
        self._context = context
        self._node = node
        node.create_subscription(TrackArray, "tracks", self._count, 1000)
        import rclpy.executors  # noqa: PLC0415

        self._executor = rclpy.executors.SingleThreadedExecutor(context=context)
        self._executor.add_node(node)

    def _count(self, message: Any) -> None:
        self.frames += 1
        self.tracks = len(message.tracks)

    def spin(self, seconds: float) -> None:
        """Receive for that long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)


@contextmanager
def _track_counter(domain: int) -> Iterator[_TrackCounter]:
    import rclpy  # noqa: PLC0415

    from rtreid_ros.nodes.environment import process_environment  # noqa: PLC0415

    os.environ.update(process_environment(domain_id=domain))
    context = rclpy.Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node("rtreid_demo", context=context)
        yield _TrackCounter(context, node)
    finally:
        rclpy.shutdown(context=context)


def _write_preview(output: Path) -> None:
    """A picture from the middle of the video."""
    import cv2  # noqa: PLC0415

    video = cv2.VideoCapture(str(output / "annotated.mp4"))
    video.set(cv2.CAP_PROP_POS_FRAMES, video.get(cv2.CAP_PROP_FRAME_COUNT) // 2)
    read, image = video.read()
    video.release()
    if read:
        cv2.imwrite(str(output / "preview.jpg"), image)


def _report(metrics: dict[str, Any], output: Path) -> None:
    rows = [
        (title, template.format(metrics[key]))
        for title, key, template in _ROWS
        if metrics.get(key) is not None
    ]
    width = max(len(value) for _, value in rows)
    print()
    for title, value in rows:
        print(f"  {title:<16}{value:>{width}}")
    print()
    paths = {name: os.path.relpath(output / name) for name in _FILES}
    width = max(map(len, paths.values()))
    for name, what in _FILES.items():
        print(f"  {paths[name]:<{width}}  {what}")
