"""Joining tracklets that the link model takes for one person.

Du et al., "StrongSORT: Make DeepSORT Great Again", IEEE Transactions on Multimedia 2023, section
3.3: gates of time and distance, the network's confidence as cost, one global assignment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from rtreid_ros.postprocess.aflink.features import HEIGHT, SECONDS, X, Y, head, tail
from rtreid_ros.postprocess.table import by_frame, by_track, track_starts

if TYPE_CHECKING:
    from rtreid_ros.evaluation.mot_text import MotTable
    from rtreid_ros.types import Float32, Float64, Int64


class Scorer(Protocol):
    """What tells how likely pairs are; `LinkModel` does."""

    def score(self, tails: Float64, heads: Float64) -> Float32:
        """Confidence ``(N,)`` from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Gates:
    """Which pairs are looked at, and how sure the model must be.

    Attributes:
        seconds: longest time from the earlier tracklet's last box to the later one's first.
        distance: longest way between the centres of these two boxes, in pixels.
        confidence: least confidence of a link.
    """

    seconds: float
    distance: float
    confidence: float


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """A linked table and, for each link, the earlier and the later track's former id, ``(L, 2)``."""

    table: MotTable
    links: Int64


def link_tracks(table: MotTable, scorer: Scorer, gates: Gates, frame_rate: float) -> Linked:
    """Join tracks end to beginning; a joined track has its earliest part's id.

    A track is joined to at most one before and one behind it; tracks that share a frame, or whose
    order in time is not clear, never are. Joining is repeated on what came of it until nothing is
    left to join.

    Args:
        table: one box per id and frame.
        scorer: judges pairs.
        gates: see there.
        frame_rate: frames per second.

    Raises:
        InputError: an id occurs twice in a frame.
    """
    links = [np.zeros((0, 2), np.int64)]
    while True:
        ordered = by_track(table)
        pairs = _assigned(ordered, scorer, gates, frame_rate)
        if not len(pairs):
            return Linked(by_frame(ordered), np.concatenate(links))
        starts = track_starts(ordered)
        ids = ordered.ids[starts]
        links.append(ids[pairs])
        root = np.arange(len(ids))
        # in order of time, so that the earlier of a pair already knows its own root
        for earlier, later in pairs[np.argsort(ordered.frames[starts[pairs[:, 1]]], kind="stable")]:
            root[later] = root[earlier]
        lengths = np.diff([*starts, len(ordered)])
        table = replace(ordered, ids=np.repeat(ids[root], lengths))


def _assigned(ordered: MotTable, scorer: Scorer, gates: Gates, frame_rate: float) -> Int64:
    """Pairs ``(L, 2)`` of tracks to join, by their number: no track twice on a side."""
    starts = track_starts(ordered)
    ends = np.append(starts[1:], len(ordered)) if len(starts) else starts
    x, y, w, h = ordered.boxes.T
    rows = np.empty((len(ordered), 4))
    rows[:, SECONDS] = ordered.frames / frame_rate
    rows[:, X], rows[:, Y], rows[:, HEIGHT] = x + w / 2, y + h / 2, h
    pairs = _candidates(rows[starts], rows[ends - 1], gates)
    if not len(pairs):
        return pairs
    before = {track: tail(rows[starts[track] : ends[track]]) for track in np.unique(pairs[:, 0]).tolist()}
    behind = {track: head(rows[starts[track] : ends[track]]) for track in np.unique(pairs[:, 1]).tolist()}
    confidence = scorer.score(
        np.stack([before[track] for track in pairs[:, 0].tolist()]),
        np.stack([behind[track] for track in pairs[:, 1].tolist()]),
    )
    sure = confidence >= gates.confidence
    return _assign(pairs[sure], 1.0 - confidence[sure].astype(np.float64))


def _candidates(first: Float64, last: Float64, gates: Gates) -> Int64:
    """Pairs of tracks, earlier and later, within the gates, given their first and last rows ``(T, 4)``."""
    by_start = np.argsort(first[:, SECONDS], kind="stable")
    times = first[by_start, SECONDS]
    low = np.searchsorted(times, last[:, SECONDS], side="right")  # a shared frame is no gap
    high = np.searchsorted(times, last[:, SECONDS] + gates.seconds + 1e-9, side="right")
    counts = np.maximum(high - low, 0)
    earlier = np.repeat(np.arange(len(last)), counts)
    offset = np.arange(len(earlier)) - np.repeat(np.cumsum(counts) - counts, counts)
    later = by_start[low[earlier] + offset]
    way = first[later][:, (X, Y)] - last[earlier][:, (X, Y)]
    near = np.hypot(way[:, 0], way[:, 1]) <= gates.distance
    pairs: Int64 = np.stack([earlier, later], axis=1)[near]
    return pairs


def _assign(pairs: Int64, costs: Float64) -> Int64:
    """The cheapest of the largest one-to-one choices of `pairs`, each group of connected ones by itself."""
    from scipy.optimize import linear_sum_assignment  # noqa: PLC0415 (slow to import)
    from scipy.sparse import coo_array  # noqa: PLC0415
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    if not len(pairs):
        return pairs
    earlier, rows = np.unique(pairs[:, 0], return_inverse=True)
    later, columns = np.unique(pairs[:, 1], return_inverse=True)
    nodes = len(earlier) + len(later)
    graph = coo_array((np.ones(len(pairs)), (rows, columns + len(earlier))), shape=(nodes, nodes))
    group = connected_components(graph, directed=False)[1][rows]
    chosen = []
    for members in np.split(np.argsort(group, kind="stable"), np.flatnonzero(np.diff(np.sort(group))) + 1):
        left, i = np.unique(rows[members], return_inverse=True)
        right, j = np.unique(columns[members], return_inverse=True)
        matrix = np.full((len(left), len(right)), len(members) + 1.0)  # dearer than all links together
        matrix[i, j] = costs[members]
        best = linear_sum_assignment(matrix)
        linked = matrix[best] <= 1.0
        chosen += list(zip(earlier[left[best[0][linked]]], later[right[best[1][linked]]], strict=True))
    return np.array(chosen, np.int64).reshape(-1, 2)
