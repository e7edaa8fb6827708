"""A live stream: an HTTP camera on this machine, which also vanishes and returns."""

import logging
import time

import pytest
from support.http_camera import Camera
from support.waiting import until

from rtreid_ros.errors import SourceError
from rtreid_ros.sources import open_source
from rtreid_ros.sources.camera import CameraSource


@pytest.fixture
def camera():
    made = Camera()
    yield made
    made.stop()


def test_a_slow_reader_sees_the_present_and_knows_what_it_missed(camera):
    before = time.time_ns()
    with open_source(camera.url()) as source:
        assert source.size == (48, 64)
        assert source.length is None
        assert source.name == f"127_0_0_1_{camera.port}_live_mjpg"
        frames = iter(source)
        first = next(frames)
        sent = camera.sent
        until(lambda: camera.sent >= sent + 30, 20, "the camera to send 30 pictures")
        newest = next(frames)
    assert newest.index - first.index >= 15  # some may still be on their way
    assert source.lost >= newest.index - first.index - 1
    assert before < first.stamp_ns < newest.stamp_ns < time.time_ns() + 10**9


def test_a_stream_that_vanishes_is_opened_again(caplog):
    camera = Camera()
    source = CameraSource(camera.url(), patience=30)
    frames = iter(source)
    next(frames)
    camera.stop()
    time.sleep(1)
    returned = Camera(port=camera.port)
    try:
        with caplog.at_level(logging.WARNING):
            deadline = time.monotonic() + 20
            while source.reconnects == 0 and time.monotonic() < deadline:
                next(frames)
            stamps = [next(frames).stamp_ns for _ in range(3)]
    finally:
        source.close()
        returned.stop()
    assert source.reconnects >= 1
    assert stamps == sorted(set(stamps))
    assert "opening it again" in caplog.text
    assert "secret" not in caplog.text


def test_a_stream_that_stays_away_ends_with_an_error():
    camera = Camera()
    source = CameraSource(camera.url(), patience=1.0)
    camera.stop()
    with pytest.raises(SourceError, match=r"no frame for \d+ s, giving up"):
        for _ in source:
            pass
    source.close()


def test_nobody_there_is_an_error_at_once():
    with pytest.raises(SourceError, match="no camera or stream answers"):
        open_source("http://127.0.0.1:9/live.mjpg")
    with pytest.raises(SourceError, match="no camera or stream answers"):
        open_source("/dev/video99")
