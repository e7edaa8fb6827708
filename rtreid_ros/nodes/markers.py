"""Tracks as markers for rviz."""

from __future__ import annotations

from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from rtreid_ros.types import Tracks, TrackState
from rtreid_ros.visualization import colour_of

_LINE_M = 0.004
_TEXT_M = 0.04
_MOST_IDS = 2**31


def markers_message(tracks: Tracks, head: Header, size: tuple[int, int], *, show_lost: bool) -> MarkerArray:
    """Boxes and ids of confirmed (and lost) tracks on a plane before the camera.

    The image lies one metre along the optical axis (x right, y down, z forward, REP 103) and is
    one metre wide, whatever the lens. The first marker deletes those of the frame before.

    Args:
        tracks: boxes in pixels.
        head: header of the image.
        size: ``(height, width)`` of the image in pixels.
        show_lost: also tracks whose box is only predicted, half transparent.
    """
    height, width = size
    message = MarkerArray(markers=[Marker(header=head, action=Marker.DELETEALL)])
    scale = 1.0 / max(width, 1)
    for identity, state, box in zip(
        tracks.ids.tolist(), tracks.states.tolist(), tracks.boxes.tolist(), strict=True
    ):
        lost = state == TrackState.LOST
        if state == TrackState.TENTATIVE or (lost and not show_lost):
            continue
        x1, x2 = ((x - width / 2) * scale for x in (box[0], box[2]))
        y1, y2 = ((y - height / 2) * scale for y in (box[1], box[3]))
        blue, green, red = colour_of(identity)
        colour = ColorRGBA(r=red / 255, g=green / 255, b=blue / 255, a=0.5 if lost else 1.0)
        outline = Marker(
            header=head, ns="boxes", id=identity % _MOST_IDS, type=Marker.LINE_STRIP, color=colour
        )
        outline.pose.orientation.w = 1.0
        outline.scale.x = _LINE_M
        corners = ((x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1))
        outline.points = [Point(x=x, y=y, z=1.0) for x, y in corners]
        label = Marker(
            header=head, ns="ids", id=identity % _MOST_IDS, type=Marker.TEXT_VIEW_FACING, color=colour
        )
        label.pose.position = Point(x=(x1 + x2) / 2, y=y1 - _TEXT_M, z=1.0)
        label.pose.orientation.w = 1.0
        label.scale.z = _TEXT_M
        label.text = str(identity)
        message.markers += [outline, label]
    return message
