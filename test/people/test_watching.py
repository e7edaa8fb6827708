"""Who enters, leaves, crosses."""

import numpy as np
import pytest
from support.crowd import frame, someone, walk

from rtreid_ros.people import Line, LineWatch, Zone, ZoneWatch
from rtreid_ros.types import TrackState

ZONE = Zone([(0, 0), (100, 0), (100, 100), (0, 100)], margin=5)
DOOR = Line((100, 200), (100, 0), margin=5)


class Log:
    def __init__(self, watch):
        self.events = []
        watch.on_enter(lambda person: self.events.append(("in", person.id)))
        watch.on_exit(lambda person: self.events.append(("out", person.id)))


@pytest.fixture
def watch():
    return ZoneWatch(ZONE)


def play(watch, frames):
    for item in frames:
        watch.update(item)


def test_who_walks_through_comes_and_goes_once(watch):
    log = Log(watch)
    play(watch, walk([(x, 50) for x in range(-30, 140, 4)]))
    assert log.events == [("in", 1), ("out", 1)]
    assert (watch.entered, watch.left, watch.count) == (1, 1, 0)


def test_a_box_that_jitters_on_the_border_counts_once(watch):
    random = np.random.default_rng(1)
    play(watch, walk([(100 + jitter, 50) for jitter in (-6, *random.uniform(-4.9, 4.9, 300))]))
    assert (watch.entered, watch.left, watch.count) == (1, 0, 1)


def test_a_box_that_only_touches_the_border_does_not_come_in(watch):
    play(watch, walk([(97, 50)] * 20))
    assert watch.entered == 0


def test_who_is_there_from_the_beginning_has_come_in(watch):
    play(watch, walk([(50, 50)]))
    assert [person.id for person in watch.inside] == [1]


def test_a_short_absence_is_no_leaving(watch):
    log = Log(watch)
    play(watch, walk([(50, 50), *[None] * 9, (50, 50)]))
    assert log.events == [("in", 1)]


def test_who_vanishes_inside_has_left_after_a_while(watch):
    log = Log(watch)
    play(watch, walk([(50, 50), *[None] * 12]))
    assert log.events == [("in", 1), ("out", 1)]


def test_predictions_do_not_come_in(watch):
    play(watch, walk([(50, 50)] * 3, state=TrackState.LOST))
    assert watch.entered == 0


def test_a_far_jump_out_is_a_leaving(watch):
    play(watch, walk([(50, 50), (500, 50)]))
    assert (watch.left, watch.count) == (1, 0)


def test_dwell_is_the_time_inside(watch):
    play(watch, walk([(-50, 50), (50, 50), (50, 50), (50, 50)], step=0.5))
    assert watch.dwell(1) == 1.0
    assert watch.dwell(2) == 0


def test_several_people_are_told_apart(watch):
    watch.update(frame(0, someone(1, (50, 50)), someone(2, (300, 50)), someone(9, (20, 20))))
    assert [person.id for person in watch.inside] == [1, 9]
    assert watch.count == 2


def test_a_new_beginning_empties_the_zone(watch):
    log = Log(watch)
    play(watch, walk([(50, 50)], begin=100))
    watch.reset()
    play(watch, walk([(50, 50)], begin=0))
    assert log.events == [("in", 1), ("out", 1), ("in", 1)]


def test_positions_decide_in_zones_of_metres():
    watch = ZoneWatch(Zone([(0, 0), (2, 0), (2, 2), (0, 2)], unit="metres"))
    play(watch, [frame(at, someone(1, at=at, position=(at - 1, 1.0, 0.0))) for at in (0.0, 1.05, 2.0)])
    assert watch.entered == 1
    watch.update(frame(2.1, someone(1, at=2.1)))  # the depth camera lost it
    assert watch.count == 1
    watch.update(frame(3.5, someone(1, at=3.5)))
    assert watch.count == 0


def test_crossings_are_counted_by_direction():
    watch, seen = LineWatch(DOOR), []
    watch.on_cross(lambda person, to_right: seen.append((person.id, to_right)))
    there = [(x, 100) for x in range(60, 140, 7)]
    play(watch, walk([*there, *there[::-1]], id_=4))
    assert seen == [(4, True), (4, False)]
    assert (watch.to_right, watch.to_left) == (1, 1)


def test_jitter_on_the_line_is_no_crossing():
    watch = LineWatch(DOOR)
    random = np.random.default_rng(2)
    play(
        watch,
        walk([(80, 100), *((100 + jitter, 100) for jitter in random.uniform(-4.9, 4.9, 300)), (80, 100)]),
    )
    assert (watch.to_right, watch.to_left) == (0, 0)


def test_who_walks_round_the_end_of_the_line_does_not_cross_it():
    watch = LineWatch(DOOR)
    play(watch, walk([(80, 150), (80, 260), (120, 260), (120, 150)]))
    assert (watch.to_right, watch.to_left) == (0, 0)


def test_who_was_away_for_long_has_not_crossed():
    watch = LineWatch(DOOR)
    play(watch, walk([(80, 100), *[None] * 30, (120, 100)]))
    assert watch.to_right == 0
    play(watch, walk([(80, 100)], begin=9))
    watch.reset()
    play(watch, walk([(120, 100)], begin=9.1))
    assert (watch.to_right, watch.to_left) == (0, 0)


def test_memory_follows_the_number_of_people_present():
    zone, line = ZoneWatch(ZONE), LineWatch(DOOR)
    for index in range(2000):
        seen = frame(index * 0.1, someone(index, (50, 50), at=index * 0.1))
        zone.update(seen)
        line.update(seen)
    assert zone.count <= 12
    assert zone.entered == 2000
    assert len(line._known) <= 12
