"""One id for each person: across cameras, after absence, and none where it is not sure."""

import logging

import numpy as np
import pytest
from support.gallery import DIM, SIZE, STEP_NS, People, Street, tracks_of

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.gallery import Gallery, GalleryOptions
from rtreid_ros.types import TrackState

CROWD = range(6)


@pytest.fixture
def street():
    return Street(Gallery())


def test_nothing_is_decided_before_enough_has_been_seen(street):
    given = street.show(GalleryOptions().min_samples - 1, {"a": [0]})
    assert given == {("a", 0): 0}
    assert street.show(1, {"a": [0]}) == {("a", 0): 1}


def test_a_person_has_one_id_in_two_cameras_at_once(street):
    given = street.show(15, {"a": CROWD, "b": CROWD})
    assert [given["a", person] for person in CROWD] == [given["b", person] for person in CROWD]
    assert {id_ for id_ in given.values() if id_} == set(range(1, 7))


def test_a_person_who_comes_back_after_long_absence_has_the_id_of_before(street):
    before = street.show(15, {"a": CROWD})
    street.wait(1800)
    assert street.show(15, {"a": CROWD}) == before
    assert street.gallery.counters.linked == len(CROWD)


def test_strangers_get_ids_of_their_own(street):
    before = street.show(15, {"a": range(6)})
    street.wait(60)
    after = street.show(15, {"b": range(6, 12)})
    assert not set(before.values()) & set(after.values())
    assert 0 not in after.values()


def test_twins_in_one_camera_are_two_people(street):
    street.people.own[1] = street.people.own[0]
    given = street.show(25, {"a": [0, 1, 2, 3]})
    assert len({given["a", 0], given["a", 1]}) == 2


def test_who_may_be_either_of_two_known_has_no_id(street):
    own = street.people.own
    own[1] = own[0] + 0.05 * own[1]
    own[1] /= np.linalg.norm(own[1])
    street.show(15, {"a": CROWD})
    street.wait(60)
    own[6] = own[0] + own[1]
    own[6] /= np.linalg.norm(own[6])
    assert street.show(15, {"b": [6]}) == {("b", 6): 0}
    assert street.gallery.undecided == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"scores": np.full(1, 0.3, np.float32)},
        {"states": np.full(1, TrackState.TENTATIVE, np.uint8)},
        {"states": np.full(1, TrackState.LOST, np.uint8)},
        {"time_since_update": np.full(1, 0.2, np.float32)},
        {"boxes": np.array([[40, 100, 80, 130]], np.float32)},
        {"boxes": np.array([[0, 100, 40, 200]], np.float32)},
        {"boxes": np.array([[600, 100, 640, 200]], np.float32)},
        {"boxes": np.array([[40, 380, 80, 480]], np.float32)},
        {"embeddings": np.full((1, DIM), np.nan, np.float32)},
        {"embeddings": np.zeros((1, DIM), np.float32)},
        {"embeddings": None},
    ],
    ids=lambda columns: f"{next(iter(columns))}",
)
def test_bad_looks_are_no_evidence(street, columns):
    assert street.show(30, {"a": [0]}, **columns) == {("a", 0): 0}
    assert street.gallery.identities == 0


def test_who_is_half_hidden_is_not_looked_at(street):
    boxes = np.array([[40, 100, 80, 200], [60, 110, 100, 210]], np.float32)
    assert set(street.show(30, {"a": [0, 1]}, boxes=boxes).values()) == {0}


def test_looks_are_taken_in_their_interval_whatever_the_frame_rate():
    gallery = Gallery()
    look = People().look(0, 0)
    given = [
        int(gallery.update("a", stamp, tracks_of([1], [look], [stamp * 1e-9]), image_size=SIZE).ids[0])
        for stamp in range(0, 1_000_000_000, 10_000_000)
    ]
    assert given.index(1) == 80  # the fifth look, 0.2 s apart


def test_a_tracker_that_counts_anew_passes_on_no_id(street):
    street.show(15, {"a": CROWD})
    street.next_id.clear()
    street.born.clear()
    after = street.show(4, {"a": [6, 7, 8]})
    assert set(after.values()) == {0}
    after = street.show(15, {"a": [6, 7, 8]})
    assert set(after.values()) == {7, 8, 9}


def test_who_misses_from_a_message_keeps_the_id(street):
    before = street.show(15, {"a": CROWD})
    empty = tracks_of([], np.zeros((0, DIM)), [])
    for _ in range(3):
        street.gallery.update("a", street.step * STEP_NS, empty, image_size=SIZE)
        street.step += 1
    assert street.show(1, {"a": CROWD}) == before
    assert street.gallery.counters.linked == 0


