"""The single-query protocol against a plain reference and by hand."""

import numpy as np
import pytest
from support.retrieval import cosine_distances, random_labels, search, summary

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.evaluation.retrieval import (
    Features,
    RetrievalOptions,
    judge_distances,
    judge_retrieval,
)
from rtreid_ros.options import build


def features(vectors, labels):
    return Features(np.asarray(vectors, np.float32), *labels)


def line(*angles):
    """Vectors in the plane, `angles` degrees from the first axis: the nearer the angle, the nearer."""
    angles = np.radians(angles)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def compare(figures, expected):
    assert figures.queries == sum(item["ap"] is not None for item in expected)
    assert figures.skipped == sum(item["ap"] is None for item in expected)
    for row, item in enumerate(expected):
        kept = figures.best[row][figures.best[row] >= 0]
        assert kept.tolist() == item["places"][: figures.best.shape[1]]
        assert figures.first_match[row] == item["first"]
        if item["ap"] is None:
            assert np.isnan(figures.average_precision[row])
        else:
            assert figures.average_precision[row] == pytest.approx(item["ap"], abs=1e-12)
            assert figures.inverse_penalty[row] == pytest.approx(item["inp"], abs=1e-12)
    for name, value in summary(expected).items():
        mine = figures.as_dict()[name]
        assert mine == pytest.approx(value, abs=1e-12)


def test_a_search_by_hand():
    # ranked: other, own camera (removed), right, junk (removed), other, right
    gallery = features(line(1, 2, 3, 4, 5, 6), ([8, 7, 7, -1, 9, 7], [1, 0, 1, 0, 0, 2]))
    query = features(line(0), ([7], [0]))
    figures = judge_retrieval(query, gallery)
    assert figures.best.tolist() == [[0, 2, 4, 5, -1]]
    assert figures.first_match.tolist() == [2]
    assert figures.map == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert figures.minp == pytest.approx(2 / 4)
    assert (figures.rank(1), figures.rank(2)) == (0, 1)
    assert figures.cmc[:3].tolist() == [0, 1, 1]
    assert (figures.queries, figures.skipped, figures.gallery) == (1, 0, 5)
    assert figures.tricks == ()
    expected = 1 - np.cos(np.radians([1, 3, 5, 6]))
    np.testing.assert_allclose(figures.best_distances[0, :4], expected, atol=1e-6)


def test_the_curve_is_as_long_as_asked_for():
    gallery = features(line(1, 2, 3), ([8, 7, 9], [1, 1, 1]))
    query = features(line(0, 0), ([7, 9], [0, 0]))  # found at ranks 2 and 3
    assert judge_retrieval(query, gallery, RetrievalOptions(ranks=2)).cmc.tolist() == [0, 0.5]
    assert judge_retrieval(query, gallery, RetrievalOptions(ranks=4)).cmc.tolist() == [0, 0.5, 1, 1]


def test_the_trapezoid_rule_is_named_and_gives_other_precision():
    gallery = features(line(1, 2, 3, 4), ([8, 7, 9, 7], [1, 1, 1, 2]))
    figures = judge_retrieval(features(line(0), ([7], [0])), gallery, RetrievalOptions(precision="trapezoid"))
    assert figures.map == pytest.approx(((0 / 1 + 1 / 2) / 2 + (1 / 3 + 2 / 4) / 2) / 2)
    assert figures.tricks == ("trapezoid precision",)


def test_queries_without_a_right_match_count_neither_way():
    gallery = features(line(1, 2, 3), ([1, 2, 2], [1, 0, 1]))
    query = features(line(0, 0, 0, 0), ([1, 3, 2, -1], [0, 0, 0, 0]))  # found, unknown, found second, junk
    figures = judge_retrieval(query, gallery)
    assert (figures.queries, figures.skipped) == (2, 2)
    assert figures.rank(1) == 0.5
    assert figures.map == pytest.approx((1 + 1 / 2) / 2)
    assert np.isnan(figures.average_precision[[1, 3]]).all()


def test_nothing_found_gives_zeros():
    figures = judge_retrieval(features(line(0), ([3], [0])), features(line(1), ([1], [1])))
    assert (figures.rank(1), figures.map, figures.minp, figures.queries) == (0, 0, 0, 0)
    assert not figures.cmc.any()


def test_of_equals_the_first_in_the_gallery_is_found_first():
    query = features([[1, 0]], ([7], [0]))
    gallery = features([[1, 0]] * 4, ([8, 7, 9, 7], [1, 1, 1, 1]))
    figures = judge_retrieval(query, gallery)
    assert figures.best[0, :4].tolist() == [0, 1, 2, 3]
    assert figures.map == pytest.approx((1 / 2 + 2 / 4) / 2)


def test_an_unknown_camera_is_nobodys_own():
    gallery = features(line(1, 2), ([7, 7], [-1, 0]))
    figures = judge_retrieval(features(line(0, 0), ([7, 7], [-1, 0])), gallery)
    assert figures.best[:, :2].tolist() == [[0, 1], [0, -1]]


def test_length_of_vectors_does_not_matter():
    rng = np.random.default_rng(3)
    gallery, query = rng.standard_normal((40, 8)), rng.standard_normal((9, 8))
    labels = random_labels(rng, 40, 5, 3), random_labels(rng, 9, 5, 3)
    one = judge_retrieval(features(query, labels[1]), features(gallery, labels[0]))
    other = judge_retrieval(
        features(query * 7, labels[1]), features(gallery * rng.uniform(0.1, 9, (40, 1)), labels[0])
    )
    assert one.map == pytest.approx(other.map, abs=1e-12)


