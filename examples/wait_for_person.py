"""Wait until somebody comes, and say where.

ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw
python examples/wait_for_person.py

Or without a camera: `rtreid demo --domain-id 7` and `ROS_DOMAIN_ID=7 python examples/wait_for_person.py`.
"""

import sys

from rtreid_ros.client import TrackClient
from rtreid_ros.errors import RtreidError

try:
    with TrackClient("tracks", args=sys.argv) as tracks:
        person = tracks.wait_for_person(timeout=60)
except RtreidError as error:
    sys.exit(str(error))

side = "left" if person.offset < 0 else "right"
print(f"person {person.id}, {person.height:.0f} pixels tall, on the {side}")
