"""Slow, plain reference implementations of what `rtreid_ros.evaluation.retrieval` does, from the papers."""

import math

import numpy as np


def random_labels(rng, count, identities, cameras, unknown=0.0, junk=0.0, tracks=3):
    """Identities, cameras and tracks of `count` pictures."""
    who = rng.integers(0, identities, count)
    who[rng.random(count) < junk] = -1
    where = rng.integers(0, cameras, count)
    where[rng.random(count) < unknown] = -1
    return who, where, rng.integers(0, tracks, count)


def search(distances, query, gallery, tracks=False, trapezoid=False):
    """A dictionary by query of the ranked entries, their rightness, AP, INP; None where skipped.

    `query` and `gallery` are triples of identities, cameras and tracks.
    """
    results = []
    for row, (who, where) in enumerate(zip(query[0], query[1], strict=True)):
        entries = {}  # in the order of the gallery
        for column, (other, camera, track) in enumerate(zip(*gallery, strict=True)):
            own = other == who and camera == where and camera != -1
            if other == -1 or own:
                continue
            key = (other, camera, track) if tracks else column
            near, place, order = entries.get(key, (math.inf, None, len(entries)))
            if distances[row][column] < near:
                near, place = distances[row][column], column
            entries[key] = (near, place, order)
        ranked = sorted(entries.values(), key=lambda entry: (entry[0], entry[2]))
        places = [place for _, place, _ in ranked]
        right = [gallery[0][place] == who for place in places]
        if not any(right):
            results.append({"places": places, "first": 0, "ap": None, "inp": None})
            continue
        precisions, hits = [], 0
        for rank, is_right in enumerate(right, start=1):
            if is_right:
                before = hits / (rank - 1) if rank > 1 else 1.0
                hits += 1
                precisions.append((hits / rank + before) / 2 if trapezoid else hits / rank)
        last = max(rank for rank, is_right in enumerate(right, start=1) if is_right)
        results.append(
            {
                "places": places,
                "first": right.index(True) + 1,
                "ap": sum(precisions) / hits,
                "inp": hits / last,
            }
        )
    return results


def summary(results):
    """Rank-1, Rank-5, mAP, mINP over the queries that are judged."""
    judged = [item for item in results if item["ap"] is not None]
    return {
        "rank1": sum(item["first"] <= 1 for item in judged) / len(judged),
        "rank5": sum(item["first"] <= 5 for item in judged) / len(judged),
        "map": sum(item["ap"] for item in judged) / len(judged),
        "minp": sum(item["inp"] for item in judged) / len(judged),
    }


def cosine_distances(query, gallery):
    """Dense, in double precision."""
    query, gallery = (np.asarray(part, float) for part in (query, gallery))
    query = query / np.linalg.norm(query, axis=1, keepdims=True)
    gallery = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
    return 1 - query @ gallery.T


def rerank(vectors, queries, k1, k2, share, softmax=False):
    """Re-ranked distances of the first `queries` rows to the others, by the equations with sets and loops."""
    count = len(vectors)
    squared = 2 * cosine_distances(vectors, vectors)
    plain = squared / squared.max(axis=1, keepdims=True)
    order = []
    for i in range(count):
        others = sorted((j for j in range(count) if j != i), key=lambda j: (squared[i, j], j))
        order.append([i, *others])

    def reciprocal(i, k):  # eq. 3
        return {j for j in order[i][: k + 1] if i in order[j][: k + 1]}

    codes = np.zeros((count, count))
    for i in range(count):
        near = reciprocal(i, k1)
        expanded = set(near)
        for q in near:  # eq. 5
            half = reciprocal(q, round(k1 / 2))
            if len(near & half) >= 2 / 3 * len(half) - 1e-9:
                expanded |= half
        for j in expanded:  # eq. 7
            codes[i, j] = math.exp(-plain[i, j])
        if softmax:
            codes[i] /= codes[i].sum()
    codes = np.array([codes[order[i][:k2]].mean(axis=0) for i in range(count)])  # eq. 11
    result = np.zeros((queries, count - queries))
    for i in range(queries):
        for j in range(queries, count):
            jaccard = (
                1 - np.minimum(codes[i], codes[j]).sum() / np.maximum(codes[i], codes[j]).sum()
            )  # eq. 10
            result[i, j - queries] = (1 - share) * jaccard + share * plain[i, j]  # eq. 12
    return result
