"""MobileNets for small computers: v2 (Sandler et al., CVPR 2018) and v4 (Qin et al., ECCV 2024).

Parameters are named as in Torchreid's files of v2 and in timm's of v4, so that those load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.initialise import initialise_convolutions
from rtreid_ros.reid.models.blocks.inverted_residual import (
    BottleneckSpec,
    ConvReLU,
    ConvReLU6,
    InvertedResidual,
    UniversalInvertedBottleneck,
)
from rtreid_ros.reid.models.blocks.pooling import AveragePooling
from rtreid_ros.reid.models.neck import bn_neck, classifier


class V2Stage(NamedTuple):
    """A stage of MobileNet v2: the paper's table 2."""

    expansion: int
    channels: int
    blocks: int
    stride: int


V2 = (
    V2Stage(1, 16, 1, 1),
    V2Stage(6, 24, 2, 2),
    V2Stage(6, 32, 3, 2),
    V2Stage(6, 64, 4, 2),
    V2Stage(6, 96, 3, 1),
    V2Stage(6, 160, 3, 2),
    V2Stage(6, 320, 1, 1),
)
V2_LAST = 1280
"""Channels of the last convolution; wider networks have more, narrower ones not fewer."""

V4_SMALL = (
    (
        BottleneckSpec(5, 5, 192, 96, 2),
        *(BottleneckSpec(0, 3, 192, 96),) * 4,
        BottleneckSpec(3, 0, 384, 96),
    ),
    (
        BottleneckSpec(3, 3, 576, 128, 2),
        BottleneckSpec(5, 5, 512, 128),
        BottleneckSpec(0, 5, 512, 128),
        BottleneckSpec(0, 5, 384, 128),
        *(BottleneckSpec(0, 3, 512, 128),) * 2,
    ),
)
"""Stages 3 and 4 of MobileNet v4-Conv-S: the paper's table 11."""

V4_LAST = 960


@dataclass(frozen=True, slots=True)
class MobileNetOptions(ModelOptions):
    """Options of `MobileNetV2` and `MobileNetV4`."""

    width: float = option(1.0, "channels as a multiple of the paper's", ge=0.125, le=4)
    last_stride: int = option(2, "of the last stage that shrinks; 1 keeps the map twice as large", ge=1, le=2)
    dim: int = option(0, "length of an embedding; 0 = as pooled, without a linear layer", ge=0, le=8192)


class _MobileNet(ReIDModel):
    """Features, their mean, an optional linear layer (the embedding), BN-neck and classifier."""

    Options: ClassVar[type[ModelOptions]] = MobileNetOptions

    def __init__(self, classes: int, options: MobileNetOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        channels = self._build(options)
        initialise_convolutions(self)
        self.pool = AveragePooling()
        self.dim = options.dim or channels
        self.branches = (self.dim,)
        self.fc = nn.Linear(channels, self.dim) if options.dim else nn.Identity()
        self.neck = bn_neck(self.dim)
        self.classifier = classifier(self.dim, classes)

    def _build(self, options: MobileNetOptions) -> int:
        """Makes the trunk and tells its channels."""
        raise NotImplementedError

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The last map ``(B, C, H/32, W/32)``, with `last_stride` 1 twice as large."""
        raise NotImplementedError

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; side information is not used."""
        embedding = self.fc(self.pool(self.features(images)).to(self.neck.weight.dtype))
        neck = self.neck(embedding)
        return ReIDOutput(embedding, neck, self.classifier(neck)) if self.training else neck


class MobileNetV2(_MobileNet):
    """Torchreid's MobileNet v2, its mean as embedding, with a BN-neck."""

    def _build(self, options: MobileNetOptions) -> int:
        inside = int(32 * options.width)
        last = int(V2_LAST * max(options.width, 1))
        layers: list[nn.Module] = [ConvReLU6(3, inside, 3, 2)]
        shrinking = max(index for index, stage in enumerate(V2) if stage.stride > 1)
        for index, stage in enumerate(V2):
            outside = int(stage.channels * options.width)
            stride = options.last_stride if index == shrinking else stage.stride
            blocks = []
            for block in range(stage.blocks):
                blocks.append(InvertedResidual(inside, outside, stage.expansion, 1 if block else stride))
                inside = outside
            layers.append(nn.Sequential(*blocks))
        layers.append(ConvReLU6(inside, last, 1))
        self._names = [f"conv{number}" for number in range(1, len(layers) + 1)]
        for name, layer in zip(self._names, layers, strict=True):
            setattr(self, name, layer)
        return last

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """See the base."""
        for name in self._names:
            images = getattr(self, name)(images)
        return images


class MobileNetV4(_MobileNet):
    """MobileNet v4-Conv-S without its second last layer, which only serves ImageNet's classes."""

    def _build(self, options: MobileNetOptions) -> int:
        def scaled(channels: int) -> int:
            return max(8, round(channels * options.width / 8) * 8)

        stem = scaled(32)
        self.conv_stem = nn.Conv2d(3, stem, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        stages: list[nn.Module] = []
        inside = stem
        for hidden, outside in ((scaled(32), scaled(32)), (scaled(96), scaled(64))):
            stages.append(nn.Sequential(ConvReLU(inside, hidden, 3, 2), ConvReLU(hidden, outside, 1)))
            inside = outside
        for index, stage in enumerate(V4_SMALL, 1):
            blocks = []
            for block in stage:
                stride = min(block.stride, options.last_stride) if index == len(V4_SMALL) else block.stride
                narrowed = block._replace(
                    hidden=scaled(block.hidden), channels=scaled(block.channels), stride=stride
                )
                blocks.append(UniversalInvertedBottleneck(inside, narrowed))
                inside = narrowed.channels
            stages.append(nn.Sequential(*blocks))
        last = scaled(V4_LAST)
        stages.append(nn.Sequential(ConvReLU(inside, last, 1)))
        self.blocks = nn.Sequential(*stages)
        return last

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """See the base."""
        return self.blocks(functional.relu(self.bn1(self.conv_stem(images))))


MOBILENET = {
    "mobilenetv2_x1_0": ModelEntry(MobileNetV2, {}, "MobileNet v2 with a BN-neck"),
    "mobilenetv2_x1_4": ModelEntry(MobileNetV2, {"width": 1.4}, "MobileNet v2, width 1.4, with a BN-neck"),
    "mobilenetv4_conv_small": ModelEntry(MobileNetV4, {}, "MobileNet v4-Conv-S with a BN-neck"),
}
"""The names of this family."""
