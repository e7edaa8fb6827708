"""Tracks inside a node of your own: greet everybody once, and say who walks across the middle.

ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw
python examples/in_your_node.py

Or without a camera: `rtreid demo --domain-id 7` and `ROS_DOMAIN_ID=7 python examples/in_your_node.py`. Ctrl-C
ends it.
"""

import math

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node

from rtreid_ros.client import Line, TrackClient, TrackFrame


class Greeter(Node):
    def __init__(self) -> None:
        super().__init__("greeter")
        self.greeted: dict[int, float] = {}  # ids, and how old their tracks were
        self.tracks = TrackClient("tracks", node=self)
        self.tracks.on_frame(self.greet)
        self.tracks.on_cross(Line((320, 480), (320, 0)), self.report)

    def greet(self, frame: TrackFrame) -> None:
        # who has gone is forgotten, and an id that is younger than before is somebody else: after a reset
        ages = {track.id: track.age for track in frame.tracks}
        self.greeted = {key: age for key, age in ages.items() if age >= self.greeted.get(key, math.inf)}
        for person in frame.people:
            if person.id not in self.greeted:
                self.greeted[person.id] = person.age
                self.get_logger().info(f"hello, {person.id}")

    def report(self, person, to_right) -> None:
        self.get_logger().info(f"{person.id} went to the {'right' if to_right else 'left'}")


try:
    rclpy.init()
    rclpy.spin(Greeter())
except (KeyboardInterrupt, ExternalShutdownException):
    pass