@pytest.mark.parametrize("tracks", [False, True])
@pytest.mark.parametrize("trapezoid", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_equals_the_plain_reference(seed, tracks, trapezoid):
    rng = np.random.default_rng(seed)
    labels = [
        random_labels(rng, count, 12, 4, unknown=0.1 * (seed % 2), junk=0.1 * (seed // 2))
        for count in (300, 120)  # more queries than one block
    ]
    # corners of a cube: cosines are exact in single precision, and many are equal
    query, gallery = (rng.choice([-1.0, 1.0], (count, 16)) for count in (300, 120))
    options = RetrievalOptions(
        protocol="image-to-track" if tracks else "image-to-image",
        precision="trapezoid" if trapezoid else "standard",
        best=25,
    )
    figures = judge_retrieval(features(query, labels[0]), features(gallery, labels[1]), options)
    expected = search(cosine_distances(query, gallery), *labels, tracks=tracks, trapezoid=trapezoid)
    compare(figures, expected)
    assert ("image-to-track" in figures.tricks) == tracks


def test_equals_the_plain_reference_without_ties():
    rng = np.random.default_rng(11)
    labels = [random_labels(rng, count, 9, 3, junk=0.1) for count in (60, 500)]
    query, gallery = (rng.standard_normal((count, 32)).astype(np.float32) for count in (60, 500))
    figures = judge_retrieval(features(query, labels[0]), features(gallery, labels[1]))
    compare(figures, search(cosine_distances(query, gallery), *labels))


def test_given_distances_are_judged_alike_and_named():
    rng = np.random.default_rng(5)
    labels = [random_labels(rng, count, 6, 3) for count in (20, 80)]
    distances = rng.integers(0, 9, (20, 80)).astype(np.float32)
    before = distances.copy()
    query, gallery = (
        features(np.ones((count, 2)), part) for count, part in zip((20, 80), labels, strict=True)
    )
    figures = judge_distances(distances, query, gallery, tricks=("guessed",))
    compare(figures, search(distances, *labels))
    assert figures.tricks == ("guessed",)
    np.testing.assert_array_equal(distances, before)


def test_tracks_of_equal_distance_keep_the_order_of_their_first_pictures():
    gallery = features(line(5, 5, 2), ([8, 7, 8], [1, 1, 1], [0, 0, 0]))
    figures = judge_retrieval(
        features(line(0), ([7], [0])), gallery, RetrievalOptions(protocol="image-to-track")
    )
    assert figures.gallery == 2
    assert figures.best[0, :2].tolist() == [2, 1]  # the nearest picture stands for its track


def test_tricks_of_the_vectors_are_named_once():
    query = Features(line(0), [1], [0], tricks=("flip",))
    gallery = Features(line(0), [1], [1], tricks=("flip",))
    assert judge_retrieval(query, gallery).as_dict()["tricks"] == ["flip"]


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "1 of 3 vectors are not finite; the first is in row 1"), (0, "1 of 3 vectors are zero")],
)
def test_vectors_that_are_no_direction_are_refused(value, message):
    vectors = np.ones((3, 4), np.float32)
    vectors[1] = value
    with pytest.raises(InputError, match=message):
        Features(vectors, np.zeros(3), np.zeros(3))


def test_labels_must_be_as_many_as_vectors():
    with pytest.raises(InputError, match=r"cameras must have shape \(3,\), got \(2,\)"):
        Features(np.ones((3, 4)), np.zeros(3), np.zeros(2))
    with pytest.raises(InputError, match=r"vectors must have shape"):
        Features(np.ones(3), np.zeros(3), np.zeros(3))


def test_what_cannot_be_compared_is_refused():
    one, other = Features(np.ones((1, 4)), [0], [0]), Features(np.ones((1, 3)), [0], [0])
    with pytest.raises(InputError, match="query vectors have 4 numbers, gallery vectors 3"):
        judge_retrieval(one, other)
    with pytest.raises(InputError, match="nothing to judge: 1 queries, 0 pictures"):
        judge_retrieval(one, one[:0])
    with pytest.raises(InputError, match=r"distances must have shape \(1, 1\), got \(1, 2\)"):
        judge_distances(np.zeros((1, 2), np.float32), one, one)
    with pytest.raises(InputError, match="queries 0 to 0 are not all finite"):
        judge_distances(np.full((1, 1), np.nan, np.float32), one, one)
    with pytest.raises(ConfigError, match="protocol must be one of"):
        build(RetrievalOptions, {"protocol": "image-to-crowd"})


def test_a_part_of_features_keeps_everything_of_its_pictures():
    whole = Features(np.eye(4), np.arange(4), np.arange(4) + 10, np.arange(4) + 20, unreadable=("a.jpg",))
    part = whole[[2, 0]]
    assert (part.identities.tolist(), part.cameras.tolist()) == ([2, 0], [12, 10])
    assert (part.sequences.tolist(), part.rows.tolist()) == ([22, 20], [2, 0])
    assert part.vectors.argmax(axis=1).tolist() == [2, 0]
    assert part.unreadable == ("a.jpg",)
