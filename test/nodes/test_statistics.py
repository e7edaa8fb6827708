import time

import pytest

from rtreid_ros.nodes.flow.statistics import LATENCY_WINDOW, Statistics, Throttle
from rtreid_ros.stages import Span


def test_snapshot_tells_counts_rate_and_percentiles():
    statistics = Statistics()
    statistics.count("received", 3)
    statistics.count("dropped")
    for value in range(101):
        statistics.processed(latency=float(value))
    snapshot = statistics.snapshot()
    assert (snapshot["received"], snapshot["dropped"], snapshot["processed"]) == ("3", "1", "101")
    assert snapshot["latency_p50_ms"] == "50.00"
    assert snapshot["latency_p99_ms"] == "99.00"
    assert float(snapshot["rate_hz"]) > 0


def test_latencies_are_those_of_a_bounded_window():
    statistics = Statistics()
    statistics.processed(latency=1e6)
    for _ in range(LATENCY_WINDOW):
        statistics.processed(latency=1.0)
    assert statistics.snapshot()["latency_p99_ms"] == "1.00"


def test_a_stage_that_ran_twice_for_one_image_counts_with_the_sum():
    statistics = Statistics()
    statistics.took(
        [Span("wait", 0, 2_000_000), Span("detect", 2_000_000, 9_000_000), Span("wait", 10**7, 13 * 10**6)]
    )
    snapshot = statistics.snapshot()
    assert (snapshot["stage.wait_p50_ms"], snapshot["stage.wait_p99_ms"]) == ("5.00", "5.00")
    assert snapshot["stage.detect_p50_ms"] == "7.00"


def test_rate_is_that_of_the_intervals():
    statistics = Statistics()
    for _ in range(6):
        statistics.processed()
        time.sleep(0.02)
    assert 20 < float(statistics.snapshot()["rate_hz"]) <= 50


def test_a_counter_nobody_shows_is_refused():
    with pytest.raises(ValueError, match="no counter 'drops'"):
        Statistics().count("drops")


def test_throttle_holds_back_by_key_and_tells_how_many():
    throttle = Throttle(0.1)
    assert throttle("a", "first") == "first"
    assert throttle("a", "second") is None
    assert throttle("a", "third") is None
    assert throttle("b", "other") == "other"
    time.sleep(0.11)
    assert throttle("a", "fourth") == "fourth (and 2 more like it)"
    time.sleep(0.11)
    assert throttle("a", "fifth") == "fifth"
