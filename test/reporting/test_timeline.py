"""The id timeline."""

import itertools
import re

import numpy as np

from rtreid_ros.reporting.courses import ABSENT, MISSED, Course
from rtreid_ros.reporting.timeline import timeline, track_colours


def course_of(rows, name="scene"):
    """From rows of partners, one number per frame; switches are where the track changes."""
    partner = np.array(rows, np.int32)
    switched = np.zeros(partner.shape, bool)
    for row, line in enumerate(partner):
        last = MISSED
        for frame, track in enumerate(line):
            if track >= 0:
                switched[row, frame] = last not in (MISSED, track)
                last = track
    tracks = max(partner.max() + 1, 0)
    return Course(
        name, np.arange(len(partner)) + 11, np.arange(tracks) + 101, partner, switched,
        np.zeros(partner.shape[1], np.int64),
    )  # fmt: skip


def stretches(drawing):
    """(person, track, first, last, colour) of every coloured bar."""
    pattern = r'class="fill (s\d)"><title>person (\d+): track (\d+), frames (\d+) to (\d+)</title></rect>'
    return [(int(p), int(t), int(a), int(b), c) for c, p, t, a, b in re.findall(pattern, drawing)]


def test_the_colour_changes_where_the_track_does():
    drawing, _ = timeline(course_of([[0] * 6 + [1] * 4]))
    first, second = stretches(drawing)
    assert first[:4] == (11, 101, 1, 6)
    assert second[:4] == (11, 102, 7, 10)
    assert first[4] != second[4]
    assert drawing.count('class="switch"') == 1


def test_coming_back_to_the_same_track_is_no_switch():
    drawing, _ = timeline(course_of([[0] * 3 + [MISSED] * 3 + [0] * 3 + [ABSENT] * 2]))
    assert [bar[2:4] for bar in stretches(drawing)] == [(1, 3), (7, 9)]
    assert len({bar[4] for bar in stretches(drawing)}) == 1
    assert drawing.count('class="missed"') == 1
    assert 'class="switch"' not in drawing


def test_tracks_that_hand_over_to_each_other_never_share_a_colour():
    random = np.random.default_rng(0)
    rows = [np.repeat(random.choice(40, 4, replace=False), 5) for _ in range(25)]
    course = course_of(rows)
    colours = track_colours(course)
    for row in rows:
        for one, other in itertools.pairwise(row):
            assert one == other or colours[one] != colours[other]


def test_a_large_sequence_stays_readable_and_small():
    random = np.random.default_rng(1)
    rows = np.repeat(random.integers(-1, 900, (400, 300)), 10, axis=1)
    drawing, caption = timeline(course_of(rows), most_rows=30)
    assert len({bar[0] for bar in stretches(drawing)}) == 30
    assert "30 of 400 people" in caption
    flicker = np.where(np.arange(20_000) % 2, 0, MISSED)[None, :]
    drawing, _ = timeline(course_of(flicker))
    assert len(drawing) < 60_000
    assert len(stretches(drawing)) == 1


def test_an_empty_sequence_is_drawn_too():
    nothing = Course("none", *[np.zeros(0, np.int64)] * 2, np.zeros((0, 5), np.int32), np.zeros((0, 5), bool),
                     np.zeros(5, np.int64))  # fmt: skip
    drawing, _ = timeline(nothing)
    assert "0 missed" in drawing
