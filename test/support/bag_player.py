"""``ros2 bag play`` for machines without ROS: plays a bag as rosbag2 does.

Topics are offered with the QoS that the bag says, or else reliable and volatile; a volatile publisher
is not heard by who asks for transient local.
"""

import argparse
import importlib
import sys
import time

import rclpy
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.utilities import remove_ros_args
from rosbags.interfaces import QosDurability, QosReliability
from rosbags.rosbag2 import Reader
from rosgraph_msgs.msg import Clock


def class_of(kind):
    """The class of a message type such as ``sensor_msgs/msg/Image``."""
    package, _, name = kind.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), name)


def profile_of(connection):
    """How rosbag2 offers a topic: as recorded, if that is the same for all publishers there were."""
    if not connection.ext.offered_qos_profiles:
        return QoSProfile(depth=10)
    offered = connection.ext.offered_qos_profiles[0]
    latched = offered.durability is QosDurability.TRANSIENT_LOCAL
    best_effort = offered.reliability is QosReliability.BEST_EFFORT
    return QoSProfile(
        depth=10,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
        reliability=ReliabilityPolicy.BEST_EFFORT if best_effort else ReliabilityPolicy.RELIABLE,
    )


def main():
    parser = argparse.ArgumentParser(prog="ros2")
    parser.add_argument("words", nargs=2)  # bag play
    parser.add_argument("bag")
    parser.add_argument("--clock", action="store_true")
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--disable-keyboard-controls", action="store_true")
    parser.add_argument("--topics", nargs="+")
    arguments = parser.parse_args(remove_ros_args(sys.argv)[1:])
    print("played:", *sys.argv[1:], flush=True)
    rclpy.init()
    node = rclpy.create_node("rosbag2_player")
    clock = node.create_publisher(Clock, "/clock", 10)
    with Reader(arguments.bag) as reader:
        wanted = [c for c in reader.connections if arguments.topics is None or c.topic in arguments.topics]
        publishers = {
            c.topic: node.create_publisher(class_of(c.msgtype), c.topic, profile_of(c)) for c in wanted
        }
        time.sleep(arguments.delay)
        begin = time.monotonic()
        for connection, stamp, data in reader.messages(wanted):
            due = begin + (stamp - reader.start_time) * 1e-9 / arguments.rate
            time.sleep(max(0.0, due - time.monotonic()))
            message = Clock()
            message.clock.sec, message.clock.nanosec = divmod(stamp, 10**9)
            clock.publish(message)
            publishers[connection.topic].publish(bytes(data))
        time.sleep(0.5)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
