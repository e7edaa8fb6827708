"""People nobody has named, as clusters of pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.evaluation.retrieval import RerankOptions, jaccard_pairs
from rtreid_ros.options import option
from rtreid_ros.reid.adaptation.density import NOISE, Pairs, dbscan, neighbour_distances, renumbered
from rtreid_ros.reid.adaptation.links import Links
from rtreid_ros.reid.adaptation.quality import silhouette
from rtreid_ros.types import Float32, Int64

_QUANTILES = np.arange(3, 10) / 10
"""That rule silhouette tries."""
_FARTHEST = 1 - 1e-6
"""Pairs with nothing in common are at 1 and never near."""


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """How pictures become people."""

    k1: int = option(20, "nearest pictures among which neighbours must be each other's", ge=2)
    k2: int = option(6, "nearest pictures, itself among them, whose neighbours are averaged", ge=1)
    least: int = option(4, "pictures within eps, itself among them, that make a core of a cluster", ge=2)
    eps: float = option(0.0, "Jaccard distance within which pictures are near; 0: by `rule`", ge=0, le=0.999)
    rule: str = option(
        "auto",
        "eps anew in every round, by the distances of all pictures to the neighbour that makes a core. "
        "neighbours: their quantile `quantile`; silhouette: of their quantiles 0.3, 0.4, ... 0.9 the one "
        "whose clusters have the highest silhouette; pairs: the mean of the smallest `share` of all; auto: "
        "silhouette where tracklets are known, else neighbours",
        choices=("auto", "neighbours", "silhouette", "pairs"),
    )
    quantile: float = option(0.5, "see rule neighbours", ge=0, le=1)
    share: float = option(0.0016, "see rule pairs; about 1 / people where they are known", ge=0, le=1)
    camera_bias: bool = option(True, "take the cameras' own light and colours out of the vectors first")
    links: bool = option(True, "keep tracklets whole, and those seen at the same time apart")


@dataclass(frozen=True, slots=True, eq=False)
class Clustering:
    """Clusters of N pictures.

    Attributes:
        labels: ``(N,) int64`` 0..K-1, or `NOISE`.
        eps: distance within which pictures were near.
    """

    labels: Int64
    eps: float

    @property
    def sizes(self) -> Int64:
        """``(K,) int64``: pictures of each cluster."""
        return np.bincount(self.labels[self.labels != NOISE]).astype(np.int64)

    @property
    def noise(self) -> float:
        """Share of pictures in no cluster."""
        return float((self.labels == NOISE).mean()) if len(self.labels) else 0.0


def cluster(vectors: Float32, options: ClusterOptions, links: Links | None = None) -> Clustering:
    """Clusters of pictures by who their neighbours are.

    DBSCAN on the k-reciprocal Jaccard distance, as in Song et al., Unsupervised Domain Adaptive
    Re-Identification: Theory and Practice, 2018, whose rule for eps is ``pairs``. That one needs to know
    about how many people there are; ``neighbours`` does not: it takes eps from the sorted distances to the
    neighbour that makes a core (Ester et al., KDD 1996, section 4.2), and ``silhouette`` tries several,
    with the links. Where tracklets are known most neighbours of a picture are of its own, and get nearer
    the longer it is learnt from, so that ``neighbours`` would join ever fewer tracklets.

    With links, pictures of a tracklet are near whatever they look like, those of tracklets apart never
    are; a tracklet goes with most of its pictures, and a cluster that holds tracklets apart all the same,
    by a chain, is built anew from pairs of its tracklets, nearest first, that may be together.

    Args:
        vectors: ``(N, D) float32`` of unit length.
        options: see there.
        links: what is known of the pictures; None: nothing.

    Raises:
        InputError: vectors that are not finite, or fewer than `options.least`.
    """
    if len(vectors) < options.least:
        raise InputError(f"{len(vectors)} pictures cannot make a cluster of {options.least}")
    if not np.isfinite(vectors).all():
        raise InputError("vectors to cluster must be finite")
    found = jaccard_pairs(vectors, RerankOptions(k1=options.k1, k2=options.k2))
    pairs = Pairs(len(vectors), *found)
    known = links if options.links else None
    linked = pairs if known is None else with_links(pairs, known)

    def divided(eps: float) -> Int64:
        labels = dbscan(linked, eps, options.least)
        if known is None:
            return labels
        return keep_apart(whole_tracklets(labels, known.tracklets), linked.within(eps), known, options.least)

    if options.rule == "auto":
        tracked = known is not None and len(np.unique(known.tracklets)) < len(vectors)
        options = replace(options, rule="silhouette" if tracked else "neighbours")
    eps = options.eps or eps_of(pairs, options, lambda eps: silhouette(vectors, divided(eps)))
    return Clustering(divided(eps), eps)


def eps_of(pairs: Pairs, options: ClusterOptions, score: Callable[[float], float]) -> float:
    """The distance within which pictures are near, by the rule; `score`: how good the clusters of one are."""
    if options.rule != "pairs":
        distances = np.minimum(neighbour_distances(pairs, options.least), _FARTHEST)
        if options.rule == "neighbours":
            return float(np.quantile(distances, options.quantile))
        tried = np.unique(np.quantile(distances, _QUANTILES)).tolist()
        return float(max(tried, key=score))
    count = max(round(options.share * pairs.size * (pairs.size - 1) / 2), 1)
    smallest = np.sort(pairs.distances)[:count].astype(np.float64)
    beyond = count - len(smallest)  # pairs that are not listed, each at 1
    return float(min((smallest.sum() + beyond) / count, _FARTHEST))


def with_links(pairs: Pairs, links: Links) -> Pairs:
    """The pairs less those that show different people, and at distance 0 those of one tracklet."""
    same = links.tracklets[pairs.rows] == links.tracklets[pairs.columns]
    rest = pairs[~same & ~links.forbidden(pairs.rows, pairs.columns)]
    order = np.argsort(links.tracklets, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(links.tracklets[order])) + 1)
    corners = [np.triu_indices(len(group), 1) for group in groups]
    rows = np.concatenate([group[corner[0]] for group, corner in zip(groups, corners, strict=True)])
    columns = np.concatenate([group[corner[1]] for group, corner in zip(groups, corners, strict=True)])
    return Pairs(
        pairs.size,
        np.concatenate([rest.rows, rows]),
        np.concatenate([rest.columns, columns]),
        np.concatenate([rest.distances, np.zeros(len(rows), np.float32)]),
    )


def whole_tracklets(labels: Int64, tracklets: Int64) -> Int64:
    """Every tracklet where most of its clustered pictures are; of equals the first cluster."""
    count, clusters = int(tracklets.max(initial=-1)) + 1, int(labels.max(initial=-1)) + 1
    if not clusters:
        return labels
    known = labels != NOISE
    key, votes = np.unique(tracklets[known] * clusters + labels[known], return_counts=True)
    order = np.lexsort((key, -votes, key // clusters))
    tracklet, first = np.unique(key[order] // clusters, return_index=True)
    chosen: Int64 = np.full(count, NOISE)
    chosen[tracklet] = (key % clusters)[order][first]
    return chosen[tracklets]


def keep_apart(labels: Int64, near: Pairs, links: Links, least: int) -> Int64:
    """Clusters in which no two tracklets are apart, from clusters of whole tracklets.

    Of a cluster with such tracklets, pairs of tracklets are joined by their smallest distance, ascending,
    unless that would bring tracklets together that are apart. What is smaller than `least` becomes noise.
    """
    place: Int64 = np.full(int(links.tracklets.max(initial=-1)) + 1, NOISE)
    place[links.tracklets] = labels
    first, second = place[links.apart].T
    torn = set(first[(first == second) & (first != NOISE)].tolist())
    if not torn:
        return renumbered(labels)
    groups = {int(tracklet): {int(tracklet)} for tracklet in np.flatnonzero(np.isin(place, list(torn)))}
    enemies: dict[int, set[int]] = {tracklet: set() for tracklet in groups}
    for one, other in links.apart.tolist():
        if one in groups and other in groups:
            enemies[one].add(other)
            enemies[other].add(one)
    one, other = links.tracklets[near.rows], links.tracklets[near.columns]
    within = (place[one] == place[other]) & np.isin(place[one], list(torn)) & (one != other)
    order = np.lexsort((near.columns[within], near.rows[within], near.distances[within]))
    for a, b in np.stack([one[within], other[within]], axis=1)[order].tolist():
        ours, theirs = groups[a], groups[b]
        if ours is not theirs and not any(enemies[member] & theirs for member in ours):
            ours |= theirs
            groups.update(dict.fromkeys(theirs, ours))
    beyond = int(labels.max()) + 1
    for tracklet, members in groups.items():
        place[tracklet] = beyond + min(members)
    found = place[links.tracklets]
    values, counts = np.unique(found, return_counts=True)
    found[np.isin(found, values[(counts < least) & (values >= beyond)])] = NOISE
    return renumbered(found)
