"""What losses of logits share: targets, mixed images, weights of identities."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.class_weights import BALANCES, class_weights
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class IdentificationOptions(LossOptions):
    """Options of all losses of logits."""

    smoothing: float = option(0.0, "share of the target spread over all identities", ge=0, le=1)
    temperature: float = option(1.0, "what logits are divided by", ge=0.01)
    poly: float = option(0.0, "factor of the first polynomial term, 1 - p", ge=-1, le=6)
    poly2: float = option(0.0, "factor of the second polynomial term, (1 - p)^2", ge=-1, le=6)
    balance: str = option("none", "weight of identities by how many images they have", choices=BALANCES)
    beta: float = option(
        0.99, "balance 'effective': how much an image repeats others of its identity", ge=0, le=0.9999
    )


class Identification(Loss):
    """Base of losses of the logits.

    The target of an image is ``q = (1 - smoothing) onehot + smoothing / C`` (Szegedy et al., Rethinking the
    Inception Architecture, CVPR 2016, section 7). A mixed image is judged by both its identities in
    their shares (Zhang et al., mixup, ICLR 2018). Images without a label are left out of the mean. A weight
    of identities multiplies the loss of their images.
    """

    Options = IdentificationOptions
    options: IdentificationOptions
    weights: torch.Tensor | None

    def build(self) -> None:
        """See `Loss.build`."""
        weights = class_weights(self.options.balance, self.options.beta, self.classes, self.counts)
        self.register_buffer("weights", weights, persistent=False)

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        losses = self.of_logs((output.logits / self.options.temperature).log_softmax(1), labels)
        if self.weights is not None:
            losses = losses * self.expected(self.weights.expand_as(output.logits), labels, smoothing=0)
        return mean_of(losses, self.judged(labels))

    def of_logs(self, logs: torch.Tensor, labels: Labels) -> torch.Tensor:
        """``(B,)`` losses from ``(B, C)`` logarithms of probabilities; this is what a loss defines."""
        raise NotImplementedError

    def judged(self, labels: Labels) -> torch.Tensor:
        """``(B,) bool``: images all of whose identities are known."""
        known = labels.identities >= 0
        return known if labels.others is None else known & ((labels.others >= 0) | labels.whole())

    def expected(self, values: torch.Tensor, labels: Labels, smoothing: float) -> torch.Tensor:
        """``(B,)`` means of the rows of ``(B, C)`` under the target."""
        own = values.gather(1, labels.identities.clamp(min=0)[:, None])[:, 0]
        if labels.others is not None and labels.shares is not None:
            other = values.gather(1, labels.others.clamp(min=0)[:, None])[:, 0]
            shares = labels.shares.to(values.dtype)
            own = shares * own + (1 - shares) * other
        return (1 - smoothing) * own + smoothing * values.mean(1)
