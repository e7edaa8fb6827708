"""Weights of identities against imbalance."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rtreid_ros.errors import ConfigError

BALANCES = ("none", "inverse", "effective")


def class_weights(
    balance: str, beta: float, classes: int, counts: Sequence[int] | None
) -> torch.Tensor | None:
    """``(C,)`` weights with mean 1; None where the balance is "none".

    "inverse" weighs an identity of n images by ``1 / n``, "effective" by ``(1 - beta) / (1 - beta^n)``
    (Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, section 4).

    Raises:
        ConfigError: a balance is asked for and the counts are not known, not C, or below 1.
    """
    if balance == "none":
        return None
    if counts is None or len(counts) != classes or min(counts) < 1:
        told = "not known" if counts is None else f"{len(counts)}, the least {min(counts, default=0)}"
        raise ConfigError(
            f"balance {balance!r} needs how many images, at least 1, each of {classes} identities has; "
            f"the counts are {told}"
        )
    images = torch.tensor(counts, dtype=torch.float64)
    weights = 1 / images if balance == "inverse" else (1 - beta) / (1 - beta**images)
    return (weights / weights.mean()).float()
