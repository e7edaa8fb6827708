"""Histograms of milliseconds add up."""

import json

import numpy as np
import pytest

from rtreid_ros.histogram import Histogram


def test_counts_lie_in_their_bins():
    values = [0.5, 0.5, 2.0, 30.0]
    histogram = Histogram.of(values)
    assert histogram.total == 4
    assert histogram.low <= 0.5 < 30 < histogram.high
    assert histogram.counts[0] == 2
    assert histogram.counts[-1] == 1
    places = np.flatnonzero(histogram.counts)
    for value, place in zip([0.5, 2.0, 30.0], places, strict=True):
        assert histogram.edges[place] <= value <= histogram.edges[place + 1]


def test_quantiles_are_right_to_a_bin():
    values = np.random.default_rng(0).lognormal(0.0, 1.0, 20_000)
    histogram = Histogram.of(values)
    for share in (0.05, 0.5, 0.95, 0.99):
        assert histogram.quantile(share) == pytest.approx(np.quantile(values, share), rel=0.07)


def test_the_sum_is_that_of_all_values():
    parts = [[0.1, 0.2, 0.2], [5.0, 0.15], []]
    added = Histogram.sum(Histogram.of(part) for part in parts)
    whole = Histogram.of([value for part in parts for value in part])
    np.testing.assert_array_equal(added.counts, whole.counts)
    np.testing.assert_allclose(added.edges, whole.edges)


def test_json_keeps_everything():
    histogram = Histogram.of([0.0371, 0.9, 4.4, 1000.0])
    again = Histogram.from_dict(json.loads(json.dumps(histogram.as_dict())))
    np.testing.assert_array_equal(again.counts, histogram.counts)
    np.testing.assert_array_equal(again.edges, histogram.edges)


def test_nothing_and_values_beyond_the_bins_are_counted_too():
    assert Histogram.of([]).total == 0
    assert np.isnan(Histogram.of([]).quantile(0.5))
    assert Histogram.from_dict(Histogram.of([]).as_dict()).total == 0
    assert Histogram.of([0.0, 1e12]).total == 2


@pytest.mark.parametrize("content", [{"from_ms": 1, "counts": [[1]]}, {"from_ms": 1e9, "counts": [1]},
                                     {"from_ms": 1, "counts": [-1]}])  # fmt: skip
def test_what_is_no_histogram_is_refused(content):
    with pytest.raises(ValueError, match="not a histogram"):
        Histogram.from_dict(content)
