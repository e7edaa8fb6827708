# ruff: noqa: E402 (the path must be set before our own modules are imported)
"""Half an hour of 30 images a second through the node graph: does anything grow, leak or slow down?

    python bench/soak_nodes.py [--minutes 30] [--shape composed] [--output docs/operations.md]

Real processes: a source that plays a synthetic street (640x480, in a loop), the stages, a visualizer and,
in this process, someone who takes tracks and pictures. Each second memory, threads and open files of every
process are read; for each minute the latency of the tracks (image stamp to receipt) and how many images gave
none. After the warm-up nothing may grow: exit code 1 if private memory of a process does by more than 5 MB,
if threads or open files do, or if the latency of the last fourth of the minutes (median of their 99th
percentiles) is over that of the first fourth by more than 20 % and 5 ms. A busy machine breaks the last limit
only; --no-latency leaves it out. Results: a table, and in --folder a file of figures and
a page of plots for each shape.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
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
from bench.processes import Usage, quiet_domain, usage
from bench.sections import columns, table, write_section
from rtreid_ros.nodes import qos
from rtreid_ros.nodes.environment import process_environment
from rtreid_ros.nodes.graph import Graph, NodeSpec
from rtreid_ros.reporting.page import figure, legend, page, section
from rtreid_ros.reporting.page import table as html_table
from rtreid_ros.reporting.svg import Axis, Plot
from rtreid_ros.sinks.video import VideoOutput
from rtreid_ros.sources import open_source

MEMORY_GOAL_MB = 5.0
FILES_GOAL = 2
"""The middleware opens one for a moment now and then."""
LATENCY_GOAL = 0.20
LATENCY_SLACK_MS = 5.0
CLIP_FRAMES = 300
SHAPES = ("composed", "distributed")


@dataclass(frozen=True)
class Minute:
    """What came through in one minute.

    Attributes:
        images: announced by the source.
        tracks: results that came.
        latency_ms_p50, latency_ms_p99: image stamp to receipt; None without results.
    """

    images: int
    tracks: int
    latency_ms_p50: float | None
    latency_ms_p99: float | None


@dataclass
class Soak:
    """What became of a graph.

    Attributes:
        shape: ``composed`` or ``distributed``.
        warm_up: how many of the first minutes do not count.
        step: length of each of `minutes`; less than one where the whole run is short.
        minutes: one after the other.
        times: of the looks, seconds since the first image.
        looks: by process, one for each of `times`.
    """

    shape: str
    warm_up: float
    step: float = 1.0
    minutes: list[Minute] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    looks: dict[str, list[Usage]] = field(default_factory=dict)

    def counted(self, name: str) -> list[Usage]:
        """Looks at a process after the warm-up."""
        looks = self.looks[name]
        return [look for time, look in zip(self.times, looks, strict=True) if time >= 60 * self.warm_up]

    def growth_mb(self, name: str) -> float:
        """Private memory in the last fourth of the time after the warm-up towards the first fourth.

        Medians, because memory that is given back and taken again is no growth.
        """
        private = np.array([look.private_mb for look in self.counted(name)])
        part = max(len(private) // 4, 1)
        return float(np.median(private[-part:]) - np.median(private[:part]))

    def problems(self, *, latency: bool = True) -> list[str]:
        """Limits that are broken."""
        found = []
        for name in self.looks:
            looks, part = self.counted(name), max(len(self.counted(name)) // 4, 1)
            if self.growth_mb(name) > MEMORY_GOAL_MB:
                found.append(f"{name}: memory has grown by {self.growth_mb(name):.1f} MB")
            for what, goal in (("threads", 0), ("files", FILES_GOAL)):
                counts = [getattr(look, what) for look in looks]
                more = min(counts[-part:]) - max(counts[:part])
                if more > goal:
                    found.append(f"{name}: {more} {what} more")
        counted = self.minutes[math.ceil(self.warm_up / self.step) :]
        p99 = [minute.latency_ms_p99 for minute in counted if minute.latency_ms_p99 is not None]
        if not p99:
            found.append("no tracks came")
        elif latency and len(p99) >= 4:
            part = len(p99) // 4
            first, last = float(np.median(p99[:part])), float(np.median(p99[-part:]))
            if last > first * (1 + LATENCY_GOAL) + LATENCY_SLACK_MS:
                found.append(f"latency p99 went from {first:.1f} to {last:.1f} ms")
        return found


class Listener:
    """Takes what the graph makes, in a thread of this process."""

    def __init__(self, domain_id: int) -> None:
        self._lock = threading.Lock()
        self._images = 0
        self._latencies: list[float] = []
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain_id)
        self._node = rclpy.create_node("soak", context=self.context)
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


HEADER = ("process", "private MB", "growth", "resident MB", "threads", "open files")
MINUTES = ("minute", "images", "tracks", "p50 ms", "p99 ms")


def rows(result: Soak) -> list[list[str]]:
    """Cells under `HEADER`."""
    cells = []
    for name in result.looks:
        counted = result.counted(name)
        last = counted[-1]
        cells.append(
            [
                name,
                f"{last.private_mb:.1f}",
                f"{result.growth_mb(name):+.1f}",
                f"{last.resident_mb:.1f}",
                _range([look.threads for look in counted]),
                _range([look.files for look in counted]),
            ]
        )
    return cells


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def minute_rows(result: Soak) -> list[list[str]]:
    """Cells under `MINUTES`."""

    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    return [
        [
            f"{(n + 1) * result.step:g}",
            str(m.images),
            str(m.tracks),
            shown(m.latency_ms_p50),
            shown(m.latency_ms_p99),
        ]
        for n, m in enumerate(result.minutes)
    ]


PLOTS = {"private_mb": "private memory, MB", "threads": "threads", "files": "open files"}


def report(result: Soak) -> str:
    """The page: memory, threads and files of each process, latency by minute."""
    ends = result.times[-1] / 60
    drawings = []
    for what, title in (
        ("private_mb", "private memory, MB"),
        ("threads", "threads"),
        ("files", "open files"),
    ):
        values = {
            name: [float(getattr(look, what)) for look in looks] for name, looks in result.looks.items()
        }
        most = max(max(line) for line in values.values()) * 1.05
        plot = Plot(Axis(0, ends, "minutes"), Axis(0, most), title, width=520, height=250)
        for index, (name, line) in enumerate(values.items()):
            moments = [moment / 60 for moment in result.times]
            plot.line(list(zip(moments, line, strict=True)), f"s{index}", name)
        plot.rule(x=result.warm_up, title="end of the warm-up")
        drawings.append(figure(legend(list(values)) + plot.render()))
    timed = [((n + 1) * result.step, m) for n, m in enumerate(result.minutes) if m.latency_ms_p99 is not None]
    if len(timed) > 1:
        most = max(m.latency_ms_p99 or 0.0 for _, m in timed) * 1.05
        plot = Plot(Axis(0, timed[-1][0], "minute"), Axis(0, most), "latency, ms", width=520, height=250)
        plot.line([(n, m.latency_ms_p50 or 0.0) for n, m in timed], "s0", "p50")
        plot.line([(n, m.latency_ms_p99 or 0.0) for n, m in timed], "s1", "p99")
        drawings.append(figure(legend(["p50", "p99"]) + plot.render()))
    verdict = "; ".join(result.problems()) or "nothing has grown"
    return page(
        f"Soak of the {result.shape} graph",
        f"{ends:.0f} minutes, of which {result.warm_up:g} to warm up: {verdict}",
        [
            section("Processes", html_table(HEADER, rows(result)), *drawings),
            section("Minutes", html_table(MINUTES, minute_rows(result))),
        ],
    )


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--shape", nargs="+", choices=SHAPES, default=["composed"], help="one after the other (composed)")
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
        problems = result.problems(latency=not args.no_latency)
        good &= not problems
        verdict = "; ".join(problems) or "nothing has grown"
        print(f"{shape}, {args.minutes:g} minutes: {verdict}")
        print(columns(HEADER, rows(result)))
        print(columns(MINUTES, minute_rows(result)), flush=True)
        (args.folder / f"soak_{shape}.json").write_text(json.dumps(asdict(result)) + "\n", encoding="utf-8")
        (args.folder / f"soak_{shape}.html").write_text(report(result), encoding="utf-8")
        parts.append(
            f"{shape.capitalize()}, {args.minutes:g} minutes at {args.rate:g} images a second, the first "
            f"{warm_up:g} to warm up: {verdict}.\n\n{table(HEADER, rows(result), text_columns=1)}\n\n"
            f"{table(MINUTES, _some(minute_rows(result)), text_columns=0)}"
        )
    if args.output:
        parts.append(f"Measured on {machine('numpy', 'onnxruntime')}.")
        write_section(args.output, "soak", "\n\n".join(parts))
    return 0 if good else 1


def _some(cells: list[list[str]], most: int = 8) -> list[list[str]]:
    """Rows for a document: first, last and some between."""
    chosen = np.unique(np.linspace(0, len(cells) - 1, min(most, len(cells))).round().astype(int))
    return [cells[index] for index in chosen]


if __name__ == "__main__":
    sys.exit(main())
