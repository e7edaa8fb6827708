"""How good clusters are, told without labels; and, for reports alone, with them."""

from __future__ import annotations

import numpy as np

from rtreid_ros.reid.adaptation.density import NOISE
from rtreid_ros.reid.adaptation.links import Links
from rtreid_ros.types import Float32, Float64, Int64


def silhouette(vectors: Float32, labels: Int64) -> float:
    """How much nearer pictures are to their own cluster than to the next one, from -1 to 1.

    Rousseeuw, Silhouettes, 1987, with cosine distances to the directions of clusters in place of mean
    distances to their members, the picture itself left out of its own. A picture in no cluster counts as
    0, so that throwing away all but the easiest does not pay; so does everything if there is one cluster.

    Args:
        vectors: ``(N, D) float32`` of unit length.
        labels: ``(N,) int64`` clusters, `NOISE` for none.
    """
    clusters = int(labels.max(initial=NOISE)) + 1
    if clusters < 2:
        return 0.0
    known = np.flatnonzero(labels != NOISE)
    mine, points = labels[known], vectors[known].astype(np.float64)
    sums = np.zeros((clusters, vectors.shape[1]))
    np.add.at(sums, mine, points)
    own = 1 - _cosines(points, sums[mine] - points)
    directions = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(float).tiny)
    cosines = points @ directions.T
    cosines[np.arange(len(known)), mine] = -np.inf
    nearest = 1 - cosines.max(axis=1)
    largest = np.maximum(np.maximum(own, nearest), np.finfo(float).tiny)
    return float(((nearest - own) / largest).sum() / len(labels))


def _cosines(one: Float64, other: Float64) -> Float64:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    found: Float64 = np.einsum("nd,nd->n", one, other) / np.maximum(lengths, np.finfo(float).tiny)
    return found


def agreement(one: Int64, other: Int64) -> float:
    """How far two clusterings agree on who is with whom: 1 wholly, 0 as by chance.

    The adjusted Rand index (Hubert and Arabie, Comparing Partitions, 1985, equation 5) of the pictures
    that are in clusters of both; 0 where there are fewer than two.
    """
    both = (one != NOISE) & (other != NOISE)
    if np.count_nonzero(both) < 2:
        return 0.0
    table, rows, columns = _table(one[both], other[both])
    together, first, second = _couples(table), _couples(rows), _couples(columns)
    expected = first * second / _couples(np.array([table.sum()]))
    most = (first + second) / 2
    return 1.0 if most == expected else float((together - expected) / (most - expected))


def told_apart(vectors: Float32, links: Links) -> float | None:
    """How well tracklets are told apart: 1 always, 0.5 as by chance; None where there are no two to compare.

    The share of cases (area under the ROC curve) in which the first and the last picture of a tracklet are
    more alike than the first of one tracklet and the last of another that is surely somebody else. Easier
    than finding people again in another camera: light and place are the same.

    Args:
        vectors: ``(N, D) float32`` of unit length; those of a tracklet in the order of time.
        links: what is known of the pictures.
    """
    count = int(links.tracklets.max(initial=-1)) + 1
    first, last = np.zeros(count, np.int64), np.zeros(count, np.int64)
    rows = np.arange(len(vectors))
    last[links.tracklets], first[links.tracklets[::-1]] = rows, rows[::-1]
    one, other = np.concatenate([links.apart, links.apart[:, ::-1]]).T
    tracked = first != last
    same = np.einsum("nd,nd->n", vectors[first[tracked]], vectors[last[tracked]])
    different = np.sort(np.einsum("nd,nd->n", vectors[first[one]], vectors[last[other]]))
    if not len(same) or not len(different):
        return None
    below, upto = (np.searchsorted(different, same, side) for side in ("left", "right"))
    return float((below + upto).mean() / (2 * len(different)))


def compared_with_labels(labels: Int64, identities: Int64) -> dict[str, float]:
    """Purity and V-measure of the pictures that are in clusters; nothing may be chosen by these.

    Purity: share of pictures whose identity is the most frequent one of their cluster. V-measure: harmonic
    mean of homogeneity and completeness (Rosenberg and Hirschberg, V-Measure, EMNLP 2007, equations 1 to 3).
    """
    known = labels != NOISE
    if not known.any():
        return {"purity": 0.0, "v_measure": 0.0}
    table, clusters, people = _table(labels[known], identities[known])
    total = table.sum()
    rows = np.unique(labels[known], return_inverse=True)[1].reshape(-1)
    _, columns = np.unique(identities[known], return_inverse=True)
    pair = np.unique(np.stack([rows, columns.reshape(-1)], axis=1), axis=0)
    best = np.zeros(len(clusters))
    np.maximum.at(best, pair[:, 0], table)
    joint = -(table / total * np.log(table / total)).sum()
    of_clusters, of_people = _entropy(clusters), _entropy(people)
    homogeneity = 1 - (joint - of_clusters) / of_people if of_people else 1.0
    completeness = 1 - (joint - of_people) / of_clusters if of_clusters else 1.0
    both = homogeneity + completeness
    v_measure = 2 * homogeneity * completeness / both if both > 0 else 0.0
    return {"purity": float(best.sum() / total), "v_measure": float(v_measure)}


def _table(one: Int64, other: Int64) -> tuple[Int64, Int64, Int64]:
    """How often each pair of labels that occurs does, in their order, and each label of either."""
    counts = np.unique(np.stack([one, other], axis=1), axis=0, return_counts=True)[1]
    return counts, np.unique(one, return_counts=True)[1], np.unique(other, return_counts=True)[1]


def _couples(counts: Int64) -> float:
    """Pairs within groups of these sizes."""
    return float((counts * (counts - 1) / 2).sum())


def _entropy(counts: Int64) -> float:
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())
