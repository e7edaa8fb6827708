"""Positions of tracks as markers in space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Quaternion, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from rtreid_ros.nodes.messages.markers import lifetime, marker_colour, marker_id
from rtreid_ros.visualization.trails import Trails

_TEXT_M = 0.25
_TRAIL_M = 0.04
_DISC_M = 0.02
_SIZES_M = (0.2, 4.0)
"""What is drawn is no smaller and no larger, whatever a box holds."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One track with a position.

    Attributes:
        id: of the track.
        key: of its colour: the same for the same identity.
        label: what to write above it.
        point: where it stands, metres.
        size: its width and height, metres.
        error: standard deviation of `point`, metres.
    """

    id: int
    key: int
    label: str
    point: tuple[float, float, float]
    size: tuple[float, float]
    error: float


def position_markers(
    placed: Sequence[Placed], head: Header, up: Sequence[float], trails: Trails, seconds: float, *, feet: bool
) -> MarkerArray:
    """A cylinder, a label, a disc as large as the error and a trail for every track.

    The first marker deletes those of the frame before.

    Args:
        placed: what to show.
        head: stamp, and the frame of all points.
        up: ``(3,)`` the vertical in that frame.
        trails: with the points of this frame.
        seconds: how long markers live when no more come.
        feet: whether points are where tracks stand, else their middles.
    """
    message = MarkerArray(markers=[Marker(header=head, action=Marker.DELETEALL)])
    living, turn = lifetime(seconds), upright(up)
    for item in placed:
        width, height = (min(max(length, _SIZES_M[0]), _SIZES_M[1]) for length in item.size)
        colour = marker_colour(item.key)
        middle = _raised(item.point, up, height / 2 if feet else 0.0)

        body = _marker(head, "bodies", item, Marker.CYLINDER, living)
        body.pose.position, body.pose.orientation = middle, turn
        body.scale = Vector3(x=width, y=width, z=height)
        body.color = ColorRGBA(r=colour.r, g=colour.g, b=colour.b, a=0.6)

        label = _marker(head, "labels", item, Marker.TEXT_VIEW_FACING, living)
        label.pose.position = _raised(item.point, up, height * (1.0 if feet else 0.5) + _TEXT_M)
        label.pose.orientation.w = 1.0
        label.scale.z, label.color, label.text = _TEXT_M, colour, item.label

        disc = _marker(head, "errors", item, Marker.CYLINDER, living)
        disc.pose.position = _raised(item.point, up, 0.0 if feet else -height / 2)
        disc.pose.orientation = turn
        disc.scale = Vector3(x=2 * item.error, y=2 * item.error, z=_DISC_M)
        disc.color = ColorRGBA(r=colour.r, g=colour.g, b=colour.b, a=0.3)
        message.markers += [body, label, disc]

        points = [_point(*point) for _, point in trails.of(item.id)]
        if len(points) > 1:
            trail = _marker(head, "trails", item, Marker.LINE_STRIP, living)
            trail.pose.orientation.w = 1.0
            trail.scale.x, trail.color, trail.points = _TRAIL_M, colour, points
            message.markers.append(trail)
    return message


def upright(up: Sequence[float]) -> Quaternion:
    """The shortest turn of the z axis to the unit vector `up`."""
    x, y, z = up
    if z < -1 + 1e-9:
        return Quaternion(x=1.0, y=0.0, z=0.0, w=0.0)
    w = math.sqrt((1 + z) / 2)
    return Quaternion(x=-y / (2 * w), y=x / (2 * w), z=0.0, w=w)


def _marker(head: Header, namespace: str, item: Placed, kind: int, living: Duration) -> Marker:
    return Marker(header=head, ns=namespace, id=marker_id(item.id), type=kind, lifetime=living)


def _raised(point: Sequence[float], up: Sequence[float], height: float) -> Point:
    return _point(*(place + height * axis for place, axis in zip(point, up, strict=True)))


def _point(x: float, y: float, z: float) -> Point:
    return Point(x=float(x), y=float(y), z=float(z))
