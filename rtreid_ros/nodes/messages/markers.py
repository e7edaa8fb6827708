"""Tracks as markers for rviz."""

from __future__ import annotations

from collections.abc import Sequence

from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from rtreid_ros.types import Tracks, TrackState
from rtreid_ros.visualization import Label, colour_of, id_labels

_LINE_M = 0.004
_TEXT_M = 0.04
_MOST_IDS = 2**31


def lifetime(seconds: float) -> Duration:
    """How long a marker lives; so that they vanish with the node that made them."""
    whole, nanoseconds = divmod(round(seconds * 1e9), 10**9)
    return Duration(sec=whole, nanosec=nanoseconds)


def marker_id(identity: int) -> int:
    """The id of a track as a marker may have it."""
    return identity % _MOST_IDS


def marker_colour(key: int, opacity: float = 1.0) -> ColorRGBA:
    """The colour of an identity."""
    blue, green, red = colour_of(key)
    return ColorRGBA(r=red / 255, g=green / 255, b=blue / 255, a=opacity)


def markers_message(
    tracks: Tracks,
    head: Header,
    size: tuple[int, int],
    *,
    show_lost: bool,
    seconds: float,
    labels: Sequence[Label] | None = None,
) -> MarkerArray:
    """Boxes and ids of confirmed (and lost) tracks on a plane before the camera.

    The image lies one metre along the optical axis (x right, y down, z forward, REP 103) and is
    one metre wide, whatever the lens. The first marker deletes those of the frame before.

    Args:
        tracks: boxes in pixels.
        head: header of the image.
        size: ``(height, width)`` of the image in pixels.
        show_lost: also tracks whose box is only predicted, half transparent.
        seconds: how long markers live when no more come.
        labels: what to write and which colour to take, row by row; the ids unless given.
    """
    height, width = size
    message = MarkerArray(markers=[Marker(header=head, action=Marker.DELETEALL)])
    scale = 1.0 / max(width, 1)
    living = lifetime(seconds)
    for identity, state, box, label in zip(
        tracks.ids.tolist(),
        tracks.states.tolist(),
        tracks.boxes.tolist(),
        labels or id_labels(tracks),
        strict=True,
    ):
        lost = state == TrackState.LOST
        if state == TrackState.TENTATIVE or (lost and not show_lost):
            continue
        x1, x2 = ((x - width / 2) * scale for x in (box[0], box[2]))
        y1, y2 = ((y - height / 2) * scale for y in (box[1], box[3]))
        common = {
            "header": head,
            "id": marker_id(identity),
            "color": marker_colour(label.key, 0.5 if lost else 1.0),
            "lifetime": living,
        }
        outline = Marker(ns="boxes", type=Marker.LINE_STRIP, **common)
        outline.pose.orientation.w = 1.0
        outline.scale.x = _LINE_M
        corners = ((x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1))
        outline.points = [Point(x=x, y=y, z=1.0) for x, y in corners]
        name = Marker(ns="ids", type=Marker.TEXT_VIEW_FACING, text=label.text, **common)
        name.pose.position = Point(x=(x1 + x2) / 2, y=y1 - _TEXT_M, z=1.0)
        name.pose.orientation.w = 1.0
        name.scale.z = _TEXT_M
        message.markers += [outline, name]
    return message
