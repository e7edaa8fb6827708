"""Messages of cameras, depth images and tracks for tests of positions; ROS is needed."""

import numpy as np

from support.results import tracks_of

SIZE = (480, 640)
FOCAL = 500.0


def camera_info(**fields):
    """A CameraInfo of a camera without distortion, 640x480, focal length 500."""
    from sensor_msgs.msg import CameraInfo

    message = CameraInfo(height=SIZE[0], width=SIZE[1], distortion_model="plumb_bob")
    message.header.frame_id = "camera"
    message.k = [FOCAL, 0.0, 320.0, 0.0, FOCAL, 240.0, 0.0, 0.0, 1.0]
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def track_message(stamp, rows, states=None, **fields):
    """A TrackArray of rows (id, x1, y1, x2, y2, score) in a 640x480 image."""
    from rtreid_ros.nodes.messages.conversions import header, tracks_message

    head = header(round(stamp * 1e9), "camera")
    message = tracks_message(tracks_of(rows, states), head, SIZE, ["person"])
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def depth_message(stamp, metres, frame="camera", shape=(240, 320), encoding="16UC1"):
    """A depth image that is `metres` away everywhere; small, because test processes lack memory for more."""
    from sensor_msgs.msg import Image

    millimetres = encoding == "16UC1"
    values = np.full(
        shape, metres * 1000 if millimetres else metres, np.uint16 if millimetres else np.float32
    )
    message = Image(height=shape[0], width=shape[1], encoding=encoding, step=shape[1] * values.itemsize)
    message.data.frombytes(values.tobytes())
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(round(stamp * 1e9), 10**9)
    message.header.frame_id = frame
    return message


def standing(identity, x, y, height=1.0):
    """A row for somebody 1.8 m tall at x metres ahead and y to the left of a level camera at `height`."""
    column, foot = 320 - FOCAL * y / x, 240 + FOCAL * height / x
    return [identity, column - 200 / x, foot - FOCAL * 1.8 / x, column + 200 / x, foot, 0.9]
