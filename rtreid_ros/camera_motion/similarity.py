"""A similarity from matched points, some of which are wrong: the same answer for the same points.

OpenCV's estimators draw from generators of their own, shared or not according to version; ours is
seeded for each call.
"""

from __future__ import annotations

import numpy as np

from rtreid_ros.types import Float64

_BATCH = 48
_BATCHES = 12
_CONFIDENCE = 0.999
_REFINEMENTS = 4
_LEAST_INLIERS = 8
_LEAST_SHARE = 0.2
"""Fewer points in agreement than either may be so by chance."""


def fit_similarity(source: Float64, target: Float64, threshold: float, seed: int = 0) -> Float64 | None:
    """Rotation, uniform scale and translation that most points agree on.

    RANSAC (Fischler and Bolles, 1981) over pairs of points, in batches until another one would
    hardly find better, then least squares (Umeyama 1991, without reflection) over the inliers.

    Args:
        source: ``(N, 2)`` points in the previous image.
        target: ``(N, 2)`` the same points in this one.
        threshold: how far an inlier may lie from its place, pixels.
        seed: of the drawing of pairs.

    Returns:
        ``(2, 3)`` affine, or None where too few points agree.
    """
    count = len(source)
    if count < _LEAST_INLIERS:
        return None
    # points as complex numbers: a similarity is w = a z + b
    z, w = source @ (1, 1j), target @ (1, 1j)
    rng = np.random.default_rng(seed)
    best, agreeing = None, 0
    for batch in range(1, _BATCHES + 1):
        first = rng.integers(0, count, _BATCH)
        second = (first + rng.integers(1, count, _BATCH)) % count
        apart = z[first] - z[second]
        usable = np.abs(apart) > 1  # of points too close, position noise decides
        if usable.any():
            first, second, apart = first[usable], second[usable], apart[usable]
            a = (w[first] - w[second]) / apart
            b = w[first] - a * z[first]
            inliers = np.abs(a[:, None] * z + b[:, None] - w) < threshold
            totals = np.count_nonzero(inliers, axis=1)
            top = int(totals.argmax())
            if totals[top] > agreeing:
                best, agreeing = inliers[top], int(totals[top])
        missed = (1 - (agreeing / count) ** 2) ** (batch * _BATCH)
        if missed < 1 - _CONFIDENCE:
            break
    if best is None:
        return None
    return _refine(z, w, best, threshold)


def _refine(z: np.ndarray, w: np.ndarray, inliers: np.ndarray, threshold: float) -> Float64 | None:
    a, b = 1 + 0j, 0j
    for _ in range(_REFINEMENTS):
        chosen = np.count_nonzero(inliers)
        if chosen < max(_LEAST_INLIERS, _LEAST_SHARE * len(z)):
            return None
        zi, wi = z[inliers], w[inliers]
        centre, moved = zi.mean(), wi.mean()
        spread = zi - centre
        power = float((spread * spread.conj()).real.sum())
        if power < chosen:  # all within a pixel: neither rotation nor scale can be told
            return None
        a = (spread.conj() * (wi - moved)).sum() / power
        b = moved - a * centre
        settled = np.abs(a * z + b - w) < threshold
        if np.array_equal(settled, inliers):
            break
        inliers = settled
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
