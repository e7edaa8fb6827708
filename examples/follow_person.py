"""Turn a robot towards the nearest person, and drive up to it, until it is lost.

ros2 launch rtreid_ros tracking.launch.py image:=/camera/image_raw
python examples/follow_person.py --ros-args -r cmd_vel:=/robot/cmd_vel

Or without a robot: `rtreid demo --domain-id 7` and `ROS_DOMAIN_ID=7 python examples/follow_person.py`;
`ros2 topic echo /cmd_vel` shows what it would do. It knows no obstacles: mind your robot's own safety.
"""

import sys

from geometry_msgs.msg import Twist
from rclpy.duration import Duration

from rtreid_ros.client import NoTracksError, TrackClient
from rtreid_ros.errors import RtreidError

TURN = 1.0  # radians per second when the person is at the edge of the image
SPEED = 0.5  # metres per second when the person is far away
TALL = 0.7  # it is near enough when it fills this share of the image's height


def follow(tracks: TrackClient) -> None:
    commands = tracks.node.create_publisher(Twist, "cmd_vel", 10)
    try:
        person = tracks.wait_for_person(timeout=60)
        print(f"following person {person.id}")
        for seen in tracks.follow(person.id, lost_for=1.0, timeout=1.0):
            command = Twist()
            command.angular.z = -TURN * seen.offset  # positive is to the left
            share = seen.height / seen.image_size[0]
            command.linear.x = SPEED * max(0.0, 1 - share / TALL)
            commands.publish(command)
        print(f"lost person {person.id}")
    except NoTracksError as error:
        print(error)
    finally:
        commands.publish(Twist())  # stop; the robot must have heard it before we end
        commands.wait_for_all_acked(Duration(seconds=2))


try:
    with TrackClient("tracks", args=sys.argv) as tracks:
        follow(tracks)
except RtreidError as error:
    sys.exit(str(error))
