"""Cameras for benchmarks: a process that publishes images at a steady rate.

``python bench/camera_process.py --size 640x480 image`` prints, as JSON, the stamps of those that count.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import rclpy
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CompressedImage, Image

ROOT = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path[0] = str(ROOT)

from rtreid_ros.nodes.environment import fastdds_profile  # noqa: E402
from rtreid_ros.nodes.messages.images import serialize_image, serialize_jpeg  # noqa: E402
from rtreid_ros.sources import open_source  # noqa: E402

TRANSPORTS = ("raw", "compressed")
WARM_UP = 45
"""Frames before the first that counts: the first inferences are slow."""
DISTINCT = 20
QUALITY = 90
_STAMP_AT = 4
"""Where the stamp stands in a serialised message: after the encapsulation."""


def start(
    topics: Sequence[str],
    size: str,
    *,
    frames: int,
    rate: float,
    people: int,
    transport: str = "raw",
    subscribers: int = 1,
) -> subprocess.Popen[str]:
    """A process that publishes; its output is the stamps that count."""
    command = [
        sys.executable,
        __file__,
        *topics,
        "--size",
        size,
        "--frames",
        str(frames),
        "--rate",
        str(rate),
    ]
    command += ["--people", str(people), "--transport", transport, "--subscribers", str(subscribers)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def main() -> int:
    """Render beforehand, then publish."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("topics", nargs="+", help="a camera each; compressed ones get /compressed at the end")
    add("--size", default="640x480")
    add("--frames", type=int, default=300, help="that count, of each camera")
    add("--rate", type=float, default=30.0, help="frames per second of each camera")
    add("--people", type=int, default=20)
    add("--transport", choices=TRANSPORTS, default="raw")
    add("--subscribers", type=int, default=1, help="to wait for, on each topic")
    args = parser.parse_args()

    messages = _messages(args.size, args.people, args.transport)
    os.environ.update(fastdds_profile(os.environ))
    rclpy.init()
    node = rclpy.create_node("cameras")
    kind, suffix = (CompressedImage, "/compressed") if args.transport == "compressed" else (Image, "")
    publishers = [
        node.create_publisher(kind, f"{topic}{suffix}", qos_profile_sensor_data) for topic in args.topics
    ]
    while any(publisher.get_subscription_count() < args.subscribers for publisher in publishers):
        time.sleep(0.05)
    time.sleep(1.0)
    stamps = []
    begin = time.monotonic()
    for number in range(WARM_UP + args.frames):
        time.sleep(max(0.0, begin + number / args.rate - time.monotonic()))
        # forth and back, so that people do not jump
        message = messages[DISTINCT - 1 - abs(number % (2 * DISTINCT - 2) - DISTINCT + 1)]
        for publisher in publishers:
            stamp = time.time_ns()
            struct.pack_into("<iI", message, _STAMP_AT, *divmod(stamp, 10**9))
            publisher.publish(bytes(message))
            if number >= WARM_UP:
                stamps.append(stamp)
    time.sleep(1.0)  # what is still being sent
    sys.stdout.write(json.dumps(stamps))
    rclpy.shutdown()
    return 0


def _messages(size: str, people: int, transport: str) -> list[bytearray]:
    width, height = size.split("x")
    with open_source(f"synthetic:frames={DISTINCT},people={people},width={width},height={height}") as source:
        if transport == "compressed":
            return [bytearray(serialize_jpeg(frame.image, 0, "camera", QUALITY)) for frame in source]
        return [bytearray(serialize_image(frame.image, 0, "camera")) for frame in source]


if __name__ == "__main__":
    sys.exit(main())
