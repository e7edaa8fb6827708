"""Clusters of pictures, with and without knowing who is who."""

import numpy as np
import pytest

from rtreid_ros.errors import InputError
from rtreid_ros.reid.adaptation.clusters import ClusterOptions, cluster, eps_of, keep_apart, whole_tracklets
from rtreid_ros.reid.adaptation.density import NOISE, Pairs
from rtreid_ros.reid.adaptation.links import Links
from rtreid_ros.reid.adaptation.quality import agreement, silhouette

SMALL = ClusterOptions(k1=6, k2=2)


def crowd(seed, people, each, noise=0.25, dim=24):
    """Unit vectors of people, a fixed number of each, and who they are."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(people), each)
    vectors = rng.standard_normal((people, dim))[who] + noise * rng.standard_normal((len(who), dim))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), who


@pytest.mark.parametrize(("rule", "noise"), [("silhouette", 0.1), ("neighbours", 0.5), ("pairs", 0.1)])
def test_people_are_found(rule, noise):
    vectors, who = crowd(0, people=15, each=8)
    found = cluster(vectors, ClusterOptions(k1=6, k2=2, rule=rule, share=1 / 15))
    assert agreement(found.labels, who) > 0.95
    assert found.noise <= noise
    assert found.sizes.sum() == np.count_nonzero(found.labels != NOISE)


def test_a_given_eps_is_taken():
    vectors, _ = crowd(1, people=8, each=6)
    assert cluster(vectors, ClusterOptions(k1=6, k2=2, eps=0.37)).eps == 0.37
    assert cluster(vectors, ClusterOptions(k1=6, k2=2, eps=0.001)).noise == 1


def test_eps_is_the_quantile_of_the_distances_that_make_cores():
    rows, columns = np.triu_indices(4, 1)
    distances = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], np.float32)  # 01 02 03 12 13 23
    pairs = Pairs(4, rows, columns, distances)
    second = [0.1, 0.1, 0.2, 0.3]
    for quantile in (0, 0.5, 1):
        options = ClusterOptions(least=2, rule="neighbours", quantile=quantile)
        assert eps_of(pairs, options, len) == pytest.approx(np.quantile(second, quantile))


def test_eps_is_the_mean_of_the_smallest_distances_of_all_pairs():
    rows, columns = np.array([0, 0, 1]), np.array([1, 2, 2])
    pairs = Pairs(4, rows, columns, np.array([0.3, 0.1, 0.2], np.float32))  # three more are at 1
    assert eps_of(pairs, ClusterOptions(rule="pairs", share=0.34), len) == pytest.approx(0.15)
    assert eps_of(pairs, ClusterOptions(rule="pairs", share=1), len) == pytest.approx(0.6)
    nothing = Pairs(4, rows[:0], columns[:0], pairs.distances[:0])
    assert eps_of(nothing, ClusterOptions(rule="pairs", share=1), len) < 1  # sharing nothing is never near


def test_tracklets_stay_whole_and_those_seen_at_once_apart():
    # two people of one look, each seen by two cameras in two tracklets of five
    vectors, _ = crowd(2, people=6, each=20, noise=0.5)
    tracklets = np.repeat(np.arange(24), 5)
    apart = np.array([(4 * person, 4 * person + 1) for person in range(6)])
    links = Links(tracklets, apart)
    free, linked = cluster(vectors, SMALL), cluster(vectors, SMALL, links)
    first, second = linked.labels[tracklets.searchsorted(apart)].T
    assert ((first != second) | (first == NOISE)).all()
    for number in range(24):
        assert len(set(linked.labels[tracklets == number].tolist())) == 1
    ignored = cluster(vectors, ClusterOptions(k1=6, k2=2, links=False), links)
    np.testing.assert_array_equal(ignored.labels, free.labels)
    for options, expected in ((None, free), (Links.none(len(vectors)), free)):
        np.testing.assert_array_equal(cluster(vectors, SMALL, options).labels, expected.labels)


def test_eps_of_the_highest_silhouette_is_that_of_clusters_with_links():
    vectors, _ = crowd(6, people=20, each=12, noise=1.0)
    links = Links(np.repeat(np.arange(60), 4), np.zeros((0, 2), np.int64))
    scores = {}
    for quantile in np.arange(3, 10) / 10:
        found = cluster(vectors, ClusterOptions(k1=6, k2=2, rule="neighbours", quantile=quantile), links)
        scores[found.eps] = silhouette(vectors, found.labels)
    best = max(scores, key=scores.get)
    options = ClusterOptions(k1=6, k2=2, rule="silhouette")
    assert cluster(vectors, options, links).eps == best
    assert cluster(vectors, options).eps != best
    auto = ClusterOptions(k1=6, k2=2)
    assert cluster(vectors, auto, links).eps == best
    loose = cluster(vectors, ClusterOptions(k1=6, k2=2, rule="neighbours")).eps
    assert cluster(vectors, auto).eps == cluster(vectors, auto, Links.none(len(vectors))).eps == loose


def test_a_tracklet_goes_where_most_of_it_is():
    labels = np.array([0, 1, 1, NOISE, NOISE, 2, 0, NOISE])
    tracklets = np.array([0, 0, 0, 1, 1, 2, 2, 1])
    assert whole_tracklets(labels, tracklets).tolist() == [1, 1, 1, NOISE, NOISE, 0, 0, NOISE]


def test_a_chain_between_tracklets_apart_is_cut_where_it_is_weakest():
    # tracklets 0 - 1 - 2 in one cluster, 0 and 2 apart; 1 is nearer to 2
    links = Links(np.array([0, 0, 1, 1, 2, 2, 3, 3]), np.array([[0, 2]]))
    near = Pairs(
        8, np.array([1, 3, 0]), np.array([2, 4, 1]), np.array([0.3, 0.2, 0.0], np.float32)
    )  # the last is within a tracklet
    labels = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    assert keep_apart(labels, near, links, least=2).tolist() == [0, 0, 1, 1, 1, 1, 2, 2]
    assert keep_apart(labels, near, links, least=3).tolist() == [NOISE, NOISE, 0, 0, 0, 0, 1, 1]


def test_links_that_contradict_themselves_are_refused():
    with pytest.raises(InputError, match="apart from itself"):
        Links(np.array([0, 1]), np.array([[1, 1]]))
    with pytest.raises(InputError, match="beyond"):
        Links(np.array([0, 1]), np.array([[0, 2]]))
    with pytest.raises(InputError, match=r"apart \(P, 2\)"):
        Links(np.array([0, 1]), np.zeros(3, np.int64))


def test_too_few_pictures_and_broken_vectors_are_refused():
    vectors, _ = crowd(3, people=2, each=4)
    with pytest.raises(InputError, match="3 pictures cannot make a cluster of 4"):
        cluster(vectors[:3], SMALL)
    vectors[2, 0] = np.nan
    with pytest.raises(InputError, match="must be finite"):
        cluster(vectors, SMALL)
