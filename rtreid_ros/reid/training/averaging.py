"""The running mean of a network's weights, which is what gets judged and kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn


class WeightAverage:
    """Exponential moving average of parameters and buffers (Polyak and Juditsky, 1992).

    The decay warms up, ``min(decay, (1 + n) / (10 + n))`` at the n-th update, so that the first random
    weights are soon forgotten. Counts, which are no fractions, are copied.

    Args:
        model: the network that is being trained; its device and memory layout are kept.
        decay: share of the old mean that stays at each update.

    Attributes:
        model: the mean, in evaluation mode.
        updates: how many there were.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.model: nn.Module = copy.deepcopy(model).eval().requires_grad_(False)
        pairs = [
            (mean, now)
            for mean, now in zip(
                [*self.model.parameters(), *self.model.buffers()],
                [*model.parameters(), *model.buffers()],
                strict=True,
            )
        ]
        smooth = [pair for pair in pairs if pair[0].is_floating_point()]
        self._means, self._sources = [mean for mean, _ in smooth], [now.detach() for _, now in smooth]
        self._counts = [(mean, now) for mean, now in pairs if not mean.is_floating_point()]

    def update(self) -> None:
        """Move the mean towards the weights as they are now."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            torch._foreach_lerp_(self._means, self._sources, 1 - decay)
            for mean, now in self._counts:
                mean.copy_(now)
        self.updates += 1

    def restore(self, weights: Mapping[str, torch.Tensor], updates: int) -> None:
        """Become a mean that was kept.

        Raises:
            RuntimeError: it is that of another network.
        """
        self.model.load_state_dict(weights)
        self.updates = updates
