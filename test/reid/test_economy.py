"""Who is embedded and who borrows, on scenes drawn by hand and beside every tracker."""

import warnings

import numpy as np
import pytest
from support.scenes import assert_equal_tracks, crowd, look, nobody, person, see, seen_as

from rtreid_ros.options import build
from rtreid_ros.reid.economy import EconomyOptions, EmbeddingEconomy, Need
from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Detections

RATE = 10.0
WITH_LOOKS = [name for name in TRACKERS if TRACKERS[name].uses_embeddings]


class Camera:
    """Detections with all their looks in; a tracker that is told only those of the plan out."""

    def __init__(self, tracker="strongsort", refresh=1.0, **options):
        self.economy = EmbeddingEconomy(build(EconomyOptions, {"refresh": refresh, **options}))
        self.tracker = create_tracker(tracker, RATE)
        self.stamp = 0.0

    def plan(self, seen, step=1 / RATE, motion=None, most=None):
        self.stamp += step
        least = self.tracker.least_score
        return self.economy.plan(seen, self.stamp, motion, least_score=least, most=most)

    def take(self, seen, step=1 / RATE, motion=None, most=None):
        plan = self.plan(seen, step, motion, most)
        told = seen.with_embeddings(plan.complete(seen.embeddings[plan.rows]))
        self.tracks = self.tracker.update(told, stamp=self.stamp, camera_motion=motion)
        self.economy.observe(self.tracks, told.embeddings, plan, self.stamp)
        self.told = told.embeddings
        return plan

    def meet(self, *boxes, frames=4):
        """The same people for some frames, so that their tracks are confirmed."""
        for _ in range(frames):
            self.take(see(*boxes, looks=range(len(boxes))))
        return self


def matches(tracks):
    """Pairs of an id and the detection it has."""
    pairs = zip(tracks.ids.tolist(), tracks.detection_index.tolist(), strict=True)
    return {pair for pair in pairs if pair[1] >= 0}


def two():
    return see(person(100), person(300), looks=[0, 1])


def test_new_tracks_are_embedded_until_they_are_confirmed():
    camera = Camera()
    needs = [camera.take(two()).needs.tolist() for _ in range(5)]
    assert needs[0] == [Need.NEW] * 2
    assert needs[1] == needs[2] == [Need.AMBIGUOUS] * 2  # tentative: nobody to borrow from
    assert needs[3] == needs[4] == [Need.NONE] * 2
    assert (camera.economy.embedded, camera.economy.borrowed) == (6, 4)


def test_who_is_clearly_told_by_place_borrows_the_looks_of_the_track():
    camera = Camera().meet(person(100), person(300))
    plan = camera.take(seen_as(see(person(100), person(300)), look(6), look(7)))
    assert plan.rows.tolist() == []
    np.testing.assert_array_equal(camera.told, [look(0), look(1)])


def test_a_newcomer_is_embedded_beside_those_who_borrow():
    camera = Camera().meet(person(100), person(300))
    plan = camera.take(see(person(100), person(600), person(300), looks=[0, 2, 1]))
    assert plan.needs.tolist() == [Need.NONE, Need.NEW, Need.NONE]
    assert plan.rows.tolist() == [1]
    np.testing.assert_array_equal(camera.told, [look(0), look(2), look(1)])


@pytest.mark.parametrize("other", [person(120), (100, 180, 36, 90)])
def test_detections_near_each_other_are_embedded(other):
    camera = Camera().meet(person(100), person(300))
    plan = camera.plan(see(person(100), other, person(300)))
    assert plan.needs.tolist() == [Need.AMBIGUOUS, Need.AMBIGUOUS, Need.NONE]


def test_a_detection_near_two_tracks_is_embedded():
    camera = Camera().meet(person(100), person(120), person(300))
    plan = camera.plan(see(person(110), person(300)))
    assert plan.needs.tolist() == [Need.AMBIGUOUS, Need.NONE]


def test_a_detection_of_another_class_is_embedded():
    camera = Camera().meet(person(100))
    assert camera.plan(see(person(100), classes=[0])).needs.tolist() == [Need.NONE]
    assert camera.plan(see(person(100), classes=[1])).needs.tolist() == [Need.AMBIGUOUS]


def test_who_comes_back_to_where_somebody_was_lost_is_embedded():
    camera = Camera().meet(person(100))
    camera.take(nobody(8))
    plan = camera.plan(see(person(100)))
    assert plan.needs.tolist() == [Need.LOST]
    assert plan.rows.tolist() == [0]


