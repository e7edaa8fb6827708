"""Structures of arrays, and what is remembered of observations."""

from dataclasses import dataclass

import numpy as np
import pytest

from rtreid_ros.tracking.observations import Observations, direction
from rtreid_ros.tracking.rows import Rows


@dataclass(slots=True)
class Inner(Rows):
    place: np.ndarray


@dataclass(slots=True)
class Outer(Rows):
    name: np.ndarray
    inner: Inner


def some(*names):
    numbers = np.array(names, float)
    return Outer(numbers, Inner(np.stack([numbers, -numbers], axis=1)))


def assert_holds(rows, *names):
    assert len(rows) == len(names)
    np.testing.assert_array_equal(rows.name, names)
    np.testing.assert_array_equal(rows.inner.place, some(*names).inner.place)


def test_rows_are_appended_and_dropped_together_with_nested_ones():
    rows = some(1, 2, 3)
    rows.extend(some(4, 5))
    assert_holds(rows, 1, 2, 3, 4, 5)
    rows.keep(np.array([True, False, True, False, True]))
    assert_holds(rows, 1, 3, 5)
    rows.keep(np.zeros(3, bool))
    assert_holds(rows)


def test_what_is_taken_is_a_copy():
    rows = some(1, 2, 3)
    taken = rows.take(np.array([2, 0]))
    assert isinstance(taken, Outer)
    assert_holds(taken, 3, 1)
    taken.name[:] = 9
    taken.inner.place[:] = 9
    assert_holds(rows, 1, 2, 3)


def test_rows_are_overwritten_in_place():
    rows = some(1, 2, 3)
    place = rows.inner.place
    rows.put(np.array([2, 0]), some(7, 8))
    assert_holds(rows, 8, 2, 7)
    assert rows.inner.place is place


# ------------------------------------------------------------------- observations


def observed(times, window):
    """One track seen at those times, at the place (time, 0)."""
    seen = Observations.of(np.array([[times[0], 0]], np.float32), times[0], window)
    for time in times[1:]:
        seen.add(np.array([0]), np.array([[time, 0]], np.float32), time)
    return seen


@pytest.mark.parametrize(
    ("times", "now", "expected"),
    [
        (range(11), 11, 8),  # every frame: three frames ago
        ([0, 5, 10], 11, 10),  # only the last lies in the window
        ([0, 8, 9], 11, 8),
        ([0, 9], 11, 9),  # the oldest in the window is younger
        ([0, 1, 2], 11, 2),  # none in the window: the newest of all
        ([0], 11, 0),
    ],
)
def test_the_oldest_observation_of_the_window_is_found_else_the_newest(times, now, expected):
    """OC-SORT's delta_t of 3 frames: of the observations 3, 2, 1 frames ago, the first there is."""
    assert observed([float(t) for t in times], 3.0).since(now - 3.0)[0, 0] == expected


def test_with_a_window_of_nothing_the_last_observation_counts():
    assert observed([0.0, 1.0, 2.0], 0.0).since(3.0)[0, 0] == 2


@pytest.mark.parametrize("rate", [2, 4, 10])
def test_more_frames_than_nominal_leave_the_window_as_long(rate):
    seen = observed([k / rate for k in range(10 * rate + 1)], 3.0)
    assert seen.since(10.25 - 3.0)[0, 0] == pytest.approx(7.25, abs=0.75)
    assert seen.centers.shape[1] == 5  # three frames, both ends, and the one not yet a frame old


def test_tracks_remember_apart():
    seen = Observations.of(np.zeros((3, 2), np.float32), 0.0, 3.0)
    for time in range(1, 6):
        rows = np.array([0, 2]) if time % 2 else np.array([1])
        seen.add(rows, np.column_stack([10 * rows + time, rows]).astype(np.float32), float(time))
    np.testing.assert_array_equal(seen.since(2.0), [[3, 0], [12, 1], [23, 2]])


def test_the_camera_moves_all_observations():
    seen = observed([0.0, 1.0, 2.0], 3.0)
    seen.warp(np.array([[0.0, -1, 5], [1, 0, 7]]))
    np.testing.assert_array_equal(seen.centers[0, :3], [[5, 9], [5, 8], [5, 7]])


def test_directions_have_unit_length_or_none():
    start, end = np.zeros((3, 2), np.float32), np.array([[3, 4], [0, 0], [-1e-3, 0]], np.float32)
    np.testing.assert_allclose(direction(start, end), [[0.6, 0.8], [0, 0], [-1, 0]], atol=1e-6)
