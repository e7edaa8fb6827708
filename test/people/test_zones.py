"""Which points lie in a zone, and beyond a line."""

import math

import cv2
import numpy as np
import pytest
from support.crowd import someone

from rtreid_ros.errors import ConfigError
from rtreid_ros.people import Line, Zone

SQUARE = Zone([(10, 10), (30, 10), (30, 30), (10, 30)])
# a U, whose gap is open at the top
CONCAVE = Zone([(0, 0), (10, 0), (10, 20), (20, 20), (20, 0), (30, 0), (30, 30), (0, 30)])


def test_inside_and_outside_of_a_square():
    assert SQUARE.contains([(20, 20), (5, 20), (20, 35), (31, 20)]).tolist() == [True, False, False, False]


def test_the_gap_of_a_concave_zone_is_outside():
    assert CONCAVE.contains([(5, 5), (15, 5), (25, 5), (15, 25)]).tolist() == [True, False, True, True]


@pytest.mark.parametrize("turn", [1, -1])
def test_the_order_of_the_corners_does_not_matter(turn):
    zone = Zone(CONCAVE.corners[::turn])
    assert zone.contains([(5, 5), (15, 5)]).tolist() == [True, False]


def test_as_opencv_sees_it():
    random = np.random.default_rng(3)
    for _ in range(20):
        angles = np.sort(random.uniform(0, 2 * math.pi, 9))
        radii = random.uniform(10, 50, 9)
        corners = np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None] + 50
        where = random.uniform(0, 100, (200, 2))
        outline = corners.astype(np.float32).reshape(-1, 1, 2)
        depths = np.array([cv2.pointPolygonTest(outline, point, True) for point in where])
        zone = Zone(corners)
        sure = np.abs(depths) > 1e-3
        assert (zone.contains(where) == (depths > 0))[sure].all()
        assert np.allclose(zone.depth(where), depths, atol=1e-3)


def test_zones_side_by_side_share_no_point():
    left, right = Zone([(0, 0), (10, 0), (10, 10), (0, 10)]), Zone([(10, 0), (20, 0), (20, 10), (10, 10)])
    above = Zone([(0, -10), (20, -10), (20, 0), (0, 0)])
    border = [(10.0, 5.0), (10.0, 0.0), (5.0, 0.0)]
    hits = left.contains(border).astype(int) + right.contains(border) + above.contains(border)
    assert hits.tolist() == [1, 1, 1]


def test_what_is_no_number_is_nowhere():
    assert SQUARE.contains([(math.nan, 20), (20, math.inf)]).tolist() == [False, False]


def test_no_points_are_in_no_zone():
    assert SQUARE.contains([]).shape == SQUARE.depth([]).shape == (0,)


def test_depth_is_positive_inside():
    assert SQUARE.depth([(12, 20), (20, 20), (8, 20), (7, 6)]).tolist() == [2, 10, -2, -5]


def test_people_are_where_their_feet_are():
    inside, headed_out = someone(1, feet=(20, 25)), someone(2, feet=(20, 40))
    assert SQUARE.among([inside, headed_out]) == (inside,)


def test_people_without_a_position_are_in_no_zone_of_metres():
    zone = Zone([(0, 0), (2, 0), (2, 2), (0, 2)], unit="metres")
    placed = someone(1, position=(1, 1, 9))
    assert zone.among([placed, someone(2)]) == (placed,)


def test_equal_zones_are_equal():
    assert Zone([(0, 0), (1, 0), (0, 1)]) == Zone(np.array([[0, 0], [1, 0], [0, 1]]))
    assert len({SQUARE, Zone(SQUARE.corners), Zone(SQUARE.corners, margin=1)}) == 2


@pytest.mark.parametrize(
    ("corners", "options", "message"),
    [
        ([(0, 0), (1, 1)], {}, "three corners"),
        ([(0, 0), (1, 1), (2, 2)], {}, "around an area"),
        ([(0, 0), (1, 0), (math.nan, 2)], {}, "around an area"),
        ([(0, 0, 0), (1, 0, 0), (0, 1, 0)], {}, r"points \(x, y\)"),
        ([(0, 0), (1,), (0, 1)], {}, r"points \(x, y\)"),
        ([(0, 0), (1, 0), (0, 1)], {"unit": "feet"}, "one of pixels, metres"),
        ([(0, 0), (1, 0), (0, 1)], {"margin": -1}, "margin must be a number >= 0, got -1"),
        ([(0, 0), (1, 0), (0, 1)], {"margin": math.nan}, "margin must be a number >= 0"),
    ],
)
def test_a_zone_that_is_none_is_refused(corners, options, message):
    with pytest.raises(ConfigError, match=message):
        Zone(corners, **options)


def test_sides_of_a_line_are_those_of_the_picture_or_of_the_map():
    upwards = (0, 100), (0, 0)
    assert Line(*upwards).side([(5, 50), (-5, 50)]).tolist() == [5, -5]
    northwards = (0, 0), (0, 100)
    assert Line(*northwards, unit="metres").side([(5, 50), (-5, 50)]).tolist() == [5, -5]


def test_only_ways_through_the_segment_cross_it():
    line = Line((0, 100), (0, 0))
    assert line.crossed_between((-5, 50), (5, 50))
    assert line.crossed_between((5, 50), (-5, 90))
    assert not line.crossed_between((-5, 150), (5, 120))
    assert not line.crossed_between((-5, 50), (-2, 50))


def test_a_line_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="two different ends"):
        Line((1, 2), (1, 2))
    with pytest.raises(ConfigError, match="one of pixels, metres"):
        Line((1, 2), (1, 3), unit="inches")
