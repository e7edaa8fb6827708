"""Necks between the metric space and the classifier."""

from __future__ import annotations

from torch import nn


def bn_neck(dim: int) -> nn.BatchNorm1d:
    """Batch normalisation whose bias stays zero (Luo et al., Bag of Tricks, 2019, section 3.5)."""
    neck = nn.BatchNorm1d(dim)
    neck.bias.requires_grad_(False)
    return neck


def classifier(dim: int, classes: int, *, bias: bool = False) -> nn.Linear:
    """The classifier behind a `bn_neck`, which is bias-free there, from weights N(0, 0.001)."""
    layer = nn.Linear(dim, classes, bias=bias)
    nn.init.normal_(layer.weight, std=0.001)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
