"""Frames of several cameras wait for one thread."""

import threading
import time

from support.waiting import until

from rtreid_ros.nodes.flow.inbox import Inbox
from rtreid_ros.nodes.flow.worker import BatchWorker


def test_the_newest_of_each_camera_wins_and_what_went_is_told():
    gone = []
    inbox = Inbox(["a", "b"], dropped=lambda *what: gone.append(what))
    for item in (1, 2, 3):
        inbox.put("a", item)
    inbox.put("b", 4)
    assert gone == [("a", 1), ("a", 1)]
    assert inbox.take(2) == [("a", 3), ("b", 4)]


def test_no_camera_has_a_second_turn_before_the_others():
    inbox = Inbox(["a", "b", "c"], depth=9)
    for _ in range(3):
        for camera in ("a", "b", "c"):
            inbox.put(camera, camera)
    turns = [inbox.take()[0][0] for _ in range(4)] + [name for name, _ in inbox.take(2)]
    assert turns == ["a", "b", "c", "a", "b", "c"]
    inbox.put("c", "c")
    inbox.put("c", "c")
    assert [name for name, _ in inbox.take(3)] == ["a", "b", "c"]


def test_one_that_floods_costs_the_others_no_frame():
    seen, gone = {"flood": [], "calm": []}, {"flood": 0, "calm": 0}

    def process(items):
        time.sleep(0.002)
        for camera, item in items:
            seen[camera].append(item)

    def dropped(camera, count):
        gone[camera] += count

    inbox = Inbox(["flood", "calm"], dropped=dropped)
    worker = BatchWorker(process, inbox)
    for number in range(20):
        for _ in range(50):
            inbox.put("flood", number)
        inbox.put("calm", number)
        until(lambda number=number: number in seen["calm"], 5, "the calm camera's turn")
    assert worker.close(5)
    assert (seen["calm"], gone["calm"]) == (list(range(20)), 0)
    assert gone["flood"] > 20


def test_a_window_brings_frames_together_that_come_together():
    inbox = Inbox(["a", "b"])
    inbox.put("a", 0)
    inbox.put("b", 0)
    inbox.take(2)
    inbox.put("a", 1)
    threading.Timer(0.05, inbox.put, ("b", 1)).start()
    assert inbox.take(2, window=5.0) == [("a", 1), ("b", 1)]


def test_the_window_ends_also_when_the_others_do_not_come():
    inbox = Inbox(["a", "b"])
    inbox.put("b", 0)
    inbox.take()
    inbox.put("a", 1)
    begin = time.monotonic()
    assert inbox.take(2, window=0.1) == [("a", 1)]
    assert time.monotonic() - begin >= 0.09


def test_a_camera_that_is_silent_is_not_waited_for():
    inbox = Inbox(["a", "silent"])
    inbox.put("a", 1)
    begin = time.monotonic()
    assert inbox.take(2, window=5.0) == [("a", 1)]
    assert time.monotonic() - begin < 2


def test_a_camera_that_is_not_ready_keeps_its_frames_and_others_go_on():
    ready = set("a")
    inbox = Inbox(["a", "b"], depth=2, ready=ready.__contains__)
    inbox.put("b", 1)
    inbox.put("a", 2)
    assert inbox.take(2) == [("a", 2)]
    threading.Timer(0.05, ready.add, "b").start()
    assert inbox.take(2) == [("b", 1)]


def test_a_blocking_one_keeps_everything_and_its_order():
    inbox = Inbox(["a", "b"], depth=2, blocking=True)
    seen = []
    worker = BatchWorker(seen.extend, inbox, most=2)
    for number in range(50):
        inbox.put("a", number)
        inbox.put("b", number)
    assert inbox.wait_until_idle(5)
    assert worker.close(5)
    for camera in ("a", "b"):
        assert [item for name, item in seen if name == camera] == list(range(50))


def test_closing_frees_who_waits_to_bring_or_to_take():
    inbox = Inbox(["a"], blocking=True)
    inbox.put("a", 1)
    bringer = threading.Thread(target=inbox.put, args=("a", 2), daemon=True)
    bringer.start()
    taken = threading.Event()
    empty = Inbox(["a"], taken=taken.set)
    taker = threading.Thread(target=empty.take, daemon=True)
    taker.start()
    inbox.close()
    empty.close()
    for thread in (bringer, taker):
        thread.join(5)
        assert not thread.is_alive()
    assert inbox.take() == []
    assert not taken.is_set()


def test_idle_means_that_nothing_waits_and_nothing_is_worked_on():
    gate, entered = threading.Event(), threading.Event()

    def process(_):
        entered.set()
        gate.wait(5)

    inbox = Inbox(["a"])
    worker = BatchWorker(process, inbox)
    assert worker.wait_until_idle(5)
    inbox.put("a", 1)
    assert entered.wait(5)
    assert not worker.wait_until_idle(0.05)
    gate.set()
    assert worker.wait_until_idle(5)
    assert worker.close(5)


class Slow(str):
    """A name that others run beside while it is looked up."""

    __slots__ = ()

    def __hash__(self):
        time.sleep(0.0005)
        return super().__hash__()


def test_bringing_and_taking_at_the_same_time_loses_nothing():
    names, count = ["front", "rear"], 300
    inbox, failures = Inbox([Slow(name) for name in names], depth=4, blocking=True), []

    def bring(name):
        try:
            for number in range(count):
                time.sleep(0.0003)
                inbox.put(name, number)
        except Exception as error:
            failures.append(error)
            inbox.close()

    for name in names:
        threading.Thread(target=bring, args=(name,), daemon=True).start()
    got = {name: [] for name in names}
    while not failures and sum(map(len, got.values())) < len(names) * count:
        for name, number in inbox.take(len(names)):
            got[str(name)].append(number)
    assert not failures
    assert got == {name: list(range(count)) for name in names}
