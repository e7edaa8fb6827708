"""What killed processes leave in shared memory."""

import fcntl
import os
import time

import pytest

from rtreid_ros.nodes.shared_memory import free_leftovers


@pytest.fixture
def segment(tmp_path):
    """Makes a segment with its lock, of which the latter is a while old."""

    def make(name, age=3600.0):
        path, lock = tmp_path / name, tmp_path / f"{name}_el"
        path.write_bytes(bytes(1000))
        lock.touch()
        os.utime(lock, (time.time() - age,) * 2)
        return path, lock

    return make


def test_segments_of_dead_processes_are_removed(segment, tmp_path):
    segment("fastdds_00413b1f3e02f6a3")
    segment("fastdds_043e1c1cfd4e6c5c")
    assert free_leftovers(tmp_path) == 2000
    assert list(tmp_path.iterdir()) == []


def test_those_of_living_processes_and_of_others_stay(segment, tmp_path):
    _, lock = segment("fastdds_00413b1f3e02f6a3")
    segment("fastdds_043e1c1cfd4e6c5c", age=1.0)
    segment("fastdds_port7002")
    segment("other_00413b1f3e02f6a3")
    (tmp_path / "fastdds_0fc166fa334d0ffc").write_bytes(bytes(1000))
    before = sorted(tmp_path.iterdir())
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert free_leftovers(tmp_path) == 0
    assert sorted(tmp_path.iterdir()) == before


def test_where_there_is_no_shared_memory_nothing_happens(tmp_path):
    assert free_leftovers(tmp_path / "none") == 0


def test_a_living_node_keeps_its_segment(ros, peer):
    from std_msgs.msg import String

    got = peer.collect(String, "kept")
    publisher = peer.publisher(String, "kept")
    free_leftovers()
    publisher.publish(String(data="still here"))
    deadline = time.monotonic() + 10
    while not got and time.monotonic() < deadline:
        time.sleep(0.02)
    assert got[0].data == "still here"
