"""Re-ranking against the paper's equations written plainly."""

import numpy as np
import pytest
from support.retrieval import rerank as plain_rerank

from rtreid_ros.errors import ConfigError
from rtreid_ros.evaluation.retrieval import (
    Features,
    RerankOptions,
    jaccard_pairs,
    judge_distances,
    judge_retrieval,
    rerank,
    reranking,
)
from rtreid_ros.options import build


def crowd(seed, count, people, dim=16, noise=0.6):
    """Vectors around those of `people`, and who they are."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, people, count)
    vectors = rng.standard_normal((people, dim))[who] + noise * rng.standard_normal((count, dim))
    return vectors.astype(np.float32), who


def halves(vectors, who, queries):
    cameras = np.arange(len(who)) < queries
    whole = Features(vectors, who, cameras)
    return whole[:queries], whole[queries:]


@pytest.mark.parametrize("weighting", ["exp", "softmax"])
@pytest.mark.parametrize(
    ("k1", "k2", "share"), [(20, 6, 0.3), (7, 3, 0.0), (5, 1, 0.5), (4, 9, 0.3), (1, 1, 0.3), (200, 200, 0.3)]
)
def test_equals_the_equations(k1, k2, share, weighting, monkeypatch):
    monkeypatch.setattr(reranking, "_BLOCK", 32)  # several blocks
    monkeypatch.setattr(reranking, "_PAIRS", 100)
    vectors, who = crowd(k1, 110, 12)
    query, gallery = halves(vectors, who, 25)
    mine = rerank(query, gallery, RerankOptions(k1, k2, share, weighting))
    expected = plain_rerank(vectors, 25, k1, k2, share, weighting == "softmax")
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, expected, atol=2e-6)


@pytest.mark.parametrize("weighting", ["exp", "softmax"])
def test_pairs_are_the_jaccard_distances_below_one(weighting):
    vectors, who = crowd(8, 90, 9)
    features = Features(vectors, who, np.zeros(90))
    rows, columns, distances = jaccard_pairs(features.unit(), RerankOptions(7, 3, weighting=weighting))
    assert (rows < columns).all()
    whole = np.ones((90, 90))
    whole[rows, columns] = whole[columns, rows] = distances
    expected = plain_rerank(vectors, 40, 7, 3, 0.0, weighting == "softmax")
    np.testing.assert_allclose(whole[:40, 40:], expected, atol=2e-6)
    assert 0 < len(rows) < 90 * 89 / 2  # most pairs share nothing


def test_of_equally_near_neighbours_the_first_count():
    rng = np.random.default_rng(1)
    vectors = rng.choice([-1.0, 1.0], (90, 16)).astype(np.float32)  # exact in single precision
    vectors[40:52] = vectors[0]  # more of the same than neighbours are looked at; each is its own first
    query, gallery = halves(vectors, np.zeros(90), 20)
    mine = rerank(query, gallery, RerankOptions(k1=6, k2=3))
    np.testing.assert_allclose(mine, plain_rerank(vectors, 20, 6, 3, 0.3), atol=2e-6)


def test_pictures_that_are_all_alike_stay_so():
    query, gallery = halves(np.ones((9, 4), np.float32), np.zeros(9), 3)
    distances = rerank(query, gallery)
    assert np.isfinite(distances).all()
    assert np.ptp(distances) == pytest.approx(0, abs=1e-6)


def test_finds_more_in_clusters_than_plain_distances_and_says_so():
    vectors, who = crowd(2, 600, 30, dim=24, noise=1.1)
    query, gallery = halves(vectors, who, 100)
    plain = judge_retrieval(query, gallery)
    options = RerankOptions()
    better = judge_distances(rerank(query, gallery, options), query, gallery, tricks=(options.name,))
    assert better.map > plain.map + 0.05
    assert better.tricks == ("re-ranked (k1 20, k2 6, lambda 0.3)",)


def test_identities_are_not_looked_at():
    vectors, who = crowd(3, 60, 6)
    one = rerank(*halves(vectors, who, 10))
    other = rerank(*halves(vectors, who[::-1], 10))
    np.testing.assert_array_equal(one, other)


def test_bad_options_are_refused():
    with pytest.raises(ConfigError, match=r"share must be a number >= 0 and <= 1, got 1\.5"):
        build(RerankOptions, {"share": 1.5})
    with pytest.raises(ConfigError, match="no option 'k3'"):
        build(RerankOptions, {"k3": 1})
