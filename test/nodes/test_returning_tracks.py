"""The economy where tracks come back from another node, without ROS."""

import threading
import time

import numpy as np
import pytest
from support.scenes import person, see

from rtreid_ros.nodes.flow.motion import MotionChain, MotionStep
from rtreid_ros.nodes.stages.returning_tracks import ReturningTracks
from rtreid_ros.reid.economy import EconomyOptions
from rtreid_ros.tracking import create_tracker

STEP = 100_000_000


class Graph:
    """Embedder and tracker, with tracks on their way between them."""

    def __init__(self, lossless=False, lag=0, tracker="strongsort", **options):
        self.motions = MotionChain()
        self.returning = ReturningTracks(
            EconomyOptions(refresh=5.0), self.motions, lossless, create_tracker(tracker, **options)
        )
        self.tracker = create_tracker("strongsort", 10.0)
        self.lag, self.way, self.stamp = lag, [], 0

    def embed(self, seen, motion=None):
        self.stamp += STEP
        if motion is not None:
            self.motions.add(self.stamp, MotionStep(self.stamp - STEP, motion))
        plan = self.returning.plan(seen, self.stamp)
        told = plan.complete(seen.embeddings[plan.rows])
        self.returning.embedded(self.stamp, plan, told)
        tracks = self.tracker.update(
            seen.with_embeddings(told), stamp=self.stamp * 1e-9, camera_motion=motion
        )
        self.way.append((self.stamp, tracks))
        return plan

    def deliver(self):
        while len(self.way) > self.lag:
            self.returning.take(*self.way.pop(0))

    def frame(self, seen, motion=None):
        plan = self.embed(seen, motion)
        self.deliver()
        return plan


@pytest.mark.parametrize("lag", [0, 1])
def test_tracks_that_come_back_late_still_lend(lag):
    graph = Graph(lag=lag)
    plans = [graph.frame(see(person(100 + 3 * frame), looks=[0])) for frame in range(12)]
    assert [len(plan.borrowed) for plan in plans[-6:]] == [1] * 6
    assert graph.tracker.tracks.ids.tolist() == [1]


def test_without_tracks_everything_is_embedded_and_memory_is_bounded():
    graph = Graph(lag=10**6)
    for _ in range(200):
        assert len(graph.frame(see(person(100), looks=[0])).rows) == 1
    assert len(graph.returning._planned) <= 64


def test_the_motion_of_the_camera_since_the_tracks_is_taken_along():
    graph = Graph(lag=1)
    shift = np.array([[1.0, 0, 40], [0, 1, 0]])
    plans = [graph.frame(see(person(100 + 40 * k), looks=[0]), shift) for k in range(10)]
    assert [len(plan.borrowed) for plan in plans[-4:]] == [1] * 4
    assert abs(graph.tracker.tracks.motion.velocity[0, 0]) < 1  # it stands still in the world


def test_detections_the_tracker_ignores_are_not_embedded():
    faint = see(person(100), scores=0.5, looks=[0])
    assert len(Graph(min_score=0.4).frame(faint).rows) == 1
    assert len(Graph().frame(faint).rows) == 0


def test_a_tracker_that_must_not_borrow_gets_all_embeddings():
    graph = Graph(tracker="deepsort")
    plans = [graph.frame(see(person(100 + 3 * frame), looks=[0])) for frame in range(12)]
    assert [len(plan.rows) for plan in plans] == [1] * 12


def test_options_may_change():
    graph = Graph()
    for _ in range(4):
        graph.frame(see(person(100), looks=[0]))
    graph.returning.economy.options = EconomyOptions(enabled=False)
    assert len(graph.frame(see(person(100), looks=[0])).rows) == 1


def test_tracks_of_frames_not_planned_here_are_of_no_use():
    graph = Graph()
    for _ in range(4):
        graph.frame(see(person(100), looks=[0]))
    stranger = create_tracker("strongsort", 10.0).update(see(person(500), looks=[1]))
    graph.returning.take(graph.stamp + 17, stranger)
    assert len(graph.frame(see(person(100), looks=[0])).borrowed) == 1


def test_a_recording_that_begins_again_is_a_new_beginning():
    graph = Graph()
    for _ in range(4):
        graph.frame(see(person(100), looks=[0]))
    graph.stamp = 0
    plans = [graph.frame(see(person(100), looks=[2])) for _ in range(4)]
    assert [len(plan.rows) for plan in plans] == [1, 1, 1, 0]
    np.testing.assert_array_equal(plans[-1].looks, np.eye(8)[[2]])


def test_when_lossless_a_frame_waits_for_the_tracks_of_the_one_before():
    graph = Graph(lossless=True)
    for _ in range(4):
        graph.frame(see(person(100), looks=[0]))
    graph.embed(see(person(100), looks=[0]))
    plans = []
    waiting = threading.Thread(target=lambda: plans.append(graph.embed(see(person(100), looks=[0]))))
    waiting.start()
    time.sleep(0.2)
    assert plans == []
    graph.deliver()
    waiting.join(4)
    assert len(plans[0].borrowed) == 1
    assert graph.returning.given_up == 0


def test_nobody_waits_once_it_is_closed():
    graph = Graph(lossless=True)
    graph.embed(see(person(100), looks=[0]))
    graph.returning.close()
    begin = time.monotonic()
    graph.embed(see(person(100), looks=[0]))
    assert time.monotonic() - begin < 2
