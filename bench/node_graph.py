"""Latency the node graph adds to its models: image stamp to TrackArray in another process.

``python bench/node_graph.py`` publishes images at 30 Hz, best effort, from one process, receives
tracks in another, and subtracts the time inside detector, embedder and tracker that the tracks
carry. Composed and distributed, 640x480 and 1920x1080; a table, and JSON with ``--output``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from rtreid_ros.msg import TrackArray  # noqa: E402

from rtreid_ros.nodes.environment import fastdds_profile, process_environment  # noqa: E402
from rtreid_ros.nodes.graph import Graph, NodeSpec  # noqa: E402
from rtreid_ros.nodes.images import serialize_image  # noqa: E402
from rtreid_ros.sources import open_source  # noqa: E402

SIZES = ((640, 480), (1920, 1080))
SHAPES = ("composed", "distributed")
WARM_UP = 45
"""Frames before the first that counts: the first inferences are slow."""
DISTINCT = 20


def main() -> int:
    """Measure every combination and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=300, help="frames that count, per combination")
    parser.add_argument("--rate", type=float, default=30.0, help="frames per second")
    parser.add_argument("--people", type=int, default=20, help="people in the synthetic scene")
    parser.add_argument("--detector", default="", help="detector model (default: built-in)")
    parser.add_argument("--embedder", default="", help="ReID model (default: built-in)")
    parser.add_argument("--preprocessing", default="metadata", help="embedder.preprocessing")
    parser.add_argument("--tracker", default="strongsort")
    parser.add_argument("--threads", type=int, default=1, help="inference threads of each model")
    parser.add_argument("--shapes", nargs="+", default=SHAPES, choices=SHAPES)
    parser.add_argument("--sizes", nargs="+", default=[f"{w}x{h}" for w, h in SIZES])
    parser.add_argument("--output", type=Path, help="JSON file")
    parser.add_argument("--publish", help=argparse.SUPPRESS)
    parser.add_argument("--subscribers", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.publish:
        return publish(arguments)

    environment = process_environment(domain_id=1 + os.getpid() % 100)
    os.environ.update(environment)
    rows = []
    for size in arguments.sizes:
        for shape in arguments.shapes:
            rows.append(measure(arguments, size, shape))
            print(line(rows[-1]) if len(rows) > 1 else f"{HEADER}\n{line(rows[-1])}", flush=True)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


HEADER = (
    f"{'size':>10} {'graph':>12} {'frames':>7} {'dropped':>8} {'overhead ms p50':>16} {'p99':>7} "
    f"{'latency ms p50':>15} {'p99':>7} {'models ms p50':>14}"
)


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    return (
        f"{row['size']:>10} {row['graph']:>12} {row['frames']:>7} {row['dropped']:>8} "
        f"{row['overhead_ms_p50']:>16.2f} {row['overhead_ms_p99']:>7.2f} "
        f"{row['latency_ms_p50']:>15.2f} {row['latency_ms_p99']:>7.2f} {row['models_ms_p50']:>14.2f}"
    )


def stages(arguments: argparse.Namespace, shape: str) -> list[NodeSpec]:
    """The nodes under test."""
    detector = {"detector.model": arguments.detector, "detector.threads": arguments.threads}
    embedder = {
        "embedder.model": arguments.embedder,
        "embedder.preprocessing": arguments.preprocessing,
        "embedder.threads": arguments.threads,
    }
    tracker = {"tracker.name": arguments.tracker, "tracker.frame_rate": arguments.rate}
    if shape == "composed":
        return [NodeSpec("tracking_node", parameters={**detector, **embedder, **tracker})]
    return [
        NodeSpec("detector_node", parameters={**detector, "tracker.name": arguments.tracker}),
        NodeSpec("embedder_node", parameters=embedder),
        NodeSpec("tracker_node", parameters=tracker),
    ]


def measure(arguments: argparse.Namespace, size: str, shape: str) -> dict[str, Any]:
    """One combination."""
    received: dict[int, tuple[int, float]] = {}

    def take(message: Any) -> None:
        now = time.time_ns()
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        received[stamp] = (
            now,
            message.detection_ms + message.embedding_ms + message.camera_motion_ms + message.tracking_ms,
        )

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("bench", context=context)
    node.create_subscription(TrackArray, "tracks", take, 10)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    with tempfile.TemporaryDirectory() as folder, Graph(stages(arguments, shape), log_dir=folder) as graph:
        for spec in stages(arguments, shape):
            graph.wait_for_log(spec.label, "ready", 120)
        command = [sys.executable, __file__, "--publish", size, "--frames", str(arguments.frames)]
        command += ["--rate", str(arguments.rate), "--people", str(arguments.people)]
        command += ["--subscribers", "1" if shape == "composed" else "2"]
        publisher = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while publisher.poll() is None:
            graph.check()
            executor.spin_once(0.2)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            executor.spin_once(0.1)
        assert publisher.stdout is not None
        stamps = json.loads(publisher.stdout.read())
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)

    counted = [(received[s][0] - s, received[s][1]) for s in stamps if s in received]
    latency = np.array([nanoseconds / 1e6 for nanoseconds, _ in counted])
    models = np.array([milliseconds for _, milliseconds in counted])
    row: dict[str, Any] = {"size": size, "graph": shape, "frames": len(stamps)}
    row["dropped"] = len(stamps) - len(counted)
    for name, values in (("overhead", latency - models), ("latency", latency), ("models", models)):
        for percentile in (50, 99):
            row[f"{name}_ms_p{percentile}"] = float(np.percentile(values, percentile)) if counted else None
    return row


def publish(arguments: argparse.Namespace) -> int:
    """The camera: frames rendered beforehand, at a steady rate; prints the stamps that count."""
    width, height = arguments.publish.split("x")
    scene = f"synthetic:frames={DISTINCT},people={arguments.people},width={width},height={height}"
    with open_source(scene) as source:
        images = [frame.image for frame in source]
    os.environ.update(fastdds_profile(os.environ))
    rclpy.init()
    node = rclpy.create_node("camera")
    publisher = node.create_publisher(Image, "image", qos_profile_sensor_data)
    while publisher.get_subscription_count() < arguments.subscribers:
        time.sleep(0.05)
    time.sleep(1.0)
    stamps = []
    start = time.monotonic()
    for number in range(WARM_UP + arguments.frames):
        time.sleep(max(0.0, start + number / arguments.rate - time.monotonic()))
        stamp = time.time_ns()
        # forth and back, so that people do not jump
        image = images[DISTINCT - 1 - abs(number % (2 * DISTINCT - 2) - DISTINCT + 1)]
        publisher.publish(serialize_image(image, stamp, "camera"))
        if number >= WARM_UP:
            stamps.append(stamp)
    time.sleep(1.0)  # what is still being sent
    print(json.dumps(stamps))
    rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
