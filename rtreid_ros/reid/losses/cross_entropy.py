"""Cross-entropy of identities: label smoothing, temperature, polynomial terms."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels
from rtreid_ros.reid.losses.identification import Identification, IdentificationOptions


@dataclass(frozen=True, slots=True)
class CrossEntropyOptions(IdentificationOptions):
    """Smoothing as in the strong baselines; the rest is off."""

    smoothing: float = option(0.1, "share of the target spread over all identities", ge=0, le=1)


class CrossEntropy(Identification):
    """``-sum q log p + poly u + poly2 u^2``, where ``u = sum q (1 - p)`` is ``1 - p_t`` under the target.

    The polynomial terms are those of Leng et al., PolyLoss, ICLR 2022 (Poly-1: ``poly`` alone).
    """

    Options = CrossEntropyOptions
    options: CrossEntropyOptions

    def of_logs(self, logs: torch.Tensor, labels: Labels) -> torch.Tensor:
        """See `Identification.of_logs`."""
        o = self.options
        losses = -self.expected(logs, labels, o.smoothing)
        if o.poly or o.poly2:
            missed = 1 - self.expected(logs.exp(), labels, o.smoothing)
            losses = losses + o.poly * missed + o.poly2 * missed.square()
        return losses
