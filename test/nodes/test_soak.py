"""Most of a minute of what bench/soak_nodes.py does for half an hour."""

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("ros")


def test_most_of_a_minute_of_images_leaves_memory_threads_and_files_as_they_were(domain_id):
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from bench.soak_nodes import report, soak

    result = soak("composed", minutes=0.7, warm_up=0.3, domain_id=domain_id)
    assert result.problems(latency=False) == []
    assert set(result.looks) == {"tracking_node", "visualizer_node", "source_node"}
    assert all(minute.tracks > 0 for minute in result.minutes)
    assert "nothing has grown" in report(result)


def test_growth_beyond_a_limit_is_a_problem(ros):
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    from bench.processes import Usage
    from bench.soak_nodes import Minute, Soak

    def run(memory=0.0, threads=0, files=0, latency=0.0):
        looks = [
            Usage(100 + memory * n / 100, 200, 20 + threads * (n > 50), 25 + files * (n > 50), 0.0)
            for n in range(101)
        ]
        minutes = [Minute(1800, 1800, 20.0, 40.0 + latency * n) for n in range(10)]
        return Soak("composed", 1.0, 1.0, minutes, [6.0 * n for n in range(101)], {"node": looks})

    assert run().problems() == []
    assert "memory has grown by 8" in run(memory=12.0).problems()[0]
    assert run(threads=1).problems() == ["node: 1 threads more"]
    assert run(files=3).problems() == ["node: 3 files more"]
    assert "latency p99 went from" in run(latency=5.0).problems()[0]
    assert run(latency=5.0).problems(latency=False) == []
