"""What a similarity means: learnt from what is certain.

Embedders differ widely: two people may have a cosine of 0 by one and of 0.6 by another. But tracks
that one camera shows at the same time are certainly different people, and the first and second half
of a track are (nearly always) one. Both come for free all the time. Similarities of the first kind
give the distribution for *different* people. Those of the second give its counterpart only for one
camera and one moment; how much less alike one person is elsewhere or later is learnt from the links
made, each weighed by its probability (a step of expectation maximisation), against a prior.

Pairs are kept as vectors, not as numbers, because what is taken out of them (`looks.CameraMeans`)
grows; the distributions are fitted anew from the latest pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtreid_ros.gallery.looks import CameraMeans, Looks
from rtreid_ros.types import Float32, Float64

_DIFFERENT = (0.3, 0.2, 4.0)
"""Prior of the similarity of different people: mean, standard deviation, pairs it is worth."""
_ALIKE = (0.9, 4.0)
"""Prior of the mean similarity within a track, and pairs it is worth."""
_AGAIN = (0.8, 0.2, 10.0)
"""Prior of the similarity to oneself elsewhere, on a scale where different people have mean 0 and the
halves of a track mean 1: mean, standard deviation, links it is worth. The deviation is not learnt:
links cannot tell it, because those of little similarity are not made. On Market-1501 with a network
of another data set the two are 0.95 and 0.18."""
_LEAST_GAP = 0.05
"""An embedder that sets people less apart than this tells nothing."""
_TAIL = 14.0
"""Degrees of freedom of Student's t for different people: some look very much alike. With 14, one pair
in a thousand lies 3.8 standard deviations up, as on Market-1501; of a normal distribution 3.1."""
_DOUBT = 1e-4
"""Chance that a certainty is none (a local track that changed persons): bounds what a look can prove."""


class Pairs:
    """The latest pairs of mean looks of one kind, `capacity` at most, each with a weight."""

    def __init__(self, capacity: int = 256) -> None:
        self._capacity = capacity
        self.reset(0)

    def reset(self, dim: int) -> None:
        """Forget all; looks have length `dim` from now on."""
        size = self._capacity
        self._means: Float32 = np.zeros((2, size, dim), np.float32)
        self._shares: Float32 = np.zeros((2, size, 0), np.float32)
        self._weights: Float64 = np.zeros(size)
        self.added = 0

    def add(self, first: Looks, second: Looks, weight: float = 1.0) -> None:
        """Remember pairs of rows; a single row of `first` goes with all of `second`."""
        cameras = max(first.shares.shape[1], second.shares.shape[1])
        if self._shares.shape[2] < cameras:
            wide = np.zeros((*self._shares.shape[:2], cameras), np.float32)
            wide[..., : self._shares.shape[2]] = self._shares
            self._shares = wide
        at = (self.added + np.arange(len(second))) % self._capacity
        for side, looks in enumerate((first, second)):
            self._means[side, at] = looks.means
            self._shares[side][at, : looks.shares.shape[1]] = looks.shares
        self._weights[at] = weight
        self.added += len(second)

    def similarities(self, cameras: CameraMeans) -> tuple[Float64, Float64]:
        """Cosine ``(n,)`` of each pair and its weight."""
        count = min(self.added, self._capacity)
        first, second = (
            cameras.clean(Looks(self._means[side, :count], self._shares[side, :count])) for side in (0, 1)
        )
        cosine = np.einsum("nd,nd->n", first, second, dtype=np.float64)
        return cosine, self._weights[:count]


@dataclass(frozen=True, slots=True)
class Model:
    """Distributions of the similarity of different people, and of one person seen again."""

    different_mean: float
    different_sd: float
    again_mean: float
    again_sd: float

    def log_odds(self, similarity: Float32) -> Float64:
        """How much a similarity speaks for one person, log p(s | one) / p(s | different), bounded.

        A normal distribution for one person, Student's t for different people. Beyond its mean each
        stays at its peak: more alike than usual never speaks against, nor less alike than usual for.
        """
        s = similarity.astype(np.float64)
        again = -0.5 * (np.minimum(s - self.again_mean, 0) / self.again_sd) ** 2
        apart = np.maximum(s - self.different_mean, 0) / self.different_sd
        different = -0.5 * (_TAIL + 1) * np.log1p(apart**2 / _TAIL)
        ratio = again - different + np.log(self.different_sd / self.again_sd)
        share = np.exp(np.clip(ratio, -50, 50))
        bounded: Float64 = np.log(((1 - _DOUBT) * share + _DOUBT) / (1 - _DOUBT + _DOUBT * share))
        return bounded


class Calibration:
    """Collects certain pairs and links; `model` says what they teach.

    Attributes:
        different: tracks of one camera seen at the same time.
        alike: first and second half of a track's looks.
        linked: a track and the identity it was given, weighed by the probability.
    """

    def __init__(self) -> None:
        self.different = Pairs()
        self.alike = Pairs()
        self.linked = Pairs()
        self._fitted: tuple[int, int, int] | None = None
        self._model = self._fit(CameraMeans())

    def reset(self, dim: int) -> None:
        """Forget everything; looks have length `dim` from now on."""
        for pairs in (self.different, self.alike, self.linked):
            pairs.reset(dim)
        self._fitted = None

    def model(self, cameras: CameraMeans) -> Model:
        """The distributions by all that has been collected."""
        state = (self.different.added, self.alike.added, self.linked.added)
        if state != self._fitted:
            self._model, self._fitted = self._fit(cameras), state
        return self._model

    def _fit(self, cameras: CameraMeans) -> Model:
        mean, sd = _normal(*self.different.similarities(cameras), _DIFFERENT)
        alike, _ = self.alike.similarities(cameras)
        within, worth = _ALIKE
        gap = max((alike.sum() + within * worth) / (len(alike) + worth) - mean, _LEAST_GAP)
        linked, weights = self.linked.similarities(cameras)
        before, spread, worth = _AGAIN
        again = (weights @ (linked - mean) / gap + before * worth) / (weights.sum() + worth)
        return Model(mean, sd, mean + gap * again, gap * spread)


def _normal(values: Float64, weights: Float64, prior: tuple[float, float, float]) -> tuple[float, float]:
    """Mean and standard deviation of `values` together with a prior worth some of them."""
    before, sd, worth = prior
    total = weights.sum() + worth
    mean = (weights @ values + worth * before) / total
    variance = (weights @ (values - mean) ** 2 + worth * (sd**2 + (before - mean) ** 2)) / total
    return float(mean), float(np.sqrt(variance))
