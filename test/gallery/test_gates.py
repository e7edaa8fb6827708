"""Times and places that rule people out, or bring them together."""

import numpy as np
import pytest
from support.gallery import People, Street

from rtreid_ros.gallery import Gallery, GalleryOptions

CROWD = range(5)
FAR = 40.0


def twins(options=None):
    """Persons 0 and 9 look the same."""
    street = Street(Gallery(options))
    street.people.own[9] = street.people.own[0]
    return street


def at(x):
    return {person: (x + 3.0 * person, 0.0) for person in range(10)} | {9: (x, 0.0)}


def test_one_place_at_one_time_tells_what_looks_leave_open():
    street = twins()
    places = {"a": at(0), "b": at(0)}
    places["a"][9] = places["b"][9] = (20.0, 5.0)
    given = street.show(15, {"a": [*CROWD, 9], "b": [*CROWD, 9]}, places)
    assert given["a", 0] == given["b", 0] != 0
    assert given["a", 9] == given["b", 9] != 0
    assert given["a", 0] != given["a", 9]


def test_without_places_twins_stay_undecided():
    given = twins().show(15, {"a": [*CROWD, 9], "b": [*CROWD, 9]})
    assert given["b", 0] == given["b", 9] == 0
    assert given["b", 1] == given["a", 1] != 0


def test_nobody_is_in_two_places_at_once():
    street = twins()
    given = street.show(15, {"a": CROWD, "b": [9]}, {"a": at(0), "b": at(FAR)})
    assert given["b", 9] not in {given["a", person] for person in CROWD}


@pytest.mark.parametrize(("seconds", "same"), [(2, False), (30, True)])
def test_nobody_runs_faster_than_the_limit(seconds, same):
    street = twins()
    before = street.show(15, {"a": CROWD}, {"a": at(0)})
    street.wait(seconds)
    after = street.show(10, {"b": [9]}, {"b": at(FAR)})
    assert (after["b", 9] == before["a", 0]) is same


def test_positions_not_known_rule_nobody_out():
    street = twins()
    nowhere = dict.fromkeys(range(10), (np.nan, np.nan))
    before = street.show(15, {"a": CROWD}, {"a": nowhere})
    assert street.show(15, {"b": [9]}, {"b": at(FAR)})["b", 9] == before["a", 0]


def test_cameras_that_do_not_overlap_never_share_a_person():
    apart = Street(Gallery(GalleryOptions(overlapping=False)), People())
    given = apart.show(15, {"a": CROWD, "b": CROWD})
    assert not {given["a", person] for person in CROWD} & {given["b", person] for person in CROWD} - {0}


@pytest.mark.parametrize(("seconds", "same"), [(10, False), (40, True)])
def test_the_way_from_one_camera_to_another_takes_time(seconds, same):
    street = Street(Gallery(GalleryOptions(overlapping=False, min_travel=20)))
    before = street.show(15, {"a": CROWD, "b": []})
    street.wait(seconds)
    after = street.show(15, {"a": [], "b": [0]})
    assert (after["b", 0] == before["a", 0]) is same
