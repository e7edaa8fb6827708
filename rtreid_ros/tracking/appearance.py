"""What tracks look like: a smoothed embedding each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.tracking.rows import TrackRows
from rtreid_ros.types import Float32, Int64


@dataclass(slots=True)
class AppearanceRows(TrackRows):
    """Tracks with a memory of their looks."""

    features: Float32
    """``(N, D)`` rows of unit length, or of zeros for a track never seen with an embedding."""

    def widen(self, dim: int) -> None:
        """Give features their length, once the first embeddings tell it."""
        if self.features.shape[1] != dim:
            self.features = np.zeros((len(self), dim), np.float32)

    def blend(self, rows: Int64, embeddings: Float32, momentum: float) -> None:
        """Exponential moving average: keep the share `momentum` of what `rows` looked like.

        ``e <- a e + (1 - a) f``, back to unit length (Wang et al., Towards Real-Time MOT, ECCV 2020;
        StrongSORT, equation 1). A row of zeros becomes the embedding itself.
        """
        mixed = self.features[rows]
        mixed *= momentum
        mixed += (1 - momentum) * embeddings
        length = np.sqrt(np.einsum("nd,nd->n", mixed, mixed))[:, None]
        self.features[rows] = np.divide(mixed, length, out=mixed, where=length > 0)


def cosine_distance(features: Float32, embeddings: Float32) -> Float32:
    """``1 - cos`` of unit rows ``(N, D)`` and ``(M, D)``: ``(N, M)`` in [0, 2], 1 where a row is zero."""
    distance: Float32 = features @ embeddings.T
    np.subtract(1, distance, out=distance)
    return distance
