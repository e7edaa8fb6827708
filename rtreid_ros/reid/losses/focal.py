"""Focal loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels
from rtreid_ros.reid.losses.identification import Identification, IdentificationOptions


@dataclass(frozen=True, slots=True)
class FocalOptions(IdentificationOptions):
    """The published focus; the rest is off."""

    gamma: float = option(2.0, "how much less images count that are already told right; 0 = alike", ge=0)


class Focal(Identification):
    """Cross-entropy that counts images less the surer they are told right.

    Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, equation 5: ``-(1 - p)^gamma log p``, with
    the weights of identities for its alpha, and the polynomial terms ``poly (1 - p)^(gamma + 1) +
    poly2 (1 - p)^(gamma + 2)`` (Leng et al., PolyLoss, ICLR 2022). Under a smoothed or mixed target it is the
    mean over the target's identities.
    """

    Options = FocalOptions
    options: FocalOptions

    def of_logs(self, logs: torch.Tensor, labels: Labels) -> torch.Tensor:
        """See `Identification.of_logs`."""
        o = self.options
        missed = (-torch.expm1(logs)).clamp(min=torch.finfo(logs.dtype).tiny)  # roots have a slope at 0
        losses = missed**o.gamma * (o.poly * missed + o.poly2 * missed.square() - logs)
        return self.expected(losses, labels, o.smoothing)
