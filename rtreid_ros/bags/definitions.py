"""The message types that bags hold."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from rtreid_ros.errors import SinkError
from rtreid_ros.installed import shared_folders

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED_IMAGE = "sensor_msgs/msg/CompressedImage"
DETECTION_ARRAY = "rtreid_ros/msg/DetectionArray"
TRACK_ARRAY = "rtreid_ros/msg/TrackArray"


def standard_types() -> Typestore:
    """A new store of the messages of ROS 2; those we use are the same in every distribution."""
    from rosbags.typesys import Stores, get_typestore  # noqa: PLC0415 (slow to import)

    return get_typestore(Stores.ROS2_HUMBLE)


@cache
def message_types() -> Typestore:
    """The messages of ROS 2 and our own, which are read from their ``.msg`` files.

    Raises:
        SinkError: the ``.msg`` files are not where the installation puts them.
    """
    from rosbags.typesys import get_types_from_msg  # noqa: PLC0415 (slow to import)

    roots = shared_folders("msg")
    root = next((root for root in roots if (root / "TrackArray.msg").is_file()), None)
    if root is None:
        raise SinkError(
            f"the definitions of our messages are missing; looked in {', '.join(map(str, roots))}"
        )
    store = standard_types()
    types: dict[str, Any] = {}
    for path in sorted(root.glob("*.msg")):
        types.update(get_types_from_msg(path.read_text(encoding="utf-8"), f"rtreid_ros/msg/{path.stem}"))
    store.register(types)
    return store
