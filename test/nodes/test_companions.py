"""Who gets which companion, and when."""

import random

from rtreid_ros.nodes.flow.companions import Companions

SECOND = 1_000_000_000


def test_equal_stamps_are_companions_whichever_comes_first():
    companions = Companions(0, waiting=4, kept=8)
    assert companions.second(1, "d1") == []
    assert companions.first(1, "t1") == [("t1", "d1")]
    assert companions.first(2, "t2") == []
    assert companions.second(2, "d2") == [("t2", "d2")]


def test_nobody_waits_for_a_stream_that_is_silent():
    companions = Companions(0, waiting=4, kept=8)
    assert companions.first(1, "t1") == [("t1", None)]
    companions.second(2, "d2")
    assert companions.first(2 + SECOND, "t2") == []
    assert companions.first(3 + SECOND, "t3") == []
    companions = Companions(0, waiting=4, kept=8)
    companions.second(2, "d2")
    assert companions.first(3 + SECOND, "t3") == [("t3", None)]


def test_a_later_companion_ends_the_waiting():
    companions = Companions(0, waiting=4, kept=8)
    companions.second(10, "d10")
    assert companions.first(20, "t20") == []
    assert companions.first(30, "t30") == []
    assert companions.second(30, "d30") == [("t20", None), ("t30", "d30")]


def test_within_the_tolerance_the_nearest_is_taken():
    companions = Companions(10, waiting=4, kept=8)
    for stamp in (100, 130):
        companions.second(stamp, stamp)
    assert companions.first(109, "a") == [("a", 100)]
    assert companions.first(121, "b") == [("b", 130)]
    assert companions.first(115, "c") == [("c", None)]
    assert companions.first(135, "d") == []  # a nearer one may come
    assert companions.second(160, 160) == [("d", 130)]


def test_the_number_of_those_who_wait_is_bounded():
    companions = Companions(0, waiting=2, kept=8)
    companions.second(0, "d0")
    assert [companions.first(stamp, stamp) for stamp in (1, 2, 3)] == [[], [], [(1, None)]]


def test_a_clock_that_runs_backwards_begins_anew():
    companions = Companions(5, waiting=2, kept=8)
    companions.second(50 * SECOND, "old")
    companions.second(SECOND, "new")
    assert companions.first(SECOND, "t") == [("t", "new")]
    assert companions.first(SECOND + 7, "u") == []
    assert companions.second(SECOND + 8, "v") == [("u", "v")]


def test_everybody_comes_out_once_and_in_order():
    rng = random.Random(3)
    companions = Companions(2, waiting=3, kept=5)
    out = []
    for stamp in range(0, 3000, 10):
        calls = [(companions.first, stamp), (companions.second, stamp + rng.randint(-3, 3))]
        rng.shuffle(calls)
        for call, when in calls:
            if rng.random() < 0.8:
                out += call(when, when)
    firsts = [item for item, _ in out]
    assert firsts == sorted(set(firsts))
    assert len(firsts) > 230
    assert all(abs(item - other) <= 2 for item, other in out if other is not None)
    assert sum(other is not None for _, other in out) > 100
