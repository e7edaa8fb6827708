"""Tracks for robot programmers, in a few lines.

For example::

    from rtreid_ros.client import TrackClient, Zone

    with TrackClient("tracks") as tracks:
        person = tracks.wait_for_person(timeout=60)
        for seen in tracks.follow(person.id, lost_for=2.0):
            print(seen.offset, seen.height)

Needs rclpy and our messages. What it is made of without ROS is `rtreid_ros.people`.
"""

from rtreid_ros.client.track_client import TrackClient
from rtreid_ros.errors import NoTracksError, ServiceError
from rtreid_ros.people import Line, LineWatch, TrackedPerson, TrackFrame, Zone, ZoneWatch
from rtreid_ros.types import TrackState

__all__ = [
    "Line",
    "LineWatch",
    "NoTracksError",
    "ServiceError",
    "TrackClient",
    "TrackFrame",
    "TrackState",
    "TrackedPerson",
    "Zone",
    "ZoneWatch",
]