@pytest.mark.parametrize(("pause", "need"), [(0.2, Need.NONE), (0.3, Need.AMBIGUOUS)])
def test_tracks_lend_only_while_their_place_is_recent(pause, need):
    """Frames may be missing, or reports late: it is time that counts, 0.25 s."""
    assert Camera().meet(person(100)).plan(see(person(100)), step=pause).needs.tolist() == [need]


def test_places_are_predicted_by_velocity_over_the_time_that_passed():
    camera = Camera()
    for frame in range(6):
        camera.take(see(person(100 + 10 * frame), looks=[0]))
    camera.economy.options = EconomyOptions(refresh=5.0)
    camera.stamp += 0.1  # the next frame is missing
    assert camera.plan(see(person(170))).needs.tolist() == [Need.NONE]
    assert camera.plan(see(person(150)), step=0).needs.tolist() == [Need.AMBIGUOUS]  # where it was before


def test_places_are_predicted_by_the_motion_of_the_camera():
    camera = Camera().meet(person(100))
    moved = see((1.2 * 100 + 50, 1.2 * 200 + 5, 48, 120))
    motion = np.array([[1.2, 0, 50], [0, 1.2, 5]])
    assert camera.plan(moved).needs.tolist() == [Need.NEW]
    assert camera.plan(moved, step=0, motion=motion).needs.tolist() == [Need.NONE]


def test_every_track_is_embedded_again_within_the_refresh_time():
    camera = Camera(refresh=1.0).meet(person(100), frames=3)
    waited, longest = 0.0, 0.0
    for _ in range(100):
        waited += 1 / RATE
        if len(camera.take(see(person(100), looks=[0])).rows):
            longest, waited = max(longest, waited), 0.0
    assert 0.5 <= longest <= 1.0 + 1e-6
    assert 100 / 10 <= camera.economy.embedded - 3 <= 100 / 5


def test_without_a_refresh_time_all_are_embedded():
    camera = Camera(refresh=0.0).meet(person(100), frames=10)
    assert (camera.economy.embedded, camera.economy.borrowed) == (10, 0)


def test_those_who_came_together_are_not_due_together():
    people = [person(100 * place) for place in range(1, 9)]
    camera = Camera(refresh=2.0).meet(*people)
    due = [len(camera.take(see(*people, looks=range(8))).rows) for _ in range(40)]
    assert max(due) <= 3
    assert sum(due) >= 16


def test_looks_that_are_lent_are_smoothed():
    camera = Camera(refresh=0.0)
    for looks in (look(0), look(0), look(0, 1, 0.6)):
        camera.take(seen_as(see(person(100)), looks))
    camera.economy.options = EconomyOptions(refresh=5.0)
    plan = camera.plan(see(person(100)))
    expected = look(0) + look(0, 1, 0.6)
    np.testing.assert_allclose(plan.looks, [expected / np.linalg.norm(expected)], atol=1e-6)


def test_what_a_tracker_knows_of_looks_follows_as_fast_as_with_all_embedded():
    """Somebody turns round slowly, a half turn in ten seconds."""
    camera, every = Camera(refresh=0.5), create_tracker("strongsort", RATE)
    for frame in range(100):
        turn = np.pi * frame / 100
        seen = seen_as(see(person(100)), np.cos(turn) * look(0) + np.sin(turn) * look(1))
        camera.take(seen)
        every.update(seen, stamp=camera.stamp)
        if frame > 3:
            assert camera.tracker.tracks.features[0] @ seen.embeddings[0] > 0.85
    assert camera.tracker.tracks.features[0] @ every.tracks.features[0] > 0.95
    assert camera.economy.borrowed > 60


def test_switched_off_everything_is_embedded():
    camera = Camera(enabled=False).meet(person(100), person(300), frames=8)
    assert camera.economy.embedded == 16
    faint = see(person(100), scores=0.2, looks=[0])
    assert camera.take(faint).rows.tolist() == [0]


def test_whose_looks_vary_from_frame_to_frame_is_embedded_until_two_agree():
    camera = Camera().meet(person(100), frames=5)
    camera.economy.options = EconomyOptions(refresh=0.0)
    camera.take(see(person(100), looks=[1]))
    camera.economy.options = EconomyOptions(refresh=5.0)
    rows = [len(camera.take(see(person(100), looks=[1])).rows) for _ in range(4)]
    assert rows == [1, 0, 0, 0]  # cos 0, then 0.71 beside a mean of both


