"""Necks between the metric space and the classifier."""

from __future__ import annotations

from torch import nn


def bn_neck(dim: int) -> nn.BatchNorm1d:
    """Batch normalisation whose bias stays zero (Luo et al., Bag of Tricks, 2019, section 3.5)."""
    neck = nn.BatchNorm1d(dim)
    neck.bias.requires_grad_(False)
    return neck


class _Classifier(nn.Linear):
    def reset_parameters(self) -> None:
        """In place of torch's own start, which warns where there are no classes."""
        nn.init.normal_(self.weight, std=0.001)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def classifier(dim: int, classes: int, *, bias: bool = False) -> nn.Linear:
    """The classifier behind a `bn_neck`, which is bias-free there, from weights N(0, 0.001)."""
    return _Classifier(dim, classes, bias=bias)
