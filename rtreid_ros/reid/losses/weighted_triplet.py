"""The triplet loss whose hardness is weighed, not picked."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.distances import euclidean, pairs_within, softmax_over, unit
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class WeightedTripletOptions(LossOptions):
    """It has no margin to set."""

    normalise: bool = option(False, "compare embeddings of unit length")


class WeightedTriplet(Loss):
    """Weighted-regularised triplet: every image against the weighted mean of its positives and negatives.

    Ye et al., Deep Learning for Person Re-Identification: A Survey and Outlook, TPAMI 2021 (AGW),
    section 4: weights are the softmax of distance over positives, of minus distance over negatives;
    ``log(1 + exp(sum w_p d_p - sum w_n d_n))``. An image is no positive of itself; one without a
    positive or without a negative is left out of the mean.
    """

    Options = WeightedTripletOptions
    options: WeightedTripletOptions

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        embedding = unit(output.embedding) if self.options.normalise else output.embedding
        return weighted_regularised(euclidean(embedding, embedding), *pairs_within(labels))


def weighted_regularised(
    distances: torch.Tensor, positive: torch.Tensor, negative: torch.Tensor
) -> torch.Tensor:
    """The loss of ``(A, B)`` distances of anchors."""
    far = (softmax_over(distances, positive) * distances).sum(1)
    near = (softmax_over(-distances, negative) * distances).sum(1)
    return mean_of(functional.softplus(far - near), positive.any(1) & negative.any(1))
