"""Positions as frames of TF."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import Quaternion, TransformStamped, Vector3
from std_msgs.msg import Header

from rtreid_ros.errors import InputError
from rtreid_ros.geometry import GroundPlane, TransformTree
from rtreid_ros.nodes.messages.conversions import stamp_ns
from rtreid_ros.nodes.messages.packages import missing
from rtreid_ros.nodes.topics import Output
from rtreid_ros.types import Float64


def tf_message_type(wanted: Sequence[str]) -> Any:
    """The class ``tf2_msgs/TFMessage``, for the parameters `wanted`.

    Raises:
        MissingDependencyError: tf2_msgs is not installed.
    """
    try:
        from tf2_msgs.msg import TFMessage  # noqa: PLC0415 (not every ROS has it)
    except ImportError:
        raise missing("tf2_msgs", f"{' and '.join(wanted)}: true") from None
    return TFMessage


def add_transforms(tree: TransformTree, message: Any, *, fixed: bool) -> None:
    """Take all transforms of a TFMessage into `tree`.

    Raises:
        InputError: one of them is none; the others are taken in.
    """
    wrong: InputError | None = None
    for item in message.transforms:
        turn, place = item.transform.rotation, item.transform.translation
        try:
            tree.add(
                item.header.frame_id.lstrip("/"),
                item.child_frame_id.lstrip("/"),
                stamp_ns(item),
                (turn.x, turn.y, turn.z, turn.w),
                (place.x, place.y, place.z),
                fixed=fixed,
            )
        except InputError as error:
            wrong = error
    if wrong is not None:
        raise wrong


def prefix_beside(topic: str) -> str:
    """Prefix of the names of tracks' frames that come on a fully qualified topic: ``front/track_``."""
    namespace = topic.strip("/").rpartition("/")[0]
    return f"{namespace}/track_" if namespace else "track_"


class TrackFrames:
    """Publishes a frame for every track, and once the frame of the ground below the camera.

    Args:
        kind: the class ``tf2_msgs/TFMessage``.
        moving: of the topic ``/tf``.
        fixed: of the topic ``/tf_static``.
        prefix: of the names of tracks' frames.
    """

    def __init__(self, kind: Any, moving: Output, fixed: Output, prefix: str) -> None:
        self._kind = kind
        self._moving = moving
        self._fixed = fixed
        self._prefix = prefix
        self._ground: tuple[str, GroundPlane] | None = None

    def publish(self, head: Header, ids: Iterable[int], points: Iterable[Sequence[float]]) -> None:
        """Frames ``<prefix><id>`` at points of the frame of `head`, turned as that is."""
        turn = Quaternion(w=1.0)
        frames = [
            _transform(head, f"{self._prefix}{identity}", point, turn)
            for identity, point in zip(ids, points, strict=True)
        ]
        if frames:
            self._moving.publish(self._kind(transforms=frames))

    def publish_ground(self, head: Header, name: str, ground: GroundPlane) -> None:
        """The frame `name` of the ground, below the camera of `head`; once, until it changes.

        It is the child: what holds the camera is its parent already.
        """
        if self._ground is not None and self._ground[0] == name and self._ground[1] is ground:
            return
        self._ground = name, ground
        origin = ground.to_optical(np.zeros((1, 3)))[0].tolist()
        turn = _quaternion(ground.rotation.T)
        self._fixed.publish(self._kind(transforms=[_transform(head, name, origin, turn)]))


def _transform(head: Header, child: str, translation: Sequence[float], turn: Quaternion) -> TransformStamped:
    """Where the frame `child` lies in the frame of `head`."""
    message = TransformStamped(header=head, child_frame_id=child)
    x, y, z = translation
    message.transform.translation = Vector3(x=x, y=y, z=z)
    message.transform.rotation = turn
    return message


def _quaternion(rotation: Float64) -> Quaternion:
    """A ``(3, 3)`` rotation matrix as a quaternion."""
    from scipy.spatial.transform import Rotation  # noqa: PLC0415 (slow to load, needed once)

    x, y, z, w = Rotation.from_matrix(rotation).as_quat().tolist()
    return Quaternion(x=x, y=y, z=z, w=w)
