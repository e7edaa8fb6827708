"""Taking out of the vectors what the camera put in: its light, its colours, its point of view.

Per camera the mean is subtracted, and directions in which that camera's pictures vary most are damped:
the rows are multiplied by (S + lambda I)^(-1/2), S being their covariance (whitening as in Kessy et al.,
"Optimal Whitening and Decorrelation", The American Statistician 2018, ZCA, with a ridge). The test's own
pictures and camera numbers are used for it, identities are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rtreid_ros.datasets.identities.base import UNKNOWN
from rtreid_ros.evaluation.retrieval.features import Features
from rtreid_ros.options import option
from rtreid_ros.types import Float32

_NOTHING_LEFT = 1e-5
"""Length below which a centred unit vector is rounding noise."""


@dataclass(frozen=True, slots=True)
class CameraBiasOptions:
    """How much is taken out."""

    ridge: float = option(0.05, "added to the variance of every direction (lambda)", ge=1e-6)
    fewest: int = option(100, "pictures a camera needs to be whitened; with fewer it is only centred", ge=2)

    @property
    def name(self) -> str:
        """For tables."""
        return f"camera bias removed (lambda {self.ridge:g})"


DEFAULT = CameraBiasOptions()


def remove_camera_bias(
    query: Features, gallery: Features, options: CameraBiasOptions = DEFAULT
) -> tuple[Features, Features]:
    """Both with unit vectors freed from their cameras' bias, which is estimated on both together.

    Pictures of unknown cameras, and one that is its camera's mean (such as the only one), stay as they are.
    """
    vectors = np.concatenate([query.unit(), gallery.unit()])
    cameras = np.concatenate([query.cameras, gallery.cameras])
    for camera in np.unique(cameras[cameras != UNKNOWN]):
        rows = np.flatnonzero(cameras == camera)
        cleaned = _clean(vectors[rows], options)
        norms = np.linalg.norm(cleaned, axis=1)
        left = norms > _NOTHING_LEFT
        vectors[rows[left]] = cleaned[left] / norms[left, None]
    count = len(query)
    return (
        replace(query, vectors=vectors[:count], tricks=(*query.tricks, options.name)),
        replace(gallery, vectors=vectors[count:], tricks=(*gallery.tricks, options.name)),
    )


def _clean(vectors: Float32, options: CameraBiasOptions) -> Float32:
    """One camera's vectors, centred and, where there are enough, whitened."""
    centred: Float32 = vectors - vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    if len(vectors) < options.fewest:
        return centred
    covariance = (centred.T @ centred).astype(np.float64) / len(vectors)
    variances, axes = np.linalg.eigh(covariance)
    gains = 1 / np.sqrt(np.maximum(variances, 0) + options.ridge)
    whitened: Float32 = centred @ ((axes * gains) @ axes.T).astype(np.float32)
    return whitened
