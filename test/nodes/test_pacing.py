import threading
import time

import pytest

from rtreid_ros.nodes.flow.pacing import Backpressure, Pace, ReadAhead


def test_the_window_holds_the_source_until_a_result_comes():
    window = Backpressure(2)
    assert window.enter(1, 0)
    assert window.enter(2, 0)
    assert not window.enter(3, 0.01)
    threading.Timer(0.05, window.returned, [1]).start()
    assert window.enter(3, 5)
    assert window.waiting == 2


def test_a_result_that_comes_early_means_those_before_it_are_lost():
    window = Backpressure(3)
    for stamp in (1, 2, 3):
        window.enter(stamp, 0)
    assert window.returned(3) == 2
    assert window.lost == 2
    assert window.enter(None, 0)


def test_results_of_other_sources_are_ignored():
    window = Backpressure(1)
    window.enter(1, 0)
    assert window.returned(99) == 0
    assert window.waiting == 1


def test_stopping_wakes_who_waits():
    window = Backpressure(1)
    window.enter(1, 0)
    threading.Timer(0.05, window.stop).start()
    begin = time.monotonic()
    assert not window.enter(2, 30)
    assert time.monotonic() - begin < 5


def test_giving_up_counts_what_is_on_its_way():
    window = Backpressure(4)
    window.enter(1, 0)
    window.enter(2, 0)
    window.give_up()
    assert (window.lost, window.waiting) == (2, 0)


def test_frames_are_due_by_their_stamps():
    pace = Pace()
    assert pace.seconds_until(5_000_000_000) == pytest.approx(0, abs=1e-3)
    assert pace.seconds_until(5_100_000_000) == pytest.approx(0.1, abs=0.02)
    assert pace.seconds_until(5_300_000_000) == pytest.approx(0.3, abs=0.02)


def test_a_late_source_becomes_slower_instead_of_bursting():
    pace = Pace()
    pace.seconds_until(0)
    time.sleep(0.2)
    assert pace.seconds_until(100_000_000) == pytest.approx(0, abs=1e-3)
    assert pace.seconds_until(200_000_000) == pytest.approx(0.1, abs=0.02)


def test_reading_ahead_gives_every_item_in_order_and_stays_a_few_ahead():
    read = []

    def numbers():
        for number in range(20):
            read.append(number)
            yield number

    ahead = ReadAhead(numbers(), 3)
    items = iter(ahead)
    assert next(items) == 0
    time.sleep(0.3)
    assert len(read) <= 5  # one taken, three waiting, one in hand
    assert list(items) == list(range(1, 20))
    ahead.close()


def test_what_reading_raises_comes_out_after_the_items_before_it():
    def broken():
        yield 1
        raise OSError("disk gone")

    items = iter(ReadAhead(broken(), 2))
    assert next(items) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(items)


def test_closing_ends_reading_in_the_middle():
    ahead = ReadAhead(iter(int, 1), 2)
    begin = time.monotonic()
    ahead.close()
    assert time.monotonic() - begin < 2
    assert list(ahead) == []
