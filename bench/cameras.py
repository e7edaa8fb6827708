"""Several cameras in one process: how many images a second, how late, and how much memory.

``python bench/cameras.py`` starts one tracking_node for 1, 2 and 4 cameras of 640x480, each at 30 Hz, and
takes the tracks in another process. The models are loaded once, whatever the number of cameras. Beside it
the same number of cameras with a process each, which is what serving them together saves. A table, and JSON
with ``--output``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from rtreid_ros.msg import TrackArray  # noqa: E402

from bench import camera_process  # noqa: E402
from bench.processes import quiet_domain, usage  # noqa: E402
from rtreid_ros.nodes.environment import process_environment  # noqa: E402
from rtreid_ros.nodes.graph import Graph, NodeSpec  # noqa: E402

SHAPES = ("together", "apart")


def main() -> int:
    """Measure every number of cameras and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cameras", type=int, nargs="+", default=[1, 2, 4])
    add("--shapes", nargs="+", default=SHAPES, choices=SHAPES, help="one process for all, or one for each")
    add("--size", default="640x480")
    add("--frames", type=int, default=300, help="that count, of each camera")
    add("--rate", type=float, default=30.0, help="frames per second of each camera")
    add("--people", type=int, default=20, help="people in the synthetic scene")
    add("--tracker", default="strongsort")
    add("--threads", type=int, default=1, help="inference threads of each model")
    add("--output", type=Path, help="JSON file")
    args = parser.parse_args()
    os.environ.update(process_environment(domain_id=quiet_domain()))
    print(HEADER, flush=True)
    rows = []
    for cameras in args.cameras:
        for shape in args.shapes if cameras > 1 else SHAPES[:1]:
            rows.append(measure(args, cameras, shape))
            print(line(rows[-1]), flush=True)
    if args.output:
        args.output.parent.mkdir(parents=True, exist_ok=True)
        args.output.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    return 0


HEADER = (
    f"{'cameras':>7} {'processes':>9} {'tracks/s':>8} {'of each':>7} {'dropped %':>9} "
    f"{'latency ms p50':>14} {'p99':>6} "
    f"{'CPU ms/track':>12} {'MB':>6} {'of each':>7}"
)


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    cameras = row["cameras"]
    late = " ".join(
        f"{'-':>{width}}" if row[name] is None else f"{row[name]:>{width}.1f}"
        for name, width in (("latency_ms_p50", 14), ("latency_ms_p99", 6))
    )
    return (
        f"{cameras:>7} {row['processes']:>9} {row['rate_hz']:>8.1f} {row['rate_hz'] / cameras:>7.1f} "
        f"{100 * row['dropped']:>9.1f} {late} "
        f"{row['cpu_ms']:>12.1f} {row['private_mb']:>6.0f} {row['private_mb'] / cameras:>7.0f}"
    )


def measure(args: argparse.Namespace, cameras: int, shape: str) -> dict[str, Any]:
    """One number of cameras."""
    names = [f"camera{number}" for number in range(cameras)]
    common = {
        "detector.threads": args.threads,
        "embedder.threads": args.threads,
        "tracker.name": args.tracker,
        "tracker.frame_rate": args.rate,
    }
    specs = [NodeSpec("tracking_node", parameters={**common, "cameras": names})]
    if shape == "apart":
        specs = [NodeSpec("tracking_node", name, f"/{name}", parameters=common) for name in names]
    received: dict[tuple[str, int], int] = {}

    def take(name: str, message: Any) -> None:
        stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        received[name, stamp] = time.time_ns()

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("bench", context=context)
    for name in names:
        node.create_subscription(TrackArray, f"{name}/tracks", partial(take, name), 10)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor,), daemon=True)
    thread.start()
    with tempfile.TemporaryDirectory() as folder, Graph(specs, log_dir=folder) as graph:
        for spec in specs:
            graph.wait_for_log(spec.label, "ready", 120)
        publisher = camera_process.start(
            [f"{name}/image" for name in names],
            args.size,
            frames=args.frames,
            rate=args.rate,
            people=args.people,
        )
        pids = [graph.pid(spec.label) for spec in specs]
        begin = sum(usage(pid).cpu_s for pid in pids)
        memory = 0.0
        while publisher.poll() is None:
            graph.check()
            memory = max(memory, sum(usage(pid).private_mb for pid in pids))
            time.sleep(0.2)
        time.sleep(1.0)
        cpu = sum(usage(pid).cpu_s for pid in pids) - begin
        assert publisher.stdout is not None
        # published one camera after the other
        stamps = [(names[n % cameras], stamp) for n, stamp in enumerate(json.loads(publisher.stdout.read()))]
    context.try_shutdown()
    thread.join(5)
    node.destroy_node()

    latencies = [(received[key] - key[1]) / 1e6 for key in stamps if key in received]
    seconds = (max(stamp for _, stamp in stamps) - min(stamp for _, stamp in stamps)) * 1e-9
    row: dict[str, Any] = {"cameras": cameras, "processes": len(specs), "frames": len(stamps)}
    row["rate_hz"] = len(latencies) / seconds
    row["dropped"] = 1 - len(latencies) / len(stamps)
    for percentile in (50, 99):
        value = float(np.percentile(latencies, percentile)) if latencies else None
        row[f"latency_ms_p{percentile}"] = value
    row["cpu_ms"] = 1e3 * cpu / max(len(received), 1)
    row["private_mb"] = memory
    return row


def _spin(executor: SingleThreadedExecutor) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        return


if __name__ == "__main__":
    sys.exit(main())