# ---------------------------------------------------------------- what trackers ignore


@pytest.mark.parametrize("name", WITH_LOOKS)
def test_what_a_tracker_does_not_look_at_may_stay_unknown_without_any_effect(name):
    scene = crowd(30, 120, seed=3, dim=16)
    every, known = create_tracker(name, RATE), create_tracker(name, RATE)
    ignored = 0
    for frame in scene:
        low = frame.scores < known.least_score
        ignored += int(low.sum())
        told = frame.with_embeddings(np.where(low[:, None], np.float32(0), frame.embeddings))
        assert_equal_tracks(every.update(frame), known.update(told))
    assert ignored > 100 or known.least_score <= 0.2
    np.testing.assert_array_equal(every.tracks.features, known.tracks.features)


def test_detections_below_the_least_score_are_no_crowd_and_not_embedded():
    camera = Camera().meet(person(100))
    both = Detections(see(person(100), person(110)).boxes, [0.9, 0.3])
    plan = camera.plan(both)
    assert plan.needs.tolist() == [Need.NONE, Need.IGNORED]
    assert (len(plan.rows), plan.borrowed.tolist(), plan.ignored, plan.left_out) == (0, [0], 1, 0)
    assert camera.economy.ignored == 1


# ------------------------------------------------------------------- when time is short


def test_the_most_important_are_embedded_first():
    camera = Camera(refresh=0.3).meet(*map(person, (100, 300, 320, 700)), frames=3)
    for _ in range(2):
        camera.take(see(*map(person, (100, 300, 320)), looks=range(3)))
    now = see(*map(person, (100, 300, 320, 700, 900)))
    needs = camera.plan(now).needs.tolist()
    assert needs == [Need.REFRESH, Need.AMBIGUOUS, Need.AMBIGUOUS, Need.LOST, Need.NEW]
    order = [camera.plan(now, step=0, most=most).rows.tolist() for most in range(6)]
    assert order == [[], [1], [1, 2], [1, 2, 4], [1, 2, 3, 4], [0, 1, 2, 3, 4]]


def test_who_is_due_but_has_no_time_borrows_on():
    camera = Camera(refresh=0.0).meet(person(100))
    plan = camera.take(see(person(100), looks=[5]), most=0)
    assert plan.needs.tolist() == [Need.REFRESH]
    assert (plan.borrowed.tolist(), plan.left_out, plan.postponed) == ([0], 0, 1)
    np.testing.assert_array_equal(camera.told, [look(0)])


def test_to_a_tracker_that_does_not_borrow_is_lent_only_for_lack_of_time():
    camera = Camera().meet(person(100))
    seen = see(person(100))
    plans = [camera.economy.plan(seen, camera.stamp, lend=False, most=most) for most in (None, 0)]
    assert [(plan.needs.tolist(), len(plan.borrowed)) for plan in plans] == [([3], 0), ([3], 1)]
    assert not TRACKERS["deepsort"].borrows


def test_who_has_neither_time_nor_a_track_gets_zeros():
    camera = Camera()
    plan = camera.take(two(), most=1)
    assert (plan.rows.tolist(), plan.left_out, plan.postponed, camera.economy.left_out) == ([0], 1, 1, 1)
    np.testing.assert_array_equal(camera.told, [look(0), np.zeros(8)])


def test_of_two_new_ones_the_surer_is_embedded():
    doubtful = Detections(two().boxes, [0.65, 0.95])
    assert Camera().plan(doubtful, most=1).rows.tolist() == [1]


def test_switched_off_time_is_still_spent_on_the_important_first():
    camera = Camera(enabled=False).meet(person(100))
    plan = camera.plan(see(person(100), person(500)), most=1)
    assert (plan.rows.tolist(), plan.borrowed.tolist()) == ([1], [0])


@pytest.mark.parametrize("name", WITH_LOOKS)
def test_a_track_survives_zeros_with_its_looks_and_its_id(name):
    tracker = create_tracker(name, RATE)
    for _ in range(5):
        tracker.update(two())
    looks = tracker.tracks.features.copy()
    for _ in range(150):  # more than any memory of looks holds
        tracks = tracker.update(seen_as(see(person(100), person(300)), np.zeros(8), np.zeros(8)))
    assert tracks.confirmed().ids.tolist() == [1, 2]
    np.testing.assert_array_equal(tracker.tracks.features, looks)
    tracker.update(nobody(8))
    tracker.update(nobody(8))
    back = tracker.update(see(person(310), person(90), looks=[1, 0]))
    assert back.confirmed().ids.tolist() == [1, 2]
    assert back.detection_index.tolist() == [1, 0]


