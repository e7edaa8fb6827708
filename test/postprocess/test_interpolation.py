"""Filling gaps, linearly and along a Gaussian process."""

import numpy as np
import pytest

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.evaluation.mot_text import MotTable, read_mot
from rtreid_ros.postprocess.interpolation import (
    interpolate_gaussian,
    interpolate_linear,
    length_scale,
    smooth,
)

METHODS = [interpolate_linear, interpolate_gaussian]


@pytest.fixture
def table(tmp_path):
    """A table of rows (frame, id, x, y, w, h, score)."""

    def make(*rows):
        path = tmp_path / "tracks.txt"
        path.write_text("".join(",".join(map(str, (*row, -1, -1, -1))) + "\n" for row in rows))
        return read_mot(path)

    return make


def walk(frames, track=1, seed=0, jitter=1.0):
    """Rows of somebody who walks a curve at those frames, with a detector's jitter."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, jitter, (len(frames), 4))
    return [
        (f, track, 3 * f + n[0], 100 + 40 * np.sin(f / 20) + n[1], 40 + n[2], 90 + n[3], 0.5 + 0.001 * f)
        for f, n in zip(frames, noise, strict=True)
    ]


def test_linear_filling_by_hand(table):
    filled = interpolate_linear(table((1, 7, 0, 10, 20, 40, 0.9), (5, 7, 8, 30, 24, 40, 0.5)), 3)
    assert filled.frames.tolist() == [1, 2, 3, 4, 5]
    assert filled.ids.tolist() == [7] * 5
    expected = [[0, 10, 20, 40], [2, 15, 21, 40], [4, 20, 22, 40], [6, 25, 23, 40], [8, 30, 24, 40]]
    np.testing.assert_allclose(filled.boxes, expected, atol=1e-12)
    np.testing.assert_allclose(filled.scores, [0.9, 0.8, 0.7, 0.6, 0.5], atol=1e-12)


def test_linear_filling_leaves_the_boxes_given_as_they_are(table):
    given = table(*walk([1, 2, 5, 9], 1), *walk([2, 3, 4, 30], 2))
    filled = interpolate_linear(given, 20)
    there = {(f, i): tuple(b) for f, i, b in zip(filled.frames, filled.ids, filled.boxes, strict=True)}
    assert all(there[f, i] == tuple(b) for f, i, b in zip(given.frames, given.ids, given.boxes, strict=True))
    assert len(filled) == 8 + 5  # the gap of 25 frames stays


def test_tracks_do_not_mix(table):
    filled = interpolate_linear(table((1, 1, 0, 0, 9, 9, 1), (3, 2, 50, 0, 9, 9, 1)), 20)
    assert filled.frames.tolist() == [1, 3]


@pytest.mark.parametrize("method", METHODS)
def test_gaps_up_to_the_limit_are_filled_and_longer_ones_stay_open(table, method):
    rows = walk([1, 2, 3, 7, 8, 13, 14])  # 3 and 4 frames missing
    assert method(table(*rows), 3).frames.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 13, 14]
    assert method(table(*rows), 0).frames.tolist() == [1, 2, 3, 7, 8, 13, 14]


@pytest.mark.parametrize("method", METHODS)
def test_rows_come_by_frame_then_id(table, method):
    filled = method(table(*walk([1, 4], 9), *walk([1, 4], 3)), 20)
    assert filled.frames.tolist() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert filled.ids.tolist() == [3, 9] * 4


@pytest.mark.parametrize("method", METHODS)
def test_an_empty_table_stays_empty(method):
    assert len(method(MotTable.empty(), 20)) == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_single_box_stays_as_it_is(table, method):
    filled = method(table((4, 2, 1.5, 2, 3, 4, 0.6)), 20)
    np.testing.assert_array_equal(filled.boxes, [[1.5, 2, 3, 4]])
    assert (filled.frames.tolist(), filled.ids.tolist(), filled.scores.tolist()) == ([4], [2], [0.6])


@pytest.mark.parametrize("method", METHODS)
def test_an_id_twice_in_a_frame_is_no_track(table, method):
    with pytest.raises(InputError, match="id -1 occurs twice in frame 2"):
        method(table((2, -1, 0, 0, 9, 9, 1), (2, -1, 50, 0, 9, 9, 1)), 20)


def test_limits_that_make_no_sense_are_refused(table):
    given = table(*walk([1, 2]))
    with pytest.raises(ConfigError, match="max_gap must be an integer >= 0, got -1"):
        interpolate_linear(given, -1)
    with pytest.raises(ConfigError, match="tau must be positive, got 0"):
        interpolate_gaussian(given, 20, 0)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [(10, 10 * np.log(100)), (100, 10 * np.log(10)), (999, 10 * np.log(1000 / 999)), (5000, 0.1)],
)
def test_the_length_scale_is_the_papers(frames, expected):
    assert length_scale(frames, 10.0) == pytest.approx(max(expected, 0.1))


def dense_process(values, tau, noise):
    """The textbook: expectation of a Gaussian process at its own observations, around a fitted line."""
    count = len(values)
    scale = np.clip(tau * np.log(tau**3 / count), 1 / tau, tau**2)
    times = np.arange(count, dtype=float)
    columns = []
    for column in values.T:
        line = np.polyval(np.polyfit(times, column, 1), times)
        kernel = np.exp(-((times[:, None] - times[None]) ** 2) / (2 * scale**2))
        columns.append(line + kernel @ np.linalg.solve(kernel + noise * np.eye(count), column - line))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("count", [3, 4, 17, 60, 200])
@pytest.mark.parametrize("noise", [1e-6, 1e-2])
def test_smoothing_equals_a_dense_gaussian_process(count, noise):
    values = np.array([row[2:6] for row in walk(range(1, count + 1))])
    np.testing.assert_allclose(smooth(values, 10.0, noise), dense_process(values, 10.0, noise), atol=1e-4)


def test_long_runs_are_smoothed_in_pieces_that_fit_together():
    count = 1500  # at tau 14: a scale of 8.5 frames, three pieces
    values = np.array([row[2:6] for row in walk(range(1, count + 1))])
    np.testing.assert_allclose(smooth(values, 14.0), dense_process(values, 14.0, 1e-6), atol=2e-3)


def test_a_track_of_twenty_thousand_frames_is_smoothed_in_bounded_memory():
    import tracemalloc  # noqa: PLC0415

    values = np.array([row[2:6] for row in walk(range(1, 20_001))])
    tracemalloc.start()
    smoothed = smooth(values, 30.0)  # a scale of 9 frames
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6  # one dense matrix has 3.2 GB
    assert np.abs(np.diff(smoothed[:, 0], 2)).mean() < np.abs(np.diff(values[:, 0], 2)).mean() / 4


def test_gaussian_smoothing_takes_jitter_out_and_bends_with_the_way(table):
    frames = [f for f in range(1, 121) if not 50 < f <= 65]
    exact = np.array([row[2:6] for row in walk(range(1, 121), jitter=0)])
    smoothed = interpolate_gaussian(table(*walk(frames, jitter=2.0)), 20)
    straight = interpolate_linear(table(*walk(frames, jitter=2.0)), 20)

    def error(filled):
        return np.sqrt(((filled.boxes[:, :2] - exact[:, :2]) ** 2).mean())

    assert smoothed.frames.tolist() == list(range(1, 121))
    assert error(smoothed) < 0.7 * error(straight)


def test_smoothing_stops_at_long_gaps(table):
    """What lies behind a long gap has no part in what is before it."""
    before = walk(range(1, 30))
    alone = interpolate_gaussian(table(*before), 20)
    both = interpolate_gaussian(table(*before, *walk(range(60, 90), seed=1)), 20)
    np.testing.assert_array_equal(both.boxes[:29], alone.boxes)


def test_smoothing_twice_gives_the_same_bytes(table):
    given = table(*walk([f for f in range(1, 200) if f % 9]))
    first, second = interpolate_gaussian(given, 20), interpolate_gaussian(given, 20)
    assert first.boxes.tobytes() == second.boxes.tobytes()


def test_sizes_never_become_negative(table):
    rows = [(f, 1, 0, 0, 0.0 if f % 2 else 30.0, 50, 1) for f in range(1, 6)]
    assert (interpolate_gaussian(table(*rows), 20).boxes[:, 2:] >= 0).all()
