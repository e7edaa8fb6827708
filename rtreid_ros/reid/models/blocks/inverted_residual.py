"""Inverted residuals of MobileNet v2 (Sandler et al., CVPR 2018) and v4 (Qin et al., ECCV 2024).

Parameters are named as in Torchreid's files of v2 and in timm's of v4.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional


class ConvNorm(nn.Module):
    """Convolution and batch norm.

    Args:
        inside: channels of the input.
        outside: channels of the output.
        kernel: side of the convolution, odd.
        stride: of the convolution.
        depthwise: every channel on its own.
    """

    def __init__(
        self, inside: int, outside: int, kernel: int, stride: int = 1, *, depthwise: bool = False
    ) -> None:
        super().__init__()
        groups = inside if depthwise else 1
        self.conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, H, W)`` to ``(B, outside, H / stride, W / stride)``."""
        return self.bn(self.conv(x))


class ConvReLU6(ConvNorm):
    """With a ReLU cut off at 6 behind it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the base."""
        return functional.relu6(super().forward(x))


class ConvReLU(nn.Module):
    """Convolution, batch norm and ReLU, named as in v4's first and last stages."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, H, W)`` to ``(B, outside, H / stride, W / stride)``."""
        return functional.relu(self.bn1(self.conv(x)))


class InvertedResidual(nn.Module):
    """Wide inside, narrow and linear at its ends (v2, section 3.3).

    Args:
        inside: channels of the input.
        outside: channels of the output.
        expansion: channels between, as a multiple of `inside`.
        stride: of the block.
    """

    def __init__(self, inside: int, outside: int, expansion: int, stride: int) -> None:
        super().__init__()
        hidden = inside * expansion
        self.conv1 = ConvReLU6(inside, hidden, 1)
        self.dwconv2 = ConvReLU6(hidden, hidden, 3, stride, depthwise=True)
        self.conv3 = nn.Sequential(nn.Conv2d(hidden, outside, 1, bias=False), nn.BatchNorm2d(outside))
        self._residual = stride == 1 and inside == outside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, H, W)`` to ``(B, outside, H / stride, W / stride)``."""
        y = self.conv3(self.dwconv2(self.conv1(x)))
        return x + y if self._residual else y


class BottleneckSpec(NamedTuple):
    """A universal inverted bottleneck.

    Attributes:
        first: kernel of the depthwise convolution before the expansion; 0 = none.
        middle: of the one after it; 0 = none.
        hidden: channels within.
        channels: of the output.
        stride: taken by the later of the two convolutions.
    """

    first: int
    middle: int
    hidden: int
    channels: int
    stride: int = 1


class UniversalInvertedBottleneck(nn.Module):
    """Inverted residual with a depthwise convolution before, within, or both (v4, section 4).

    Args:
        inside: channels of the input.
        spec: see there.
    """

    def __init__(self, inside: int, spec: BottleneckSpec) -> None:
        super().__init__()
        first, middle, hidden, outside, stride = spec
        self.dw_start = self.dw_mid = None
        if first:
            self.dw_start = ConvNorm(inside, inside, first, 1 if middle else stride, depthwise=True)
        self.pw_exp = ConvNorm(inside, hidden, 1)
        if middle:
            self.dw_mid = ConvNorm(hidden, hidden, middle, stride, depthwise=True)
        self.pw_proj = ConvNorm(hidden, outside, 1)
        self._residual = stride == 1 and inside == outside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, H, W)`` to ``(B, channels, H / stride, W / stride)``."""
        y = x if self.dw_start is None else self.dw_start(x)
        y = functional.relu(self.pw_exp(y))
        if self.dw_mid is not None:
            y = functional.relu(self.dw_mid(y))
        y = self.pw_proj(y)
        return x + y if self._residual else y