@pytest.mark.parametrize("name", WITH_LOOKS)
def test_a_track_begun_with_zeros_learns_its_looks_later(name):
    tracker = create_tracker(name, RATE)
    for _ in range(5):
        tracker.update(seen_as(see(person(100)), np.zeros(8)))
    tracks = tracker.update(seen_as(see(person(100)), look(3)))
    assert tracks.confirmed().ids.tolist() == [1]
    np.testing.assert_allclose(tracks.embeddings, [look(3)], atol=1e-6)


# -------------------------------------------------------------------- memory and resets


def test_what_is_kept_is_of_living_tracks_alone():
    camera = Camera()
    rng = np.random.default_rng(0)
    for frame in range(400):
        x, y = rng.uniform(0, 5000, 2)
        seen = see(person(x, y), looks=[frame % 8])
        camera.take(seen)
    assert len(camera.economy._known.looks) == len(camera.tracker.tracks) < 50


def test_after_a_reset_nobody_lends():
    camera = Camera().meet(person(100))
    camera.economy.reset()
    assert camera.plan(see(person(100))).needs.tolist() == [Need.NEW]


def test_after_a_reset_of_the_tracker_alone_an_id_is_somebody_else():
    camera = Camera().meet(person(100))
    camera.tracker.reset()
    camera.take(see(person(500), looks=[1]), most=0)
    camera.take(see(person(500), looks=[1]), most=0)
    camera.take(see(person(500), looks=[1]), most=0)
    assert camera.tracker.tracks.ids.tolist() == [1]
    plan = camera.take(see(person(500), looks=[1]))
    assert plan.rows.tolist() == [0]
    np.testing.assert_array_equal(camera.told, [look(1)])


def test_stamps_that_run_backwards_are_a_new_beginning():
    camera = Camera().meet(person(100))
    camera.stamp = 0.0
    plan = camera.take(see(person(100), looks=[2]), step=0.0)
    assert plan.needs.tolist() == [Need.NEW]
    camera.take(see(person(100), looks=[2]))
    camera.take(see(person(100), looks=[2]))
    camera.take(see(person(100), looks=[3]))
    np.testing.assert_array_equal(camera.told, [look(2)])


def test_reports_may_come_two_frames_late():
    camera = Camera().meet(person(100))
    tracker, economy = camera.tracker, camera.economy
    waiting, borrowed = [], 0
    for frame in range(20):
        seen = see(person(100 + 3 * frame), looks=[0])
        camera.stamp += 1 / RATE
        plan = economy.plan(seen, camera.stamp)
        borrowed += len(plan.borrowed)
        told = plan.complete(seen.embeddings[plan.rows])
        tracks = tracker.update(seen.with_embeddings(told), stamp=camera.stamp)
        waiting.append((tracks, told, plan, camera.stamp))
        if len(waiting) > 1:
            economy.observe(*waiting.pop(0))
    assert tracks.ids.tolist() == [1]
    assert borrowed >= 12


def test_nonsense_among_the_detections_is_new_and_harms_nobody():
    camera = Camera().meet(person(100), person(300))
    boxes = np.concatenate([two().boxes, [[np.nan, 0, 1, 1], [0, 0, np.inf, 9], [9, 9, 1, 1]]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan = camera.plan(Detections(boxes, np.full(5, 0.9)))
    assert plan.needs.tolist() == [Need.NONE] * 2 + [Need.NEW] * 3


def test_frames_without_detections_or_tracks():
    camera = Camera()
    assert len(camera.take(nobody(8))) == 0
    assert camera.take(two()).needs.tolist() == [Need.NEW] * 2
    assert len(camera.take(nobody(8))) == 0


@pytest.mark.parametrize("name", WITH_LOOKS)
def test_in_a_crowd_ids_stay_the_same_as_with_all_embedded(name):
    """Thirty walkers, some near each other: hardly an association differs, and much is saved."""
    scene = crowd(30, 150, seed=1, dim=32)
    camera, every = Camera(name), create_tracker(name, RATE)
    same = total = 0
    for frame in scene:
        camera.take(frame)
        pairs = matches(every.update(frame, stamp=camera.stamp))
        total += len(pairs)
        same += len(pairs & matches(camera.tracks))
    economy = camera.economy
    assert same / total > 0.9
    assert economy.embedded < 0.75 * (economy.embedded + economy.borrowed + economy.ignored)
