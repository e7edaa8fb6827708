"""Result tables seen as tracks: rows of one id in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.errors import InputError

if TYPE_CHECKING:
    from rtreid_ros.evaluation.mot_text import MotTable
    from rtreid_ros.types import Int64


def by_frame(table: MotTable) -> MotTable:
    """Rows in the order of a result file: by frame, within it by id."""
    return table[np.lexsort((table.ids, table.frames))]


def by_track(table: MotTable) -> MotTable:
    """Rows by id, within it by frame.

    Raises:
        InputError: an id has two boxes in one frame, so that its rows are no track.
    """
    ordered = table[np.lexsort((table.frames, table.ids))]
    twice = (np.diff(ordered.ids) == 0) & (np.diff(ordered.frames) == 0)
    if twice.any():
        row = int(np.argmax(twice))
        raise InputError(
            f"id {ordered.ids[row]} occurs twice in frame {ordered.frames[row]}; "
            "post-processing takes tracks, with one box per id and frame"
        )
    return ordered


def track_starts(ordered: MotTable) -> Int64:
    """Of rows `by_track`, the first of each track."""
    return np.flatnonzero(np.diff(ordered.ids, prepend=ordered.ids[:1] - 1))
