"""What is given up, and when, on made-up clocks."""

import numpy as np
import pytest

from rtreid_ros.deadline import Deadline, Level


class Stream:
    """A camera of 10 images a second and a machine of given costs, in milliseconds."""

    def __init__(self, deadline, detection=20.0, crop=2.0, tracking=5.0, period=100.0):
        self.deadline = Deadline(deadline)
        self.detection, self.crop, self.tracking, self.period = detection, crop, tracking, period
        self.now, self.image = 0.0, 0.0
        self.embedded, self.ages = [], []

    def frame(self, people=10, delay=0.0):
        """The newest image, `delay` old; how many were embedded, or None for a skipped frame."""
        self.image = max(self.image + self.period, self.now // self.period * self.period)
        self.now = max(self.now, self.image + delay)
        if not self.deadline.admit(self.now - self.image):
            return None
        self._spend(self.detection, self.deadline.detected)
        most = self.deadline.allowed(self.now - self.image)
        count = people if most is None else min(people, most)
        self._spend(count * self.crop, lambda cost: self.deadline.embedded(cost, count))
        self._spend(self.tracking, self.deadline.tracked)
        self.ages.append(self.now - self.image)
        self.deadline.done(self.ages[-1], fewer=count < people)
        self.embedded.append(count)
        return count

    def _spend(self, cost, note):
        self.now += cost
        note(cost)


def test_without_a_deadline_nothing_is_given_up_or_shown():
    stream = Stream(0, detection=5000)
    assert [stream.frame() for _ in range(5)] == [10] * 5
    assert not stream.deadline.active
    assert stream.deadline.level is Level.FULL
    assert stream.deadline.diagnostics() == {}


def test_with_time_enough_everything_is_done():
    stream = Stream(100)
    assert [stream.frame() for _ in range(20)] == [10] * 20
    assert (stream.deadline.missed, stream.deadline.embedded_fewer, stream.deadline.level) == (0, 0, 0)


def test_first_fewer_are_embedded_and_the_deadline_is_met():
    stream = Stream(50)
    counts = [stream.frame(people=40) for _ in range(20)]
    # nobody knows yet what it costs, then the next frame has waited, then (50 - 20 - 5) / 2
    assert counts == [40, 10, *[12] * 18]
    assert (stream.deadline.missed, stream.deadline.embedded_fewer) == (1, 19)
    assert stream.deadline.skipped_frames == 0
    assert stream.deadline.level is Level.FEWER


def test_the_age_of_the_image_on_arrival_counts():
    stream = Stream(50)
    stream.frame(people=10)
    assert stream.frame(people=40, delay=15) == 5  # (50 - 15 - 20 - 5) / 2


def test_frames_embedded_together_share_the_time():
    stream = Stream(50)
    stream.frame(people=10)
    assert [stream.deadline.allowed(25.0, sharing) for sharing in (1, 2, 4)] == [10, 5, 2]


def test_frames_that_would_be_late_in_any_case_are_skipped_but_never_two_in_a_row():
    stream = Stream(20)
    counts = [stream.frame() for _ in range(12)]
    assert counts == [10, *[None, 0] * 5, None]
    deadline = stream.deadline
    assert (deadline.skipped_frames, deadline.missed, deadline.embedded_fewer) == (6, 6, 5)
    assert deadline.level is Level.SKIPPED


def test_a_frame_held_up_on_its_way_is_skipped_and_the_next_is_not():
    stream = Stream(60)
    assert stream.frame() == 10
    assert stream.frame(delay=40) is None
    assert stream.frame() == 10
    assert stream.deadline.missed == 0


def test_one_slow_frame_does_not_change_what_fits():
    stream = Stream(50)
    for _ in range(10):
        stream.frame(people=40)
    stream.crop = 200.0
    stream.frame(people=40)
    stream.crop = 2.0
    stream.now = stream.image + 200.0
    assert [stream.frame(people=40) for _ in range(3)] == [12] * 3


def test_estimates_follow_a_machine_that_becomes_slower_and_faster_again():
    stream = Stream(50)
    for _ in range(10):
        stream.frame(people=40)
    stream.crop = 4.0
    assert [stream.frame(people=40) for _ in range(30)][-1] == 6
    stream.crop = 1.0
    assert [stream.frame(people=40) for _ in range(30)][-1] == 25


def test_an_estimate_that_forbids_everything_is_tried_again():
    stream = Stream(50, crop=100.0)
    stream.frame(people=1)
    assert stream.frame(people=1) == 0
    stream.crop = 2.0
    counts = [stream.frame(people=10) for _ in range(400)]
    assert counts[0] == 0
    assert counts[-1] == 10


def test_costs_of_a_batch_rise_to_what_fits_with_a_fixed_share():
    """A call costs 10 ms and 1 ms per crop: 15 fit into 25 ms, though a crop alone costs 11."""
    stream = Stream(50)
    stream.deadline.embedded(11.0, 1)
    for _ in range(200):
        stream.deadline.admit(0.0)
        count = stream.deadline.allowed(25.0)
        stream.deadline.embedded(10.0 + count, count)
    assert count == pytest.approx(15, abs=6)


def test_the_level_is_that_of_the_last_frames():
    stream = Stream(50)
    for _ in range(5):
        stream.frame(people=40)
    assert stream.deadline.level is Level.FEWER
    for _ in range(30):
        stream.frame(people=3)
    assert stream.deadline.level is Level.FULL
    assert stream.deadline.diagnostics() == {
        "deadline.embedded_fewer": "4",
        "deadline.skipped_frames": "0",
        "deadline.missed": "1",
        "deadline.level": "full",
    }


def test_memory_does_not_grow_and_noise_does_not_disturb():
    rng = np.random.default_rng(0)
    stream = Stream(60)
    for _ in range(2000):
        stream.crop = float(rng.lognormal(np.log(2), 0.5))
        stream.frame(people=20)
    assert np.mean(np.array(stream.ages) <= 60) > 0.65
    assert 8 < np.mean(stream.embedded) < 20
    assert len(stream.deadline.embedding._measured) < 64
