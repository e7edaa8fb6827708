"""Cross-entropy of identities: label smoothing, temperature, polynomial terms."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class CrossEntropyOptions(LossOptions):
    """Smoothing as in the strong baselines; the rest is off."""

    smoothing: float = option(0.1, "share of the target spread over all identities", ge=0, le=1)
    temperature: float = option(1.0, "what logits are divided by", ge=0.01)
    poly: float = option(0.0, "factor of 1 - p, the first polynomial term", ge=-1, le=6)
    poly2: float = option(0.0, "factor of (1 - p)^2, the second polynomial term", ge=-1, le=6)


class CrossEntropy(Loss):
    """Cross-entropy of the logits with the smoothed identity.

    Targets ``q = (1 - smoothing) onehot + smoothing / C`` (Szegedy et al., Rethinking the Inception
    Architecture, CVPR 2016, section 7) and terms ``poly (1 - p_t) + poly2 (1 - p_t)^2`` (Leng et al.,
    PolyLoss, ICLR 2022), where ``1 - p_t`` is that expected of the target:
    ``sum q (1 - p)``. A mixed image is judged by both its identities in their shares (Zhang et al., mixup,
    ICLR 2018). Images without a label are left out of the mean.
    """

    Options = CrossEntropyOptions
    options: CrossEntropyOptions

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        o = self.options
        logs = (output.logits / o.temperature).log_softmax(1)
        losses = -expected(logs, labels, o.smoothing)
        if o.poly or o.poly2:
            missed = 1 - expected(logs.exp(), labels, o.smoothing)
            losses = losses + o.poly * missed + o.poly2 * missed.square()
        return mean_of(losses, labelled(labels))


def labelled(labels: Labels) -> torch.Tensor:
    """``(B,) bool``: images all of whose identities are known."""
    known = labels.identities >= 0
    return known if labels.others is None else known & (labels.others >= 0)


def expected(values: torch.Tensor, labels: Labels, smoothing: float) -> torch.Tensor:
    """``(B,)`` means of the rows of ``(B, C)`` under the target: own identity, mixed one, smoothing."""
    own = values.gather(1, labels.identities.clamp(min=0)[:, None])[:, 0]
    if labels.others is not None and labels.shares is not None:
        other = values.gather(1, labels.others.clamp(min=0)[:, None])[:, 0]
        shares = labels.shares.to(values.dtype)
        own = shares * own + (1 - shares) * other
    return (1 - smoothing) * own + smoothing * values.mean(1)
