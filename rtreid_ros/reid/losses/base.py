"""What every loss is: options, memories, and a scalar from a network's output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ReIDOutput
from rtreid_ros.reid.models.blocks.precision import precise as at_least_single

UNLABELLED = -1
"""The identity of an image nobody has labelled, such as a generated one."""


class Labels(NamedTuple):
    """What is known of a batch.

    Attributes:
        identities: ``(B,) int64`` training identities in 0..C-1, or `UNLABELLED`.
        indices: ``(B,) int64`` rows of the images in their data set: who is who in a memory.
        others: ``(B,) int64`` identities mixed into the images (mixup); None = none.
        shares: ``(B,)`` how much of each image is its own; the rest is that of `others`. Losses of logits
            judge an image by both; losses of pairs and of memories leave out what is not all its own.
    """

    identities: torch.Tensor
    indices: torch.Tensor
    others: torch.Tensor | None = None
    shares: torch.Tensor | None = None

    def whole(self) -> torch.Tensor:
        """``(B,) bool``: images of one known identity, which is what losses of pairs judge."""
        known = self.identities >= 0
        return known if self.shares is None else known & (self.shares == 1)


@dataclass(frozen=True, slots=True)
class LossOptions:
    """Options of a loss; each loss's own `Options` derive from it."""

    weight: float = option(1.0, "factor of this loss in the sum", ge=0)
    start: int = option(0, "first epoch in which it counts", ge=0)


class Loss(nn.Module):
    """Base of all losses.

    A loss computes in float32 at least, also under autocast. A batch that gives it nothing to judge
    costs 0 and moves nothing. Memories and centres are buffers: a checkpoint holds them. None draws
    random numbers, and none has parameters, so an optimizer needs the network's alone.

    Args:
        options: the loss's `Options`.
        dim: length D of the embeddings it will see.
        classes: training identities C.
        images: images in the training set, for memories.
        counts: images of each identity, for weights against imbalance; None = not known.
    """

    Options: ClassVar[type[LossOptions]] = LossOptions
    wants_features: ClassVar[bool] = False
    """Whether it gains from `initialise` before its first batch."""

    def __init__(
        self,
        options: LossOptions,
        dim: int,
        classes: int,
        images: int = 0,
        counts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.options, self.dim, self.classes, self.images, self.counts = options, dim, classes, images, counts
        self.build()

    def build(self) -> None:
        """Make memories and whatever else is needed, once options and sizes are known."""

    def active_in(self, epoch: int) -> bool:
        """Whether it has a weight and has started."""
        return epoch >= self.options.start and self.options.weight > 0

    def forward(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """The loss of a batch: a scalar with gradient."""
        with torch.autocast(output.embedding.device.type, enabled=False):
            return self.judge(precise(output), labels)

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """`forward` on an output that is precise enough; this is what a loss defines."""
        raise NotImplementedError

    def after_step(self, output: ReIDOutput, labels: Labels) -> None:
        """Bring memories up to date with a batch once the optimizer has stepped."""
        with torch.no_grad(), torch.autocast(output.embedding.device.type, enabled=False):
            self.remember(precise(output), labels)

    def initialise(self, necks: torch.Tensor, identities: torch.Tensor) -> None:
        """Begin memories from the training set; losses whose `wants_features` is set define it.

        Args:
            necks: ``(N, D)`` of its images, after the neck, as the network gives them in evaluation mode.
            identities: ``(N,) int64``; rows of `UNLABELLED` are passed over.
        """

    def remember(self, output: ReIDOutput, labels: Labels) -> None:
        """`after_step` on an output that is precise enough; losses with a memory define it."""


def precise(output: ReIDOutput) -> ReIDOutput:
    """An output in float32, or float64 where it is: half precision loses small distances."""
    return ReIDOutput(*map(at_least_single, output[:3]))


def mean_of(values: torch.Tensor, judged: torch.Tensor) -> torch.Tensor:
    """The mean of those of the values whose place in `judged`, a mask of their shape, is set; 0 of none."""
    return torch.where(judged, values, 0).sum() / judged.sum().clamp(min=1)
