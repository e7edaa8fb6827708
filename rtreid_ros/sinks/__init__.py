"""Where results go: MOTChallenge text, JSON lines, annotated video, rosbag2."""

from rtreid_ros.sinks.base import Sink

__all__ = ["Sink"]
