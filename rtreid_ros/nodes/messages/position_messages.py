"""Positions into messages: tracks with them, and what is drawn of them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import Point

from rtreid_ros.geometry import CameraModel, Positions, extents
from rtreid_ros.msg import TrackArray
from rtreid_ros.nodes.messages.position_markers import Placed
from rtreid_ros.types import Bool, Float64, Tracks
from rtreid_ros.visualization import track_label


def with_positions(message: TrackArray, points: Float64, known: Bool, frame: str) -> TrackArray:
    """A copy of `message` whose tracks have positions.

    Args:
        message: is not changed: others in this process may hold it too.
        points: ``(N, 3)`` metres, row by row.
        known: ``(N,)`` rows that have one.
        frame: of the points.
    """
    placed = copy.copy(message)
    placed.position_frame = frame
    placed.tracks = [copy.copy(track) for track in message.tracks]
    for track, point, has in zip(placed.tracks, points.tolist(), known.tolist(), strict=True):
        track.has_position = has
        track.position = Point(x=point[0], y=point[1], z=point[2]) if has else Point()
    return placed


def placed_tracks(
    message: TrackArray,
    tracks: Tracks,
    camera: CameraModel,
    positions: Positions,
    points: Float64,
    rows: Sequence[int],
) -> list[Placed]:
    """What to draw of the tracks `rows`, at `points` ``(N, 3)`` of the frame that markers have."""
    sizes = extents(tracks.boxes.astype(np.float64), positions.points, camera).tolist()
    distances = np.linalg.norm(positions.points, axis=1).tolist()
    errors, listed = positions.errors.tolist(), points.tolist()
    placed = []
    for row in rows:
        track: Any = message.tracks[row]
        label = track_label(track.id, track.global_id, distances[row])
        placed.append(Placed(track.id, label.key, label.text, listed[row], sizes[row], errors[row]))
    return placed
