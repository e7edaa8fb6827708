"""Layers that generators and discriminators share."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

Wrap = Callable[[nn.Module], nn.Module]
"""What is done to a layer with weights: spectral normalisation, or nothing."""


def plain(layer: nn.Module) -> nn.Module:
    """The layer as it is."""
    return layer


def spectral(layer: nn.Module) -> nn.Module:
    """Its weight divided by its largest singular value, found by one power iteration each forward.

    Miyato et al., Spectral Normalization for Generative Adversarial Networks, ICLR 2018, algorithm 1.
    """
    wrapped: nn.Module = nn.utils.parametrizations.spectral_norm(layer)
    return wrapped


class BatchNorm(nn.Module):
    """Batch normalisation, with a scale and shift of its own for every group where there are groups.

    De Vries et al., Modulating early visual processing by language, 2017; as used by Miyato and Koyama,
    cGANs with Projection Discriminator, ICLR 2018, section 4. Statistics are those of all groups together.

    Args:
        channels: of the maps.
        groups: 0 = one scale and shift for all.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=not groups)
        self.scale = self.shift = None
        if groups:
            self.scale, self.shift = nn.Embedding(groups, channels), nn.Embedding(groups, channels)
            nn.init.ones_(self.scale.weight)
            nn.init.zeros_(self.shift.weight)

    def forward(self, maps: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        """Normalised ``(B, C, h, w)`` maps of pictures of ``(B,)`` groups."""
        maps = self.norm(maps)
        if self.scale is None or self.shift is None:
            return maps
        return maps * self.scale(groups)[:, :, None, None] + self.shift(groups)[:, :, None, None]


class SelfAttention(nn.Module):
    """Every place looks at every other; it begins as the identity.

    Zhang et al., Self-Attention Generative Adversarial Networks, ICML 2019, equations 1 to 3.

    Args:
        channels: of the maps; an eighth of them compare and carry.
        wrap: of its 1x1 convolutions.
    """

    def __init__(self, channels: int, wrap: Wrap = plain) -> None:
        super().__init__()
        inner = max(channels // 8, 1)
        self.query, self.key, self.value = (wrap(nn.Conv2d(channels, inner, 1)) for _ in range(3))
        self.out = wrap(nn.Conv2d(inner, channels, 1))
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """``(B, C, h, w)`` maps with what they attend to added."""
        query, key, value = (
            layer(maps).flatten(2).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        # the paper's attention has no division by the root of the width
        seen = functional.scaled_dot_product_attention(query, key, value, scale=1.0)
        seen = seen.transpose(1, 2).reshape(maps.shape[0], -1, *maps.shape[2:])
        return maps + self.gain * self.out(seen)


class Score(nn.Module):
    """The score of a picture from its features, if conditional with their projection onto its group.

    Miyato and Koyama, cGANs with Projection Discriminator, ICLR 2018, equation 3.

    Args:
        features: how many there are.
        groups: 0 = not conditional.
        wrap: of its weights.
    """

    def __init__(self, features: int, groups: int, wrap: Wrap = plain) -> None:
        super().__init__()
        self.linear, self.groups = wrap(nn.Linear(features, 1)), None
        if groups:
            known = nn.Embedding(groups, features)
            nn.init.normal_(known.weight, 0.0, 0.02)  # the usual 1 would drown the score in the projection
            self.groups = wrap(known)

    def forward(self, features: torch.Tensor, groups: torch.Tensor | None) -> torch.Tensor:
        """``(B,)`` scores of ``(B, F)`` features."""
        scores: torch.Tensor = self.linear(features).squeeze(1)
        return scores if self.groups is None else scores + (self.groups(groups) * features).sum(1)


def begin_normal(network: nn.Module) -> None:
    """First weights from N(0, 0.02), scales from N(1, 0.02) (Radford et al., DCGAN, ICLR 2016, section 4)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.affine:
            nn.init.normal_(layer.weight, 1.0, 0.02)
            nn.init.zeros_(layer.bias)


def xavier(layer: nn.Module) -> nn.Module:
    """First weights by Glorot: on residual branches with gain root 2, else 1 (as by Miyato et al., 2018)."""
    rectified = isinstance(layer, nn.Conv2d) and layer.kernel_size != (1, 1)
    nn.init.xavier_uniform_(layer.weight, math.sqrt(2) if rectified else 1.0)
    if getattr(layer, "bias", None) is not None:
        nn.init.zeros_(layer.bias)
    return layer
