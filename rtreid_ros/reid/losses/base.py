"""What every loss is: options, memories, and a scalar from a network's output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ReIDOutput

UNLABELLED = -1
"""The identity of an image nobody has labelled, such as a generated one."""


class Labels(NamedTuple):
    """What is known of a batch.

    Attributes:
        identities: ``(B,) int64`` training identities in 0..C-1, or `UNLABELLED`.
        indices: ``(B,) int64`` rows of the images in their data set: who is who in a memory.
        others: ``(B,) int64`` identities mixed into the images (mixup); None = none.
        shares: ``(B,)`` how much of each image is its own; the rest is that of `others`.
    """

    identities: torch.Tensor
    indices: torch.Tensor
    others: torch.Tensor | None = None
    shares: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class LossOptions:
    """Options of a loss; each loss's own `Options` derive from it."""

    weight: float = option(1.0, "factor of this loss in the sum", ge=0)
    start: int = option(0, "first epoch in which it counts", ge=0)


class Loss(nn.Module):
    """Base of all losses. Memories and centres are buffers and parameters: a checkpoint holds them.

    Args:
        options: the loss's `Options`.
        dim: length D of the embeddings it will see.
        classes: training identities C.
        images: images in the training set, for memories.
    """

    Options: ClassVar[type[LossOptions]] = LossOptions

    def __init__(self, options: LossOptions, dim: int, classes: int, images: int = 0) -> None:
        super().__init__()
        self.options, self.dim, self.classes, self.images = options, dim, classes, images

    def forward(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """The loss of a batch: a scalar. Rows without a label are left out where a label is needed."""
        raise NotImplementedError

    def after_step(self, output: ReIDOutput, labels: Labels) -> None:
        """Bring memories up to date once the optimiser has stepped; `output` is detached."""
