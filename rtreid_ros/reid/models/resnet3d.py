"""3-D residual networks for clips (Hara et al., CVPR 2018).

The trunk's parameters are named as in the authors' files, so that weights trained on Kinetics load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.initialise import initialise_convolutions
from rtreid_ros.reid.models.blocks.pooling import AveragePooling, GeM
from rtreid_ros.reid.models.blocks.residual3d import BasicBlock3d, Block3d, Bottleneck3d
from rtreid_ros.reid.models.blocks.side_information import SideInformation
from rtreid_ros.reid.models.neck import bn_neck, classifier

DEPTHS: dict[int, tuple[type[Block3d], tuple[int, int, int, int]]] = {
    10: (BasicBlock3d, (1, 1, 1, 1)),
    18: (BasicBlock3d, (2, 2, 2, 2)),
    34: (BasicBlock3d, (3, 4, 6, 3)),
    50: (Bottleneck3d, (3, 4, 6, 3)),
    101: (Bottleneck3d, (3, 4, 23, 3)),
    152: (Bottleneck3d, (3, 8, 36, 3)),
    200: (Bottleneck3d, (3, 24, 36, 3)),
}
"""Blocks of the four stages."""

STAGES = 4


@dataclass(frozen=True, slots=True)
class ResNet3dOptions(ModelOptions):
    """Options of `ResNet3d`."""

    depth: int = option(18, "layers: 10, 18, 34, 50, 101, 152 or 200", ge=10, le=200)
    width: float = option(1.0, "channels as a multiple of 64 to 512, rounded to 8 to 64", ge=0.125, le=4)
    ibn: bool = option(False, "instance norm for half of the first normalisation in stages 1 to 3 (IBN-a)")
    shortcut: str = option(
        "B",
        "where shapes change; A: pooled and filled up with zeros, B: a convolution",
        choices=("A", "B"),
    )
    last_stride: int = option(2, "of stage 4, in time and space", ge=1, le=2)
    pooling: str = option("gem", "from the last map to a vector", choices=("gem", "average"))
    camera_factor: float = option(1.0, "scale of a camera's vector, where cameras are known", ge=0.001)


class ResNet3d(ReIDModel):
    """Clips in; stem, four stages of 3-D blocks, pooling over time and space, BN-neck and classifier.

    Raises:
        ConfigError: a depth there is not.
    """

    Options: ClassVar[type[ModelOptions]] = ResNet3dOptions

    def __init__(self, classes: int, options: ResNet3dOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        if options.depth not in DEPTHS:
            raise ConfigError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {options.depth}")
        block, counts = DEPTHS[options.depth]
        inside = stem = max(8, round(options.width * 8) * 8)
        self.conv1 = nn.Conv3d(3, stem, 7, (1, 2, 2), 3, bias=False)
        self.bn1 = nn.BatchNorm3d(stem)
        self.maxpool = nn.MaxPool3d(3, 2, 1)
        for stage, count in enumerate(counts):
            stride = (1, 2, 2, options.last_stride)[stage]
            blocks: list[nn.Module] = []
            for index in range(count):
                blocks.append(
                    block(
                        inside,
                        stem << stage,
                        1 if index else stride,
                        ibn=options.ibn and stage + 1 < STAGES,
                        project=options.shortcut == "B",
                    )
                )
                inside = (stem << stage) * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        initialise_convolutions(self)
        self.pool = GeM() if options.pooling == "gem" else AveragePooling()
        self.dim, self.branches = inside, (inside,)
        self.neck = bn_neck(inside)
        self.side = SideInformation(cameras, inside, options.camera_factor) if cameras else None
        self.classifier = classifier(inside, classes)

    def features(self, clips: torch.Tensor) -> torch.Tensor:
        """The last map ``(B, C, T/16, H/32, W/32)``, with `last_stride` 1 twice as large along each."""
        x = functional.relu(self.bn1(self.conv1(clips.transpose(1, 2))), inplace=True)
        x = self.maxpool(x)
        for stage in range(STAGES):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; `images` are clips ``(B, T, 3, H, W)``.

        Raises:
            InputError: single images instead of clips.
        """
        if images.dim() != 5:
            raise InputError(f"clips have the shape (B, T, 3, H, W), got {tuple(images.shape)}")
        embedding = self.pool(self.features(images)).to(self.neck.weight.dtype)
        neck = self.neck(embedding)
        if self.side is not None:
            neck = self.side(neck, cameras)
        return ReIDOutput(embedding, neck, self.classifier(neck)) if self.training else neck


RESNET3D = {
    f"resnet3d_{depth}{suffix}": ModelEntry(
        ResNet3d,
        {"depth": depth, "ibn": bool(suffix)},
        f"3-D ResNet{depth} for clips{words}",
        takes_clips=True,
    )
    for depth, suffix, words in (
        *((depth, "", "") for depth in DEPTHS),
        (18, "_ibn", ", with IBN-a"),
        (50, "_ibn", ", with IBN-a"),
    )
}
"""The names of this family."""