def test_a_recording_that_begins_again_finds_the_same_people(street):
    before = street.show(15, {"a": CROWD, "b": CROWD})
    street.step = 0
    street.born.clear()
    street.next_id.clear()
    first = street.show(1, {"a": CROWD, "b": CROWD})
    assert set(first.values()) == {0}
    assert street.show(15, {"a": CROWD, "b": CROWD}) == before
    assert street.gallery.identities == len(CROWD)


def test_a_late_frame_gets_ids_but_teaches_nothing(street):
    before = street.show(15, {"a": CROWD})
    ids = [street.born["a", person][0] for person in CROWD]
    wrong = [street.people.look(person + 50, 0) for person in CROWD]
    late = street.gallery.update("a", (street.step - 3) * STEP_NS, tracks_of(ids, wrong, [2.0] * 6))
    assert late.ids.tolist() == [before["a", person] for person in CROWD]
    assert street.gallery.counters.late == 1


def test_frames_of_cameras_may_overtake_each_other():
    gallery, people = Gallery(), People()
    given = {}
    for step in range(20):
        for camera, late in ((0, 0), (1, 700_000_000)):  # b is behind all the time
            stamp = step * STEP_NS + 10**9 - late
            looks = [people.look(person, camera) for person in CROWD]
            tracks = tracks_of([person + 1 for person in CROWD], looks, [step * 0.2] * 6)
            given[camera] = gallery.update("ab"[camera], stamp, tracks, image_size=SIZE).ids.tolist()
    assert given[0] == given[1]
    assert gallery.counters.late == 0


def test_embeddings_of_another_length_begin_anew_with_a_warning(street, caplog):
    street.show(15, {"a": CROWD})
    looks = np.eye(6, 32, dtype=np.float32)
    with caplog.at_level(logging.WARNING):
        for step in range(100, 110):
            tracks = tracks_of(range(1, 7), looks, [step * 0.2] * 6)
            ids = street.gallery.update("a", step * STEP_NS, tracks, image_size=SIZE).ids
    assert "length 32, before 64" in caplog.text
    assert street.gallery.counters.resets == 1
    assert sorted(ids.tolist()) == list(range(7, 13))  # no id is given twice


def test_reset_forgets_everybody_but_gives_no_id_twice(street):
    street.show(15, {"a": CROWD})
    street.gallery.reset()
    assert street.gallery.identities == street.gallery.undecided == 0
    assert min(street.show(15, {"a": CROWD}).values()) == 7


def test_the_one_not_seen_for_longest_makes_room():
    street = Street(Gallery(GalleryOptions(max_identities=4)))
    first = street.show(15, {"a": [0, 1]})
    street.wait(10)
    street.show(15, {"a": [2, 3]})
    street.wait(10)
    street.show(15, {"a": [0]})
    street.wait(10)
    street.show(15, {"a": [4]})
    assert street.gallery.counters.evicted == 1
    assert street.gallery.identities == 4
    street.wait(10)
    assert street.show(15, {"a": [0]}) == {("a", 0): first["a", 0]}
    street.wait(10)
    assert street.show(15, {"a": [1]})["a", 1] not in first.values()


def test_who_is_in_view_is_never_evicted():
    street = Street(Gallery(GalleryOptions(max_identities=2)))
    given = street.show(30, {"a": [0, 1, 2]})
    assert sorted(given.values()) == [0, 1, 2]
    assert street.gallery.counters.full > 0
    assert street.gallery.counters.evicted == 0


def test_who_has_not_been_seen_for_long_is_forgotten():
    street = Street(Gallery(GalleryOptions(forget_after=100)))
    before = street.show(15, {"a": CROWD})
    street.wait(90)
    assert street.show(15, {"a": CROWD}) == before
    street.wait(110)
    assert not set(street.show(15, {"a": CROWD}).values()) & set(before.values())
    assert street.gallery.counters.expired == len(CROWD)


def test_memory_is_bounded_while_people_come_and_go():
    street = Street(Gallery(GalleryOptions(max_identities=12)))

    def size():
        tables = (street.gallery._identities, street.gallery._tracklets)
        looks = [table.looks.vectors.nbytes for table in tables]
        return looks + [
            array.nbytes for table in tables for array in vars(table).values() if hasattr(array, "nbytes")
        ]

    sizes = []
    for number in range(40):
        street.show(8, {"a": range(5 * number % 180, 5 * number % 180 + 5), "b": [(7 * number) % 200]})
        sizes.append(size())
    assert sizes[-1] == sizes[10]
    assert street.gallery.identities <= 12


def test_a_local_track_that_changes_persons_is_asked_anew(street):
    given = street.show(15, {"a": CROWD})
    street.born["a", 7] = street.born.pop(("a", 0))  # the tracker takes 7 for 0
    given_then = street.show(20, {"a": [1, 2, 3, 4, 5, 7]})
    assert given_then["a", 7] not in given.values()
    assert street.gallery.counters.revoked == 1


