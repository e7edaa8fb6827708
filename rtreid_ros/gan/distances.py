"""How far apart two sets of pictures are, by their features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.types import Float32, Float64


class KernelDistance(NamedTuple):
    """The kernel inception distance.

    Attributes:
        mean: over subsets; its expectation is 0 for sets from one distribution, so it may be below.
        spread: standard deviation over subsets.
    """

    mean: float
    spread: float


def kernel_distance(
    one: Float32, other: Float32, *, subsets: int = 50, size: int = 500, seed: int = 0
) -> KernelDistance:
    """KID: the unbiased squared maximum mean discrepancy under the kernel ``(x.y / D + 1)^3``.

    Binkowski et al., Demystifying MMD GANs, ICLR 2018, sections 3 and 4 and equation 4.

    Args:
        one: ``(N, D)`` features.
        other: ``(M, D)``.
        subsets: how often both are drawn from, without replacement.
        size: drawn of each; no more than N and M.
        seed: of the draws.

    Raises:
        InputError: fewer features than a subset has, or widths that differ.
    """
    _check(one, other)
    if size < 2 or size > min(len(one), len(other)):
        raise InputError(
            f"subsets of {size} need 2 or more features and as many in both sets; there are {len(one)} and "
            f"{len(other)}: choose a smaller size"
        )
    rng = np.random.default_rng(seed)
    found = [
        squared_discrepancy(
            one[rng.choice(len(one), size, replace=False)], other[rng.choice(len(other), size, replace=False)]
        )
        for _ in range(subsets)
    ]
    return KernelDistance(float(np.mean(found)), float(np.std(found)))


def variety(real: Float32, made: Float32) -> float:
    """How varied ``(M, D)`` features of generated pictures are beside ``(N, D)`` of real ones.

    The total variance as a share of the real one's: 1 = as varied, 0 = always the same picture.
    """
    expected = float(np.var(real, axis=0, dtype=np.float64).sum())
    return float(np.var(made, axis=0, dtype=np.float64).sum()) / expected if expected > 0 else 1.0


def squared_discrepancy(one: Float32, other: Float32) -> float:
    """The unbiased estimate for ``(n, D)`` and ``(m, D)`` (Gretton et al., 2012, equation 3)."""
    x, y = np.asarray(one, np.float64), np.asarray(other, np.float64)

    def kernel(a: Float64, b: Float64) -> Float64:
        values: Float64 = (a @ b.T / a.shape[1] + 1) ** 3
        return values

    within = 0.0
    for points in (x, y):
        values = kernel(points, points)
        within += (values.sum() - np.trace(values)) / (len(points) * (len(points) - 1))
    return float(within - 2 * kernel(x, y).mean())


def frechet_distance(one: Float32, other: Float32) -> float:
    """FID: the Fréchet distance of normal distributions fitted to ``(N, D)`` and ``(M, D)`` features.

    Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium, 2017,
    section 2. It shrinks with more pictures: compare figures of equal numbers only. The trace of the root
    of a product of covariances is taken from the symmetric matrix with the same eigenvalues, which has no
    complex ones by rounding.

    Raises:
        InputError: fewer than two features in a set, or widths that differ.
    """
    _check(one, other)
    if min(len(one), len(other)) < 2:
        raise InputError(f"a covariance needs two features; there are {len(one)} and {len(other)}")
    means, covariances = [], []
    for features in (np.asarray(one, np.float64), np.asarray(other, np.float64)):
        means.append(features.mean(0))
        covariances.append(np.atleast_2d(np.cov(features, rowvar=False)))
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    common = np.linalg.eigvalsh(root @ covariances[1] @ root)
    distance = np.square(means[0] - means[1]).sum() + sum(map(np.trace, covariances))
    return float(max(distance - 2 * np.sqrt(common.clip(0)).sum(), 0.0))


def _check(one: Float32, other: Float32) -> None:
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        raise InputError(
            f"features of one network are needed, (N, D) and (M, D); got {one.shape}, {other.shape}"
        )
