"""One person from image to image."""

from support.crowd import frame, someone, walk

from rtreid_ros.people import Following
from rtreid_ros.types import TrackState


def seen(following, frames):
    """Stamps at which the person was seen before following ended."""
    stamps = []
    for item in frames:
        person = following.update(item)
        if following.ended:
            break
        if person is not None:
            stamps.append(round(person.stamp, 3))
    return stamps


def test_it_is_seen_again_after_a_short_absence():
    frames = walk([(50, 50), None, None, (60, 50), (70, 50)])
    following = Following(1, lost_for=0.5)
    assert seen(following, frames) == [0, 0.3, 0.4]
    assert not following.ended


def test_it_ends_when_the_person_is_lost():
    following = Following(1, lost_for=0.5)
    assert seen(following, walk([(50, 50), *[None] * 8, (50, 50)])) == [0]
    assert following.ended


def test_it_ends_when_the_person_never_was_there():
    following = Following(2, lost_for=0.5)
    assert seen(following, walk([(50, 50)] * 8)) == []
    assert following.ended


def test_a_predicted_person_is_not_seen():
    lost = [frame(at, someone(1, at=at, state=TrackState.LOST)) for at in (0.1, 0.2, 0.3, 0.4)]
    following = Following(1, lost_for=0.2)
    assert seen(following, [*walk([(50, 50)]), *lost]) == [0]
    assert following.ended


def test_another_person_of_the_same_id_is_not_followed():
    later = [frame(30 + age, someone(1, at=30 + age, age=age)) for age in (0.2, 0.3)]
    following = Following(1, lost_for=60)
    assert seen(following, [*walk([(50, 50), (51, 50)]), *later]) == [0, 0.1]
    assert following.ended


def test_a_global_id_is_followed_from_track_to_track():
    frames = [
        frame(0, someone(3, at=0, global_id=8)),
        frame(
            1, someone(3, at=1, global_id=8, state=TrackState.LOST), someone(6, at=1, age=0.1, global_id=8)
        ),
    ]
    following = Following(global_id=8, lost_for=2)
    assert seen(following, frames) == [0, 1]


def test_it_ends_when_the_source_starts_anew():
    following = Following(global_id=8, lost_for=2)
    old, new = (frame(at, someone(3, at=at, global_id=8)) for at in (100, 1))
    assert seen(following, [old, new]) == [100]
    assert following.ended
