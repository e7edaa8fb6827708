"""Centre loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.class_means import class_sums
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class CentreOptions(LossOptions):
    """The weight of the strong baselines, the rate of the paper."""

    weight: float = option(5e-4, "factor of this loss in the sum", ge=0)
    rate: float = option(0.5, "how far a centre moves to the mean of its images in a step", ge=0, le=1)


class Centre(Loss):
    """Mean squared distance of embeddings to the centre of their identity.

    Wen et al., A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016,
    equation 2, as a mean and without the 1/2, which is what the usual weight of 0.0005 goes with (Luo et
    al., Bag of Tricks, 2019, section 3.6). Centres are moved in closed form after each step (equations 3
    and 4: ``c -= rate * sum(c - x) / (1 + n)``), so their pace depends on no weight and needs no
    optimizer of its own. A centre begins as the mean of the first images seen of its identity; until
    then they are not judged.
    """

    Options = CentreOptions
    options: CentreOptions
    centres: torch.Tensor
    seen: torch.Tensor

    def build(self) -> None:
        """See `Loss.build`."""
        self.register_buffer("centres", torch.zeros(self.classes, self.dim))
        self.register_buffer("seen", torch.zeros(self.classes, dtype=torch.bool))

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        own = labels.identities.clamp(min=0)
        squared = (output.embedding - self.centres[own]).square().sum(1)
        return mean_of(squared, labels.whole() & self.seen[own])

    def remember(self, output: ReIDOutput, labels: Labels) -> None:
        """See `Loss.remember`."""
        sums, counts = class_sums(output.embedding, labels.identities, labels.whole(), self.classes)
        moved = self.centres - self.options.rate * (counts * self.centres - sums) / (1 + counts)
        begun = torch.where(self.seen[:, None], moved, sums / counts.clamp(min=1))
        present = counts[:, 0] > 0
        self.centres.copy_(torch.where(present[:, None], begun, self.centres))
        self.seen |= present
