"""Latency the node graph adds to its models: image stamp to TrackArray in another process.

``python bench/node_graph.py`` publishes images at 30 Hz, best effort, from one process, receives
tracks in another, and subtracts the time inside detector, embedder and tracker that the tracks
carry. Composed and distributed, 640x480 and 1920x1080, raw and compressed (whose decoding is part of what
is added); a table, and JSON with ``--output``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from rtreid_ros.msg import TrackArray  # noqa: E402

from bench import camera_process  # noqa: E402
from bench.processes import quiet_domain  # noqa: E402
from rtreid_ros.nodes.environment import process_environment  # noqa: E402
from rtreid_ros.nodes.graph import Graph, NodeSpec  # noqa: E402

SIZES = ("640x480", "1920x1080")
SHAPES = ("composed", "distributed")


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
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument(
        "--transports", nargs="+", default=camera_process.TRANSPORTS, choices=camera_process.TRANSPORTS
    )
    parser.add_argument("--output", type=Path, help="JSON file")
    arguments = parser.parse_args()

    os.environ.update(process_environment(domain_id=quiet_domain()))
    rows = []
    for size in arguments.sizes:
        for transport in arguments.transports:
            for shape in arguments.shapes:
                rows.append(measure(arguments, size, transport, shape))
                print(line(rows[-1]) if len(rows) > 1 else f"{HEADER}\n{line(rows[-1])}", flush=True)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


HEADER = (
    f"{'size':>9} {'images':>10} {'graph':>11} {'frames':>6} {'dropped':>7} "
    f"{'overhead ms p50':>15} {'p99':>6} {'latency ms p50':>14} {'p99':>6} {'models ms p50':>13}"
)


def line(row: dict[str, Any]) -> str:
    """One row of the table."""

    def shown(name: str, width: int) -> str:
        return f"{'-':>{width}}" if row[name] is None else f"{row[name]:>{width}.2f}"

    return (
        f"{row['size']:>9} {row['images']:>10} {row['graph']:>11} {row['frames']:>6} {row['dropped']:>7} "
        f"{shown('overhead_ms_p50', 15)} {shown('overhead_ms_p99', 6)} "
        f"{shown('latency_ms_p50', 14)} {shown('latency_ms_p99', 6)} {shown('models_ms_p50', 13)}"
    )


def stages(arguments: argparse.Namespace, shape: str, transport: str) -> list[NodeSpec]:
    """The nodes under test."""
    images = {"image_transport": transport}
    detector = {"detector.model": arguments.detector, "detector.threads": arguments.threads}
    embedder = {
        "embedder.model": arguments.embedder,
        "embedder.preprocessing": arguments.preprocessing,
        "embedder.threads": arguments.threads,
    }
    tracker = {"tracker.name": arguments.tracker, "tracker.frame_rate": arguments.rate}
    if shape == "composed":
        return [NodeSpec("tracking_node", parameters={**images, **detector, **embedder, **tracker})]
    return [
        NodeSpec("detector_node", parameters={**images, **detector, "tracker.name": arguments.tracker}),
        NodeSpec("embedder_node", parameters={**images, **embedder}),
        NodeSpec("tracker_node", parameters=tracker),
    ]


def measure(arguments: argparse.Namespace, size: str, transport: str, shape: str) -> dict[str, Any]:
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
    specs = stages(arguments, shape, transport)
    with tempfile.TemporaryDirectory() as folder, Graph(specs, log_dir=folder) as graph:
        for spec in specs:
            graph.wait_for_log(spec.label, "ready", 120)
        publisher = camera_process.start(
            ["image"],
            size,
            frames=arguments.frames,
            rate=arguments.rate,
            people=arguments.people,
            transport=transport,
            subscribers=1 if shape == "composed" else 2,
        )
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
    row: dict[str, Any] = {"size": size, "images": transport, "graph": shape, "frames": len(stamps)}
    row["dropped"] = len(stamps) - len(counted)
    for name, values in (("overhead", latency - models), ("latency", latency), ("models", models)):
        for percentile in (50, 99):
            row[f"{name}_ms_p{percentile}"] = float(np.percentile(values, percentile)) if counted else None
    return row


if __name__ == "__main__":
    sys.exit(main())
