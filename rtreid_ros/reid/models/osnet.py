"""OSNet: omni-scale networks (Zhou et al., ICCV 2019), with instance normalisation (AIN, TPAMI 2021).

Parameters are named as in Torchreid's published files, so that those load as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import nn

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.neck import classifier

REDUCTION = 4
"""A block works on a quarter of its output's channels."""

STREAMS = 4
"""Streams of a block, of 1 to 4 convolutions each: its scales."""


@dataclass(frozen=True, slots=True)
class OSNetOptions(ModelOptions):
    """Options of `OSNet`."""

    width: float = option(1.0, "channels as a multiple of 64, 256, 384, 512", ge=0.0625, le=4)
    norm: str = option(
        "batch",
        "batch; ibn: instance norm in the stem and conv2; ain: where the paper's search put it",
        choices=("batch", "ibn", "ain"),
    )
    dim: int = option(512, "length of an embedding", ge=8, le=8192)
    relu: bool = option(
        False, "cut the negative half of the embedding off after the neck, as the published weights expect"
    )


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


class OSNet(ReIDModel):
    """Stem, three stages of two omni-scale blocks, a pointwise layer, mean pooling and a linear head.

    The embedding is the head's linear layer, the neck its batch normalisation.

    Attributes:
        channels: of stem and stages.
    """

    Options: ClassVar[type[ModelOptions]] = OSNetOptions

    def __init__(self, classes: int, options: OSNetOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        stem, two, three, four = (max(4, round(base * options.width)) for base in (64, 256, 384, 512))
        self.channels = (stem, two, three, four)
        self.dim, self.branches = options.dim, (options.dim,)
        places = {
            "batch": ("", "", "", "", "", ""),
            "ibn": ("after", "after", "", "", "", ""),
            "ain": ("inside", "inside", "", "inside", "inside", ""),  # what the paper's search found
        }[options.norm]
        listed = options.norm == "ain"
        self.conv1 = ConvLayer(3, stem, 7, 2, norm="batch" if options.norm == "batch" else "instance")
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.conv2 = self._stage(stem, two, places[:2], listed)
        self.conv3 = self._stage(two, three, places[2:4], listed)
        self.conv4 = self._stage(three, four, places[4:], listed)
        self.pool2, self.pool3 = self._transition(two), self._transition(three)
        if not listed:  # the other files hold a transition at the end of its stage
            self.conv2.append(self.pool2)
            self.conv3.append(self.pool3)
            self.pool2 = self.pool3 = nn.Identity()
        self.conv5 = ConvLayer(four, four, 1)
        self.fc = nn.Sequential(nn.Linear(four, options.dim), nn.BatchNorm1d(options.dim))
        self.relu = options.relu
        self.classifier = classifier(options.dim, classes, bias=True)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=0.01)
                nn.init.zeros_(module.bias)

    @staticmethod
    def _stage(inside: int, outside: int, instance: tuple[str, ...], listed: bool) -> nn.Sequential:
        return nn.Sequential(
            OSBlock(inside, outside, instance[0], listed=listed),
            OSBlock(outside, outside, instance[1], listed=listed),
        )

    @staticmethod
    def _transition(channels: int) -> nn.Sequential:
        return nn.Sequential(ConvLayer(channels, channels, 1), nn.AvgPool2d(2, 2))

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The last map ``(B, C, H/16, W/16)``."""
        x = self.pool2(self.conv2(self.maxpool(self.conv1(images))))
        return self.conv5(self.conv4(self.pool3(self.conv3(x))))

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; side information is not used."""
        embedding = self.fc[0](self.features(images).mean((2, 3)))
        neck = self.fc[1](embedding)
        if self.relu:
            neck = torch.relu(neck)
        if not self.training:
            return neck
        return ReIDOutput(embedding, neck, self.classifier(neck))


OSNET = {
    f"osnet_{prefix}x{text}": ModelEntry(
        OSNet, {"width": width, "norm": norm}, f"OSNet {name}, width {width:g}".replace("  ", " ")
    )
    for norm, prefix, name, widths in (
        ("batch", "", "", (("0_25", 0.25), ("0_5", 0.5), ("0_75", 0.75), ("1_0", 1.0), ("1_25", 1.25))),
        ("ibn", "ibn_", "IBN", (("1_0", 1.0),)),
        ("ain", "ain_", "AIN", (("0_25", 0.25), ("0_5", 0.5), ("0_75", 0.75), ("1_0", 1.0))),
    )
    for text, width in widths
}
"""The names of this family."""
