"""A minute of what bench/soak_nodes.py does for half an hour."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2]))

pytestmark = pytest.mark.usefixtures("ros")


def test_a_minute_of_images_leaves_memory_threads_and_files_as_they_were(
    domain_id, other_domain_id, monkeypatch
):
    from bench.soak_nodes import soak
    from bench.soak_report import report

    # memory that is free is given back at once: what then grows is in use
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", str(2**16))
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", str(2**17))

    def run(shape, domain_id):
        return soak(shape, minutes=1.0, warm_up=0.3, domain_id=domain_id, rate=10.0)

    with (
        ThreadPoolExecutor() as pool
    ):  # at a third of the rate of the bench two cores do both with time to spare
        composed, distributed = pool.map(run, ("composed", "distributed"), (domain_id, other_domain_id))
    assert set(composed.looks) == {"tracking_node", "visualizer_node", "source_node"}
    assert set(distributed.looks) == {
        *("detector_node", "embedder_node", "tracker_node", "visualizer_node", "source_node")
    }
    for result in (composed, distributed):
        assert result.problems(latency=False) == []
        assert all(minute.tracks > 0 for minute in result.minutes)
        assert "nothing has grown" in report(result)


def run(memory=0.0, threads=0, files=0, latency=0.0, settling=0.0):
    """Ten minutes, the first to warm up, of a process that grows by `memory` MB in that time.

    `settling` MB more come in the first half alone.
    """
    from bench.processes import Usage
    from bench.soak_result import Minute, Soak

    looks = [
        Usage(
            100 + memory * n / 100 + settling * min(n / 50, 1) + 0.01 * (n % 7),
            *(200, 20 + threads * (n > 50), 25 + files * (n > 50), 0.0),
        )
        for n in range(101)
    ]
    minutes = [Minute(1800, 1800, 20.0, 40.0 + latency * n) for n in range(10)]
    return Soak("composed", 1.0, 1.0, minutes, [6.0 * n for n in range(101)], {"node": looks})


def test_growth_beyond_a_limit_is_a_problem():
    assert run().problems() == []
    assert "memory has grown by 8" in run(memory=12.0).problems()[0]
    assert run(threads=1).problems() == ["node: 1 threads more"]
    assert run(files=3).problems() == ["node: 3 files more"]
    assert "latency p99 went from" in run(latency=5.0).problems()[0]
    assert run(latency=5.0).problems(latency=False) == []


def test_growth_is_told_by_the_hour_and_for_days():
    from bench.soak_report import outlook

    leak = run(memory=2.0)
    for half in (False, True):
        trend = leak.trend("node", later_half=half)
        assert trend.per_hour == pytest.approx(12, abs=0.5)
        assert trend.per_day == (24 * (trend.per_hour - trend.margin), 24 * (trend.per_hour + trend.margin))
    assert outlook(leak).startswith(
        "Still growing in the later half, so much a day if it goes on: node by +1"
    )
    assert leak.problems() == []  # small enough for ten minutes, and yet no secret

    settled = run(settling=2.0)
    assert settled.trend("node").per_hour > 5
    assert abs(settled.trend("node", later_half=True).per_hour) < 0.5
    assert outlook(settled).startswith("No process grows for certain in the later half; node may by up to ")


def test_a_short_run_says_nothing_about_days():
    from bench.soak_report import document

    short = run(memory=20.0)
    for looks, slope in ((80, " ± "), (13, " - |")):  # too short for days, and even for a line
        short.times, short.looks = short.times[:looks], {"node": short.looks["node"][:looks]}
        text = document(short, "Composed")
        assert "The run was too short to say anything about days." in text.replace("\n", " ")
        assert slope in text
