import threading
import time

from rtreid_ros.nodes.flow.worker import Worker


def test_newest_item_wins_while_the_worker_is_busy():
    gate, entered, last = threading.Event(), threading.Event(), threading.Event()
    seen, dropped = [], []

    def process(item):
        entered.set()
        gate.wait(5)
        seen.append(item)
        if item == 4:
            last.set()

    worker = Worker(process, depth=1, dropped=dropped.append)
    worker.put(0)
    assert entered.wait(5)
    for item in range(1, 5):
        worker.put(item)
    gate.set()
    assert last.wait(5)
    assert worker.close()
    assert seen == [0, 4]
    assert sum(dropped) == 3


def test_nothing_is_dropped_when_lossless_and_the_bringer_waits():
    seen, finished = [], threading.Event()

    def process(item):
        time.sleep(0.001)
        seen.append(item)
        if item == 99:
            finished.set()

    worker = Worker(process, depth=3, lossless=True, dropped=lambda _: seen.append("dropped"))
    for item in range(100):
        worker.put(item)
    assert len(seen) >= 95  # the last may still wait
    assert finished.wait(5)
    assert worker.close()
    assert seen == list(range(100))


def test_draining_processes_what_waits():
    seen = []

    def process(item):
        time.sleep(0.01)
        seen.append(item)

    worker = Worker(process, depth=10, dropped=lambda _: None)
    for item in range(10):
        worker.put(item)
    assert worker.close(5, drain=True)
    assert seen == list(range(10))
    worker.put(10)
    assert seen == list(range(10))


def test_close_waits_for_the_current_item_only():
    entered, gate = threading.Event(), threading.Event()
    seen = []

    def process(item):
        entered.set()
        gate.wait(5)
        seen.append(item)

    worker = Worker(process, depth=9, dropped=lambda _: None)
    worker.put(1)
    worker.put(2)
    assert entered.wait(5)
    assert not worker.close(0.05)
    gate.set()
    assert worker.close(5)
    assert seen == [1]


def test_one_can_wait_until_all_is_done():
    gate = threading.Event()
    seen = []

    def process(item):
        gate.wait(5)
        seen.append(item)

    worker = Worker(process, depth=9, dropped=lambda _: None)
    assert worker.wait_until_idle(0)
    worker.put(1)
    worker.put(2)
    assert not worker.wait_until_idle(0.05)
    gate.set()
    assert worker.wait_until_idle(5)
    assert seen == [1, 2]
    assert worker.close()
