"""Groups of pictures, which a generator can be asked for one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.options import option
from rtreid_ros.types import Float32, Float64, Int64


@dataclass(frozen=True, slots=True)
class GroupOptions:
    """What a conditional generator is told."""

    by: str = option(
        "none",
        "what the generator is told: nothing, the group by appearance, or the camera",
        choices=("none", "appearance", "camera"),
    )
    count: int = option(8, "groups by appearance", ge=2, le=1000)
    restarts: int = option(5, "times k-means begins anew; the best result is kept", ge=1)


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which of N pictures belongs to which group.

    Attributes:
        labels: ``(N,)`` 0..G-1.
        centres: ``(G, D)`` mean features of each group.
    """

    labels: Int64
    centres: Float32

    @classmethod
    def of(cls, labels: Int64, features: Float32) -> Groups:
        """Groups of labels 0..G-1, none of them empty, of pictures with ``(N, D)`` features."""
        centres = [features[labels == group].mean(0) for group in range(labels.max() + 1)]
        return cls(labels, np.stack(centres))

    @property
    def counts(self) -> tuple[int, ...]:
        """Pictures of each group."""
        return tuple(np.bincount(self.labels).tolist())

    def nearest(self, features: Float32) -> Int64:
        """``(M,)``: the group with the nearest centre to each of ``(M, D)`` features."""
        distances = _squared_distances(features.astype(np.float64), self.centres.astype(np.float64))
        nearest: Int64 = distances.argmin(1)
        return nearest


def by_camera(cameras: Int64, features: Float32) -> Groups:
    """One group for each of the ``(N,)`` cameras, in the order of their numbers.

    Raises:
        ConfigError: the data set does not tell them.
    """
    if cameras.min() < 0:
        raise ConfigError("groups.by=camera: this data set does not tell all cameras; use appearance or none")
    return Groups.of(np.unique(cameras, return_inverse=True)[1].astype(np.int64), features)


def by_appearance(features: Float32, options: GroupOptions, seed: int) -> Groups:
    """Groups of ``(N, D)`` features, the largest first.

    Raises:
        InputError: fewer different features than groups.
    """
    labels = k_means(features, options.count, restarts=options.restarts, seed=seed)
    order = np.argsort(-np.bincount(labels, minlength=options.count), kind="stable")
    return Groups.of(np.argsort(order)[labels].astype(np.int64), features)


def k_means(points: Float32, count: int, *, restarts: int = 5, iterations: int = 100, seed: int = 0) -> Int64:
    """``(N,)`` labels 0..count-1, each of them used.

    Lloyd's algorithm from the first centres of k-means++ (Arthur and Vassilvitskii, 2007, section 2.2); a
    group that has lost all its points takes the one that lies worst.

    Args:
        points: ``(N, D)``.
        count: groups.
        restarts: of which the one with the least sum of squares is taken.
        iterations: at most.
        seed: of the first centres.

    Raises:
        InputError: fewer different points than groups.
    """
    places = np.asarray(points, np.float64)
    different = len(np.unique(points, axis=0))
    if different < count:
        raise InputError(f"{count} groups need as many different pictures; there are {different}")
    rng = np.random.default_rng(seed)
    best, least = np.zeros(len(places), np.int64), np.inf
    for _ in range(restarts):
        centres = _first_centres(places, count, rng)
        labels = np.full(len(places), -1)
        for _ in range(iterations):
            distances = _squared_distances(places, centres)
            before, labels = labels, distances.argmin(1)
            _fill(labels, distances, count)
            if np.array_equal(labels, before):
                break
            members = (labels == np.arange(count)[:, None]).astype(np.float64)
            centres = members @ places / members.sum(1, keepdims=True)
        spread = float(np.square(places - centres[labels]).sum())
        if spread < least:
            best, least = labels.astype(np.int64), spread
    return best


def _first_centres(points: Float64, count: int, rng: np.random.Generator) -> Float64:
    centres = [points[rng.integers(len(points))]]
    nearest = np.full(len(points), np.inf)
    while len(centres) < count:
        nearest = np.minimum(nearest, np.square(points - centres[-1]).sum(1))
        centres.append(points[rng.choice(len(points), p=nearest / nearest.sum())])
    return np.stack(centres)


def _squared_distances(points: Float64, centres: Float64) -> Float64:
    products = points @ centres.T
    found: Float64 = np.square(points).sum(1)[:, None] - 2 * products + np.square(centres).sum(1)
    return found


def _fill(labels: Int64, distances: Float64, count: int) -> None:
    """Give each group without points the point farthest from its centre, out of a group that has several."""
    for empty in np.flatnonzero(np.bincount(labels, minlength=count) == 0):
        several = np.bincount(labels, minlength=count)[labels] > 1
        own = distances[np.arange(len(labels)), labels]
        labels[np.where(several, own, -np.inf).argmax()] = empty
