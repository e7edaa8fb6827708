"""Count people in a zone of the image: who comes, who goes, how many are there, how long they stay.

ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw
python examples/count_in_zone.py 0,240 320,240 320,480 0,480

Or without a camera: `rtreid demo --domain-id 7` and the second line after `ROS_DOMAIN_ID=7`. Corners are
pixels; people are where their feet are. It ends when no tracks come for ten seconds.
"""

import sys

from rtreid_ros.client import TrackClient, Zone
from rtreid_ros.errors import RtreidError

corners, _, ros_arguments = " ".join(sys.argv[1:]).partition("--ros-args")
try:
    zone = Zone([[float(number) for number in corner.split(",")] for corner in corners.split()])
    client = TrackClient("tracks", args=["--ros-args", *ros_arguments.split()])
except (ValueError, RtreidError) as error:
    sys.exit(f"{error}\nusage: count_in_zone.py X,Y X,Y X,Y ... [--ros-args ...]")

with client as tracks:
    watch = tracks.watch(zone)
    tracks.on_enter(zone, lambda person: print(f"{person.id} came, {watch.count} in the zone"))
    tracks.on_exit(zone, lambda person: print(f"{person.id} went, {watch.count} in the zone"))
    try:
        for frame in tracks.frames(timeout=10):
            for person in watch.inside:
                if person.stamp_ns == frame.stamp_ns and watch.dwell(person.id) > 60:
                    print(f"{person.id} has been there for {watch.dwell(person.id):.0f} s")
    except RtreidError as error:
        print(error)
    print(f"{watch.entered} came and {watch.left} went")
