"""Inverted residuals of one width (Sandler et al., MobileNetV2, CVPR 2018, section 3), with plain ReLUs."""

from __future__ import annotations

import torch
from torch import nn


def conv_layer(
    inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1, *, linear: bool = False
) -> nn.Sequential:
    """Convolution, batch normalisation and, unless `linear`, a ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
    ]
    return nn.Sequential(*layers) if linear else nn.Sequential(*layers, nn.ReLU(inplace=True))


class MobileBlock(nn.Module):
    """``x + residual(x)``: widened by a pointwise, filtered by a depthwise, narrowed by a pointwise layer.

    Args:
        channels: of input and output.
        kernel: side of the depthwise convolution.
        expansion: channels between, as a multiple of `channels`.
    """

    def __init__(self, channels: int, kernel: int = 5, expansion: int = 2) -> None:
        super().__init__()
        inner = channels * expansion
        self.body = nn.Sequential(
            conv_layer(channels, inner, 1),
            conv_layer(inner, inner, kernel, groups=inner),
            conv_layer(inner, channels, 1, linear=True),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, channels, H, W)``."""
        return x + self.body(x)
