"""What is written beside a track, and which colour it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtreid_ros.types import Tracks


@dataclass(frozen=True, slots=True)
class Label:
    """Text and colour of one track.

    Attributes:
        text: to be read.
        key: of the colour, for `colour_of`: the same for the same identity.
    """

    text: str
    key: int


def track_label(identity: int, global_id: int = 0, distance: float | None = None) -> Label:
    """The label of a track: ``12``, ``12 G3`` or ``12 G3 4.2 m``.

    The colour is that of the global id where there is one (not 0), so that one person looks alike
    for all cameras.

    Args:
        identity: the track's id.
        global_id: of the person across cameras; 0 = none.
        distance: from the camera, metres; None = not known.
    """
    parts = [str(identity)]
    if global_id:
        parts.append(f"G{global_id}")
    if distance is not None:
        parts.append(f"{distance:.1f} m")
    return Label(" ".join(parts), global_id or identity)


def id_labels(tracks: Tracks) -> list[Label]:
    """Every track by its id alone."""
    return [track_label(identity) for identity in tracks.ids.tolist()]
