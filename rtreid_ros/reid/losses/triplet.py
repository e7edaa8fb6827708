"""Triplet losses with hard mining."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.distances import euclidean, pairs_within, unit
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class TripletOptions(LossOptions):
    """Published defaults; the penalty is off."""

    margin: float = option(0.3, "how much nearer a positive must be than a negative", ge=0)
    soft: bool = option(False, "log(1 + exp(difference)) in place of the margin")
    penalty: float = option(
        0.0, "share by which positives are counted farther and negatives nearer", ge=0, le=0.99
    )
    normalise: bool = option(False, "compare embeddings of unit length")


class Triplet(Loss):
    """Every image against its farthest positive and nearest negative in the batch.

    Hermans et al., In Defense of the Triplet Loss for Person Re-Identification, 2017, equation 5:
    ``[m + d_p - d_n]+``, or ``log(1 + exp(d_p - d_n))`` where it is soft. With a penalty b, whose origin
    no paper names, ``[m (1 - b) / (1 + b) + (1 + b) d_p - (1 - b) d_n]+``. Identities may have any number
    of images; an image without a positive or without a negative is left out of the mean. Two views of
    images, both in the batch, are mined like any other images: the farther positive counts.
    """

    Options = TripletOptions
    options: TripletOptions

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        o = self.options
        embedding = unit(output.embedding) if o.normalise else output.embedding
        return batch_hard(
            euclidean(embedding, embedding), *pairs_within(labels), None if o.soft else o.margin, o.penalty
        )


def batch_hard(
    distances: torch.Tensor,
    positive: torch.Tensor,
    negative: torch.Tensor,
    margin: float | None,
    penalty: float = 0.0,
) -> torch.Tensor:
    """The loss of ``(A, B)`` distances of anchors; a margin of None is the soft one."""
    infinite = float("inf")
    farthest = distances.masked_fill(~positive, -infinite).amax(1)
    nearest = distances.masked_fill(~negative, infinite).amin(1)
    judged = positive.any(1) & negative.any(1)
    difference = torch.where(judged, (1 + penalty) * farthest - (1 - penalty) * nearest, 0)
    if margin is None:
        losses = functional.softplus(difference)
    else:
        losses = functional.relu(difference + margin * (1 - penalty) / (1 + penalty))
    return mean_of(losses, judged)


@dataclass(frozen=True, slots=True)
class SemiHardTripletOptions(LossOptions):
    """The published margin."""

    margin: float = option(0.2, "how much nearer a positive must be than a negative, squared", ge=0)


class SemiHardTriplet(Loss):
    """Every pair of one identity against the nearest negative that is farther than the positive.

    Schroff et al., FaceNet, CVPR 2015, equations 1 to 4, on squared distances of unit-length embeddings:
    ``[m + d_p^2 - d_n^2]+``. Where no negative is farther, the farthest of all is taken. The mean is over
    pairs whose anchor has a negative.
    """

    Options = SemiHardTripletOptions
    options: SemiHardTripletOptions

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        embedding = unit(output.embedding)
        squared = euclidean(embedding, embedding).square()
        positive, negative = pairs_within(labels)
        # of anchor a, positive p and negative n
        farther = negative[:, None, :] & (squared[:, None, :] > squared[:, :, None])
        nearest = squared[:, None, :].masked_fill(~farther, float("inf")).amin(2)
        farthest = squared.masked_fill(~negative, -float("inf")).amax(1, keepdim=True)
        chosen = torch.where(farther.any(2), nearest, farthest)
        judged = positive & negative.any(1, keepdim=True)
        losses = functional.relu(torch.where(judged, self.options.margin + squared - chosen, 0))
        return mean_of(losses, judged)
