"""The id timeline: a row for every person, the colour saying which track followed."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from rtreid_ros.reporting.courses import MISSED, Course
from rtreid_ros.reporting.svg import SERIES, element, label, number, picture, ticks, tooltip

if TYPE_CHECKING:
    from rtreid_ros.types import Int64

_WIDTH, _LEFT, _RIGHT = 1080.0, 52.0, 10.0
_ROW, _BAR = 11.0, 8.0
_TOP, _STRIP, _GAP, _BELOW = 22.0, 74.0, 30.0, 34.0
_BINS = 180
_SAME = 0.4
"""Pixels below which a gap between two stretches of the same track is not drawn."""


def timeline(course: Course, most_rows: int = 60) -> tuple[str, str]:
    """The drawing and its caption.

    Below the rows stand the errors of each frame: missed people upwards, false positives downwards.
    """
    rows = _chosen(course, most_rows)
    colours = track_colours(course)
    height = _TOP + len(rows) * _ROW + _GAP + _STRIP + _BELOW
    parts = _frame_axis(course, height)
    parts.append(label(_LEFT, 13, "identity, by frame", class_="heading"))
    for place, row in enumerate(rows.tolist()):
        parts += _row(course, row, _TOP + place * _ROW, colours)
    parts += _errors(course, _TOP + len(rows) * _ROW + _GAP)
    caption = (
        "Each row is a person of the ground truth, each colour a track; a black stroke marks a switch, "
        "a thin line a person who is there but not found."
    )
    if len(rows) < len(course.truth_ids):
        caption += (
            f" {len(rows)} of {len(course.truth_ids)} people: those with most switches, then the longest."
        )
    return picture(_WIDTH, height, parts, f"{course.name}: id timeline"), caption


def track_colours(course: Course) -> Int64:
    """``(K,)``: series colour of each track, unlike those of the tracks it hands people over to or from."""
    neighbours: list[set[int]] = [set() for _ in course.track_ids]
    for row in range(len(course.truth_ids)):
        met = [partner for partner, _, _ in course.stretches(row) if partner != MISSED]
        for one, other in itertools.pairwise(met):
            if one != other:
                neighbours[one].add(other)
                neighbours[other].add(one)
    colours = np.full(len(course.track_ids), -1, np.int64)
    for track in sorted(range(len(neighbours)), key=lambda item: -len(neighbours[item])):
        taken = np.bincount(
            [colours[item] for item in neighbours[track] if colours[item] >= 0], minlength=SERIES
        )
        order = (np.arange(SERIES) + track) % SERIES  # spreads colours where nothing stands against it
        colours[track] = order[taken[order].argmin()]
    return colours


def _chosen(course: Course, most: int) -> Int64:
    """Rows to draw, by first appearance."""
    there = course.partner >= MISSED
    order = np.lexsort((-there.sum(axis=1), -course.switched.sum(axis=1)))[:most]
    chosen: Int64 = order[np.argsort(there[order].argmax(axis=1), kind="stable")]
    return chosen


def _x(frame: float, frames: int) -> float:
    return _LEFT + frame / max(frames, 1) * (_WIDTH - _LEFT - _RIGHT)


def _frame_axis(course: Course, height: float) -> list[str]:
    parts = []
    for value in ticks(0, course.frames, 10):
        x = _x(value, course.frames)
        parts.append(element("line", x1=x, y1=_TOP, x2=x, y2=height - _BELOW, class_="grid"))
        parts.append(label(x, height - _BELOW + 15, f"{value:g}", class_="middle"))
    parts.append(label((_LEFT + _WIDTH) / 2, height - 4, "frame", class_="middle soft"))
    return parts


def _row(course: Course, row: int, top: float, colours: Int64) -> list[str]:
    name = str(course.truth_ids[row])
    parts = [label(_LEFT - 6, top + _BAR, name, class_="end")]
    middle = top + _BAR / 2
    for partner, start, end in _merged(course, row):
        x1, x2 = _x(start, course.frames), _x(end, course.frames)
        if partner == MISSED:
            parts.append(element("line", x1=x1, y1=middle, x2=x2, y2=middle, class_="missed"))
            continue
        text = f"person {name}: track {course.track_ids[partner]}, frames {start + 1} to {end}"
        parts.append(
            element(
                "rect", tooltip(text), x=x1, y=top, width=max(x2 - x1, 0.5), height=_BAR,
                class_=f"fill s{colours[partner]}",
            )
        )  # fmt: skip
    for frame in np.flatnonzero(course.switched[row]).tolist():
        x = _x(frame, course.frames)
        parts.append(element("line", x1=x, y1=top - 1.5, x2=x, y2=top + _BAR + 1.5, class_="switch"))
    return parts


def _merged(course: Course, row: int) -> list[tuple[int, int, int]]:
    """Stretches without gaps that nobody would see, which keeps the file small."""
    shortest = _SAME * course.frames / (_WIDTH - _LEFT - _RIGHT)
    merged: list[tuple[int, int, int]] = []
    for partner, start, end in course.stretches(row):
        if partner == MISSED and end - start < shortest:
            continue
        if merged and merged[-1][0] == partner and start - merged[-1][2] < shortest:
            merged[-1] = (partner, merged[-1][1], end)
        else:
            merged.append((partner, start, end))
    return merged


def _errors(course: Course, top: float) -> list[str]:
    """Errors per frame, averaged over short spans of frames."""
    bins = min(_BINS, course.frames)
    edges = np.linspace(0, course.frames, bins + 1).round().astype(np.int64)
    missed, wrong = (
        np.add.reduceat(counts, edges[:-1]) / np.diff(edges) if bins else np.zeros(0)
        for counts in (course.false_negatives, course.false_positives)
    )
    highest = max(missed.max(initial=0.0), wrong.max(initial=0.0), 1.0)
    half = _STRIP / 2
    zero = top + half
    parts = []
    for counts, class_, direction in ((missed, "s0", -1), (wrong, "s1", 1)):
        corners = [(float(edges[0]), 0.0)]
        for index, count in enumerate(counts.tolist()):
            corners += [(float(edges[index]), count), (float(edges[index + 1]), count)]
        corners.append((float(edges[-1]), 0.0))
        path = " ".join(
            f"{number(_x(frame, course.frames))},{number(zero + direction * count / highest * half)}"
            for frame, count in corners
        )
        parts.append(element("polygon", points=path, class_=f"fill {class_}"))
    total_missed, total_wrong = int(course.false_negatives.sum()), int(course.false_positives.sum())
    parts.append(element("line", x1=_LEFT, y1=zero, x2=_WIDTH - _RIGHT, y2=zero, class_="axis"))
    parts.append(
        label(
            _LEFT, top - 8, f"errors per frame: {total_missed} missed (up), {total_wrong} false (down)",
            class_="heading",
        )
    )  # fmt: skip
    parts.append(label(_LEFT - 6, top + 8, number(highest), class_="end"))
    parts.append(label(_LEFT - 6, zero + half, number(highest), class_="end"))
    return parts
