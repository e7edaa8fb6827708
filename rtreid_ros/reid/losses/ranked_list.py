"""Ranked list loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.distances import euclidean, pairs_within, softmax_over, unit
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class RankedListOptions(LossOptions):
    """Published defaults."""

    boundary: float = option(1.2, "distance that negatives are to keep (alpha)", ge=0, le=2)
    margin: float = option(0.4, "how much nearer than that positives are to be", ge=0, le=2)
    temperature: float = option(10.0, "how much more the nearer of the negatives count; 0 = alike", ge=0)
    share: float = option(0.5, "share of negatives in the sum, the rest is that of positives", ge=0, le=1)


class RankedList(Loss):
    """Positives within a ball, negatives outside a larger one; only those that are not are judged.

    Wang et al., Ranked List Loss for Deep Metric Learning, CVPR 2019, section 3, on unit-length embeddings.
    Of an image, ``L_P`` is the mean of ``d - (boundary - margin)`` over positives that are too far, ``L_N``
    the mean of ``boundary - d`` over negatives that are too near, weighted by ``exp(temperature (boundary
    - d))``; weights say how strongly an image is pushed and have no gradient of their own. The mean is over
    images that have positives and negatives. Our own: the loss of pytorch-metric-learning adds 1e-5 a
    column to what it divides by, and passes over a negative at distance 0, the worst there is.
    """

    Options = RankedListOptions
    options: RankedListOptions

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        o = self.options
        embedding = unit(output.embedding)
        distances = euclidean(embedding, embedding)
        positive, negative = pairs_within(labels)
        radius = o.boundary - o.margin
        far, near = positive & (distances > radius), negative & (distances < o.boundary)
        pull = torch.where(far, distances - radius, 0).sum(1) / far.sum(1).clamp(min=1)
        weights = softmax_over(-o.temperature * distances.detach(), near)
        push = (weights * (o.boundary - distances)).sum(1)
        losses = (1 - o.share) * pull + o.share * push
        return mean_of(losses, positive.any(1) & negative.any(1))