def test_of_two_tracks_with_one_id_that_meet_the_later_loses_it(street):
    street.show(15, {"a": CROWD})
    lost = street.born["a", 0]
    street.people.own[50] = street.people.own[0]
    street.born.pop(("a", 0))
    assert street.show(8, {"a": [1, 2, 3, 4, 5, 50]})["a", 50] == 1  # for all we know it is 0 again
    street.born["a", 0] = lost
    after = street.show(1, {"a": [*CROWD, 50]})
    assert after["a", 0] == 1 != after["a", 50]
    assert street.gallery.counters.revoked == 1


def test_two_identities_of_one_person_become_the_older():
    street = Street(Gallery(GalleryOptions(confidence=0.9)))
    own = street.people.own
    back = own[0].copy()
    front = 0.5 * back + own[8]
    front /= np.linalg.norm(front)
    street.show(15, {"a": CROWD})
    street.wait(30)
    own[0] = front  # seen from the other side: somebody new
    assert street.show(15, {"b": [0]})["b", 0] > 6
    for share in np.linspace(0, 1, 60):  # turns round
        own[0] = (1 - share) * front + share * back
        own[0] /= np.linalg.norm(own[0])
        given = street.show(1, {"b": [0]})
    assert given["b", 0] == 1
    assert street.gallery.counters.merged == 1
    merged = [pairs for _, _, pairs in street.answers if pairs]
    assert len(merged) == 1
    assert merged[0][0][1] == 1


@pytest.mark.parametrize(("common", "camera"), [(0.0, 0.0), (1.5, 0.0), (0.0, 1.0), (1.5, 1.0), (3.0, 0.5)])
def test_no_threshold_is_needed_however_alike_an_embedder_makes_people(common, camera):
    street = Street(Gallery(), People(common=common, camera=camera))
    for round_ in range(6):  # sixty people, ten at a time
        street.show(12, {"a": range(10 * round_, 10 * round_ + 10)})
        street.wait(5)
    before = dict(street.ids)
    assert sum(id_ > 0 for id_ in before.values()) >= 54
    wrong = right = 0
    for round_ in range(6):
        after = street.show(12, {"b": [], "a": range(10 * round_, 10 * round_ + 10)})
        right += sum(after[key] == before[key] != 0 for key in after)
        wrong += sum(
            after[key] != before[key] and after[key] in before.values() for key in after if after[key]
        )
        street.wait(5)
    assert wrong == 0
    assert right >= 52


def test_equal_input_gives_equal_ids():
    def run():
        street = Street(Gallery(), People(seed=3, noise=0.12, camera=0.5))
        for round_ in range(4):
            street.show(9, {"a": range(round_, round_ + 6), "b": range(round_ + 2, round_ + 9)})
            street.wait(4)
        return street.answers

    assert run() == run()


def test_options_marked_live_change_at_work_and_others_do_not(street):
    street.show(15, {"a": CROWD})
    street.gallery.adjust(GalleryOptions(min_score=0.95))
    assert set(street.show(15, {"a": [6]}).values()) == {0}
    with pytest.raises(ConfigError, match="max_identities"):
        street.gallery.adjust(GalleryOptions(max_identities=7))


def test_positions_of_another_shape_are_refused(street):
    with pytest.raises(InputError, match=r"\(1, 2\)"):
        street.gallery.update("a", 0, tracks_of([1], [street.people.look(0, 0)], [0]), np.zeros((2, 2)))


def test_an_id_twice_in_one_frame_is_refused(street):
    looks = [street.people.look(0, 0)] * 2
    with pytest.raises(InputError, match="occurs twice"):
        street.gallery.update("a", 0, tracks_of([3, 3], looks, [0, 0]))


def test_values_that_are_no_numbers_harm_nobody(street):
    street.show(15, {"a": CROWD})
    broken = np.full((6, 4), np.nan, np.float32)
    ages = np.array([np.nan, np.inf, -1, 0, 1e30, 2], np.float32)
    looks = [street.people.look(person, 0) for person in CROWD]
    street.gallery.update("a", street.step * STEP_NS, tracks_of(range(1, 7), looks, ages, boxes=broken))
    street.step += 1
    nowhere = {"a": dict.fromkeys(CROWD, (np.inf, np.nan))}
    given = street.show(15, {"a": CROWD}, nowhere)
    assert sorted(given.values()) == [1, 2, 3, 4, 5, 6]


def test_a_person_detected_twice_for_a_moment_is_no_second_one(street):
    own = street.people.own
    before = street.show(15, {"a": CROWD})
    street.wait(5)
    own[7] = own[0]
    doubled = np.array([TrackState.CONFIRMED, TrackState.TENTATIVE], np.uint8)
    street.show(3, {"a": [0, 7]}, states=doubled)
    street.born.pop(("a", 0))  # the tracker goes on with the second box
    assert street.show(15, {"a": [7]}) == {("a", 7): before["a", 0]}
