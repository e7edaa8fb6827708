"""What a person and an image of people tell."""

import dataclasses

import pytest
from support.crowd import frame, someone

from rtreid_ros.types import TrackState


def test_places_in_the_image():
    person = someone(feet=(150, 80), size=(20, 40), at=2.5)
    assert person.box == (140, 40, 160, 80)
    assert person.centre == (150, 60)
    assert person.feet == (150, 80)
    assert (person.width, person.height) == (20, 40)
    assert person.offset == 0.5
    assert person.stamp == 2.5


def test_the_offset_is_0_where_the_size_of_the_image_is_not_known():
    assert dataclasses.replace(someone(), image_size=(0, 0)).offset == 0


def test_a_person_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        someone().id = 3


def test_people_are_those_seen_in_this_very_image():
    tentative, lost = (
        someone(2, state=TrackState.TENTATIVE),
        someone(3, state=TrackState.LOST),
    )
    seen = frame(0, someone(1), tentative, lost)
    assert [person.id for person in seen.people] == [1]
    assert seen.find(3) is lost
    assert seen.find(4) is None


def test_of_two_tracks_with_one_global_id_the_seen_one_is_found():
    old, new = someone(1, state=TrackState.LOST, global_id=7), someone(5, global_id=7)
    assert frame(0, old, new).find(global_id=7) is new


def test_nobody_is_found_by_the_global_id_of_none():
    assert frame(0, someone(1)).find() is None


def test_the_nearest_is_the_one_at_the_smallest_distance():
    far, near = someone(1, position=(0, 3, 4.0)), someone(2, position=(1, 2, 2))
    tall = someone(3, size=(50, 80))
    assert near.distance == 3
    assert frame(0, far, near, tall).nearest() is near


def test_without_positions_the_nearest_is_the_tallest():
    small, tall = someone(1), someone(2, size=(5, 60))
    assert frame(0, small, tall).nearest() is tall
    assert frame(0).nearest() is None
