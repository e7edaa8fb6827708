# ruff: noqa: E402 (the path must be set before our own modules are imported)
"""Half an hour of 30 images a second through the node graph: does anything grow, leak or slow down?

    python bench/soak_nodes.py [--minutes 30] [--shape composed distributed] [--output docs/operations.md]

Real processes: a source that plays a synthetic street (640x480, in a loop), the stages, a visualizer and,
in this process, someone who takes tracks and pictures. Each second memory, threads and open files of every
process are read; for each minute the latency of the tracks (image stamp to receipt) and how many images gave
none. After the warm-up nothing may grow: exit code 1 if private memory of a process does by more than 5 MB,
if threads or open files do, or if the latency of the last fourth of the minutes (median of their 99th
percentiles) is over that of the first fourth by more than 20 % and 5 ms. A busy machine breaks the last limit
only; --no-latency leaves it out. What growth means for days is told by lines through private memory, one for
all of the time after the warm-up and one for the later half of it: an allocator that settles gives less and
less, a leak the same. Results: tables, and in --folder a file of figures and a page of plots for each shape.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from sensor_msgs.msg import Image, TimeReference

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from rtreid_ros.msg import TrackArray

from bench.machine import machine
from bench.processes import quiet_domain, usage
from bench.sections import columns, write_section
from bench.soak_report import HEADER, MINUTES, document, minute_rows, outlook, report, rows, verdict
from bench.soak_result import Minute, Soak
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.environment import process_environment
from rtreid_ros.nodes.graph import Graph, NodeSpec
from rtreid_ros.sinks.video import VideoOutput
from rtreid_ros.sources import open_source

CLIP_FRAMES = 300
SHAPES = ("composed", "distributed")


class Listener:
    """Takes what the graph makes, in a thread of this process."""

    def __init__(self, domain_id: int) -> None:
        self._lock = threading.Lock()
        self._images = 0
        self._latencies: list[float] = []
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self._node = rclpy.create_node("soak", context=self.context, enable_rosout=False)
        self._node.create_subscription(TrackArray, "tracks", self._take, 100)
        self._node.create_subscription(
            TimeReference, "frames", self._announced, qos.record_qos(publishing=False)
        )
        self._node.create_subscription(Image, "annotated", lambda _: None, 5, raw=True)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    def _take(self, message: Any) -> None:
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        with self._lock:
            self._latencies.append((time.time_ns() - stamp) / 1e6)

    def _announced(self, _: Any) -> None:
        with self._lock:
            self._images += 1

    def minute(self) -> Minute:
        """What has come since the last call."""
        with self._lock:
            images, latencies = self._images, self._latencies
            self._images, self._latencies = 0, []
        p50, p99 = (float(np.percentile(latencies, q)) if latencies else None for q in (50, 99))
        return Minute(images, len(latencies), p50, p99)

    def close(self) -> None:
        """Leave the graph."""
        self.context.try_shutdown()
        self._thread.join(5)
        self._node.destroy_node()


def clip(path: Path, frames: int, people: int) -> None:
    """A street as a video, so that playing it costs little."""
    with open_source(f"synthetic:frames={frames},people={people}") as source:
        video = VideoOutput(path, source.frame_rate)
        with video:
            for frame in source:
                video.append(frame.image)


def nodes(shape: str, video: Path, rate: float, threads: int) -> list[NodeSpec]:
    """The graph, its source last."""
    models = {"detector.threads": threads}, {"embedder.threads": threads}
    stages = [NodeSpec("tracking_node", parameters={**models[0], **models[1]})]
    if shape == "distributed":
        stages = [
            NodeSpec("detector_node", parameters=models[0]),
            NodeSpec("embedder_node", parameters=models[1]),
            NodeSpec("tracker_node"),
        ]
    source = {"source": str(video), "loop": True, "rate": rate, "wait_for_subscribers": 2}
    return [*stages, NodeSpec("visualizer_node"), NodeSpec("source_node", parameters=source)]


def soak(
    shape: str,
    minutes: float,
    warm_up: float,
    *,
    domain_id: int,
    rate: float = 30.0,
    people: int = 10,
    threads: int = 1,
) -> Soak:
    """Let a graph run in a ROS domain of its own.

    Raises:
        GraphError: a process died.
    """
    result = Soak(shape, warm_up)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "street.mp4"
        clip(video, CLIP_FRAMES, people)
        specs = nodes(shape, video, rate, threads)
        listener = Listener(domain_id)
        try:
            with Graph(specs, log_dir=folder, domain_id=domain_id) as graph:
                for spec in specs:
                    graph.wait_for_log(spec.label, "ready", 120)
                _watch(graph, [spec.label for spec in specs], listener, minutes, result)
        finally:
            listener.close()
    return result


def _watch(graph: Graph, names: list[str], listener: Listener, minutes: float, result: Soak) -> None:
    result.looks = {name: [] for name in names}
    listener.minute()
    begin = time.monotonic()
    result.step = min(1.0, minutes / 4)
    following = 60 * result.step
    while (now := time.monotonic() - begin) < 60 * minutes:
        graph.check()
        result.times.append(now)
        for name in names:
            result.looks[name].append(usage(graph.pid(name)))
        if now >= following:
            result.minutes.append(listener.minute())
            following += 60 * result.step
        time.sleep(1.0)
    result.minutes.append(listener.minute())


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--shape", nargs="+", choices=SHAPES, default=SHAPES, help="one after the other (both)")
    add("--minutes", type=float, default=30.0, help="for each shape (30)")
    add("--warm-up", type=float, help="minutes that do not count (a tenth, at most 5)")
    add("--rate", type=float, default=30.0, help="images a second (30)")
    add("--people", type=int, default=10, help="in the street (10)")
    add("--threads", type=int, default=1, help="inference threads of each model (1)")
    add("--no-latency", action="store_true", help="do not judge latency: the machine is busy")
    add("--folder", type=Path, default=ROOT / "out/bench", help="for soak_<shape>.json and .html")
    add("--output", type=Path, help="document whose section is written, docs/operations.md")
    args = parser.parse_args()
    warm_up = min(args.minutes / 10, 5.0) if args.warm_up is None else args.warm_up
    args.folder.mkdir(parents=True, exist_ok=True)
    domain_id = quiet_domain()
    os.environ.update(process_environment(domain_id=domain_id))
    parts, good = [], True
    for shape in args.shape:
        result = soak(
            shape,
            args.minutes,
            warm_up,
            domain_id=domain_id,
            rate=args.rate,
            people=args.people,
            threads=args.threads,
        )
        latency = not args.no_latency
        good &= not result.problems(latency=latency)
        print(f"{shape}, {args.minutes:g} minutes: {verdict(result, latency=latency)}. {outlook(result)}")
        print(columns(HEADER, rows(result)))
        print(columns(MINUTES, minute_rows(result)), flush=True)
        (args.folder / f"soak_{shape}.json").write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
        (args.folder / f"soak_{shape}.html").write_text(report(result), encoding="utf-8")
        heading = (
            f"{shape.capitalize()}, {args.minutes:g} minutes at {args.rate:g} images a second, the first "
            f"{warm_up:g} to warm up"
        )
        parts.append(document(result, heading, latency=latency))
        if args.output:
            made = f"Measured on {machine('numpy', 'onnxruntime')}."
            write_section(args.output, "soak", "\n\n".join([*parts, made]))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
