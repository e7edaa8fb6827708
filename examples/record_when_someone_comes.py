"""Record the camera while somebody is there: a bag for each visit, from a second before to three after.

ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw
python examples/record_when_someone_comes.py visits --ros-args -r image:=/camera/image_raw

Or without a camera: `rtreid demo --domain-id 7` and
`ROS_DOMAIN_ID=7 python examples/record_when_someone_comes.py visits`. It ends when tracks no longer come.
"""

import sys
from collections import deque

from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

from rtreid_ros.client import NoTracksError, TrackClient
from rtreid_ros.errors import RtreidError
from rtreid_ros.nodes.messages.images import header_stamp_ns
from rtreid_ros.sinks.bag_output import BagOutput

images: deque[bytes] = deque(maxlen=30)


def keep(data: bytes) -> None:
    images.append(data)


def record(tracks: TrackClient, bag: BagOutput, seen: float) -> None:
    try:
        for frame in tracks.frames(timeout=5):
            while images:
                data = images.popleft()
                bag.write_cdr("/image", "sensor_msgs/msg/Image", header_stamp_ns(data), data)
            seen = frame.stamp if frame.people else seen
            if frame.stamp - seen > 3:
                break
    except NoTracksError as error:
        print(error)


if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
    sys.exit("usage: record_when_someone_comes.py FOLDER [--ros-args ...]")
try:
    with TrackClient("tracks", args=sys.argv) as tracks:
        tracks.node.create_subscription(Image, "image", keep, qos_profile_sensor_data, raw=True)
        while tracks.silent_for < 5:
            person = tracks.wait_for_person()
            with BagOutput(f"{sys.argv[1]}/{person.stamp:.0f}") as bag:
                print(f"recording {bag.path}")
                record(tracks, bag, person.stamp)
except RtreidError as error:
    sys.exit(str(error))
