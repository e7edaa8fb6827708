"""Omni-scale residual blocks (Zhou et al., ICCV 2019), named inside as in Torchreid's files."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

REDUCTION = 4
"""A block works on a quarter of its output's channels."""

STREAMS = 4
"""Streams of a block, of 1 to 4 convolutions each: its scales."""

NORMS = {"batch": nn.BatchNorm2d, "instance": partial(nn.InstanceNorm2d, affine=True), "none": nn.Identity}


def _conv(inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)


class ConvLayer(nn.Module):
    """Convolution, normalisation and, unless `linear`, ReLU."""

    def __init__(
        self,
        inside: int,
        outside: int,
        kernel: int,
        stride: int = 1,
        *,
        norm: str = "batch",
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = _conv(inside, outside, kernel, stride)
        self.bn = NORMS[norm](outside)
        self.linear = linear

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``."""
        x = self.bn(self.conv(x))
        return x if self.linear else torch.relu(x)


class LightConv(nn.Module):
    """Pointwise convolution, then a depthwise 3x3 one (the paper's Lite 3x3)."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv1 = _conv(inside, outside, 1)
        self.conv2 = _conv(outside, outside, 3, groups=outside)
        self.bn = nn.BatchNorm2d(outside)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``."""
        return torch.relu(self.bn(self.conv2(self.conv1(x))))


class ChannelGate(nn.Module):
    """Weights of a stream's channels from its own mean; one gate serves all streams of a block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 16, 1)
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``, gated."""
        return x * torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3), keepdim=True)))))


class Stream(nn.Module):
    """As many Lite 3x3 convolutions in a row as its scale says."""

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(LightConv(channels, channels) for _ in range(scale)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)``."""
        return self.layers(x)


class OSBlock(nn.Module):
    """Omni-scale residual block.

    Args:
        inside: channels of the input.
        outside: channels of the output.
        instance: where an instance normalisation goes: ``after`` the sum (IBN), ``inside`` the residual
            path, in place of its batch normalisation (AIN), or nowhere.
        listed: whether the streams stand in a list, as in the files of AIN, or have a letter each.
    """

    def __init__(self, inside: int, outside: int, instance: str = "", *, listed: bool = False) -> None:
        super().__init__()
        middle = outside // REDUCTION
        self.conv1 = ConvLayer(inside, middle, 1)
        streams = [Stream(middle, scale) for scale in range(1, STREAMS + 1)]
        if listed:
            self.conv2 = nn.ModuleList(streams)
        else:
            self.conv2a = streams[0].layers[0]
            self.conv2b, self.conv2c, self.conv2d = (stream.layers for stream in streams[1:])
        self.gate = ChannelGate(middle)
        inner = "none" if instance == "inside" else "batch"
        self.conv3 = ConvLayer(middle, outside, 1, norm=inner, linear=True)
        self.downsample = ConvLayer(inside, outside, 1, linear=True) if inside != outside else nn.Identity()
        self.IN = NORMS["instance" if instance else "none"](outside)
        self._instance, self._listed = instance, listed

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, inside, H, W)`` to ``(B, outside, H, W)``."""
        reduced = self.conv1(x)
        streams = self.conv2 if self._listed else (self.conv2a, self.conv2b, self.conv2c, self.conv2d)
        first, *others = (self.gate(stream(reduced)) for stream in streams)
        y = self.conv3(sum(others, first))
        if self._instance == "inside":
            return torch.relu(self.IN(y) + self.downsample(x))
        return torch.relu(self.IN(y + self.downsample(x)))
