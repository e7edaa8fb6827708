"""Circle loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class CircleOptions(LossOptions):
    """What the paper has for person re-identification."""

    margin: float = option(0.25, "how far from 1 positives and from 0 negatives may be, a cosine", ge=0, le=1)
    scale: float = option(128.0, "what cosines are multiplied by (gamma)", ge=1)


class Circle(Loss):
    """Similarities weighed by how far they are from where they should be.

    Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, CVPR 2020, section 3,
    for each image over its pairs in the batch, itself left out; the mean is over images that have
    positives and negatives and whose loss is not 0 in float32. Computed by pytorch-metric-learning.
    """

    Options = CircleOptions
    options: CircleOptions

    def build(self) -> None:
        """See `Loss.build`."""
        from pytorch_metric_learning.losses import CircleLoss  # noqa: PLC0415 (it takes a second to load)

        self.circle = CircleLoss(m=self.options.margin, gamma=self.options.scale)

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        whole = labels.whole()
        loss: torch.Tensor = self.circle(output.embedding[whole], labels.identities[whole])
        return loss
