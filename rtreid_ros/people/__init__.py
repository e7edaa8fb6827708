"""Tracks as a robot's program thinks of them: who is there, who comes, who goes; no ROS needed.

* `person`: one person at one time, and all of one image;
* `zones`, `lines`: places, and which points lie in or beyond them;
* `watching`: who enters and leaves a zone, who crosses a line;
* `following`: one person from image to image.

All times are those of the images' headers.
"""

from rtreid_ros.people.following import Following
from rtreid_ros.people.lines import Line
from rtreid_ros.people.person import TrackedPerson, TrackFrame
from rtreid_ros.people.watching import LineWatch, ZoneWatch
from rtreid_ros.people.zones import Zone

__all__ = ["Following", "Line", "LineWatch", "TrackFrame", "TrackedPerson", "Zone", "ZoneWatch"]
