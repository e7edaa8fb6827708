"""Residual networks for ReID: ResNet (He et al., CVPR 2016) with IBN, attention, batch renormalisation.

The trunk's parameters are named as in torchvision's and IBN-Net's files, so that ImageNet weights load.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.attention import (
    CoordinateAttention,
    MultiScaleAttention,
    SqueezeExcitation,
    TripletAttention,
)
from rtreid_ros.reid.models.blocks.batch_renorm import BatchRenorm1d, BatchRenorm2d, RenormSchedule
from rtreid_ros.reid.models.blocks.ibn import IBN, Norm
from rtreid_ros.reid.models.blocks.initialise import initialise_convolutions
from rtreid_ros.reid.models.blocks.pooling import AttentionPooling, AveragePooling, GeM, MaxPooling
from rtreid_ros.reid.models.blocks.residual import BasicBlock, Bottleneck, Fittings, ResidualBlock
from rtreid_ros.reid.models.blocks.side_information import SideInformation
from rtreid_ros.reid.models.neck import bn_neck, classifier

DEPTHS: dict[int, tuple[type[ResidualBlock], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}
"""Blocks of the four stages."""

IMAGENET = {
    (18, False): "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    (34, False): "https://download.pytorch.org/models/resnet34-b627a593.pth",
    (50, False): "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    (101, False): "https://download.pytorch.org/models/resnet101-63fe2227.pth",
    (152, False): "https://download.pytorch.org/models/resnet152-394f9c45.pth",
    (18, True): "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet18_ibn_a-2f571257.pth",
    (34, True): "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet34_ibn_a-94bc1577.pth",
    (50, True): "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet50_ibn_a-d9d0bb7b.pth",
    (101, True): "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet101_ibn_a-59ea0ac6.pth",
}
"""Published weights by depth and IBN (torchvision: the first version); names end with part of the SHA-256."""

NON_LOCAL = (0, 2, 3, 0)
"""How many of a stage's last blocks a non-local block follows in AGW."""

STAGES = 4


@dataclass(frozen=True, slots=True)
class ResNetOptions(ModelOptions):
    """Options of `ResNet`."""

    depth: int = option(18, "layers: 18, 34, 50, 101 or 152", ge=18, le=152)
    width: float = option(1.0, "channels as a multiple of 64 to 512, rounded to 8 to 64", ge=0.125, le=4)
    ibn: bool = option(False, "instance norm for half of the first normalisation in stages 1 to 3 (IBN-a)")
    attention: str = option(
        "none",
        "attention in every block",
        choices=("none", "se", "coordinate", "coordinate-ibn", "triplet", "triplet-deviation", "ema"),
    )
    non_local: bool = option(False, "non-local blocks in stages 2 and 3, as in AGW")
    dense_skip: bool = option(
        False, "add an identity shortcut before the attention too, as the published figures of SERes18 did"
    )
    last_stride: int = option(1, "stride of stage 4; 1 keeps the map twice as large", ge=1, le=2)
    stem_relu: bool = option(False, "ReLU between the first normalisation and the max-pooling")
    pooling: str = option("gem", "map to vector", choices=("gem", "average", "max", "attention"))
    dim: int = option(0, "length of an embedding; 0 = as pooled, without a linear layer", ge=0, le=8192)
    dropout: float = option(0.0, "dropped of the neck's output before the classifier", ge=0, le=0.9)
    free_bias: bool = option(False, "neck and classifier learn biases")
    camera_factor: float = option(1.0, "scale of a camera's vector, where cameras are known", ge=0.001)
    renorm: str = option(
        "none", "batch renormalisation in place of batch norm", choices=("none", "trunk", "all")
    )
    renorm_start: int = option(5000, "batches before the correction is let loose", ge=0)
    renorm_r_end: int = option(40000, "batches until its scale may reach 3", ge=0)
    renorm_d_end: int = option(25000, "batches until its shift may reach 5", ge=0)
    renorm_groups: int = option(1, "images i with the same i mod groups are normalised together", ge=1)


class ResNet(ReIDModel):
    """Stem, four stages, pooling, optional linear layer (the embedding), BN-neck and classifier.

    Raises:
        ConfigError: a depth there is not.
    """

    Options: ClassVar[type[ModelOptions]] = ResNetOptions

    def __init__(self, classes: int, options: ResNetOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        if options.depth not in DEPTHS:
            raise ConfigError(f"depth must be one of {', '.join(map(str, DEPTHS))}, got {options.depth}")
        schedule = RenormSchedule(options.renorm_start, options.renorm_r_end, options.renorm_d_end)
        norm: Norm = nn.BatchNorm2d
        if options.renorm != "none":
            norm = partial(BatchRenorm2d, schedule=schedule, groups=options.renorm_groups)
        if options.width == 1:
            self.imagenet = IMAGENET.get((options.depth, options.ibn), "")
        block, counts = DEPTHS[options.depth]
        stem = max(8, round(options.width * 8) * 8)
        self.conv1 = nn.Conv2d(3, stem, 7, 2, 3, bias=False)
        self.bn1 = norm(stem)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inside = stem
        for stage, count in enumerate(counts):
            middle = stem << stage
            stride = (1, 2, 2, options.last_stride)[stage]
            blocks: list[nn.Module] = []
            for index in range(count):
                fittings = Fittings(
                    norm,
                    options.ibn and stage + 1 < STAGES,
                    partial(_attention, options.attention, norm),
                    options.dense_skip,
                    options.non_local and count - index <= NON_LOCAL[stage],
                )
                blocks.append(block(inside, middle, stride if index == 0 else 1, fittings))
                inside = middle * block.expansion
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        initialise_convolutions(self)
        self.pool = _pooling(options.pooling, inside)
        self.dim = options.dim or inside
        self.branches = (self.dim,)
        self.fc = nn.Linear(inside, self.dim) if options.dim else nn.Identity()
        self.neck = bn_neck(self.dim)
        if options.renorm == "all":
            self.neck = BatchRenorm1d(self.dim, schedule, options.renorm_groups)
        self.neck.bias.requires_grad_(options.free_bias)
        self.side = SideInformation(cameras, self.dim, options.camera_factor) if cameras else None
        self.dropout = options.dropout
        self.classifier = classifier(self.dim, classes, bias=options.free_bias)
        self.stem_relu = options.stem_relu

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The last map ``(B, C, H/16, W/16)``, with `last_stride` 2 half as large."""
        x = self.bn1(self.conv1(images))
        if self.stem_relu:
            x = functional.relu(x, inplace=True)
        x = self.maxpool(x)
        for stage in range(STAGES):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`."""
        pooled = self.pool(self.features(images))
        embedding = self.fc(
            pooled.to(self.neck.weight.dtype)
        )  # the pooling's single precision in half models
        neck = self.neck(embedding)
        if self.side is not None:
            neck = self.side(neck, cameras)
        if not self.training:
            return neck
        return ReIDOutput(embedding, neck, self.classifier(functional.dropout(neck, self.dropout)))


def _attention(kind: str, norm: Norm, channels: int) -> nn.Module:
    match kind:
        case "se":
            return SqueezeExcitation(channels)
        case "coordinate":
            return CoordinateAttention(channels, norm)
        case "coordinate-ibn":
            return CoordinateAttention(channels, partial(IBN, norm=norm))
        case "triplet" | "triplet-deviation":
            return TripletAttention(deviation=kind == "triplet-deviation")
        case "ema":
            return MultiScaleAttention(channels)
    return nn.Identity()


def _pooling(kind: str, channels: int) -> nn.Module:
    if kind == "attention":
        return AttentionPooling(channels, heads=max(channels // 64, 1))
    return {"gem": GeM, "average": AveragePooling, "max": MaxPooling}[kind]()


RESNET = {
    name: ModelEntry(ResNet, preset, summary)
    for name, preset, summary in (
        ("seresnet18_ibn", {"attention": "se", "ibn": True}, "ResNet18 with squeeze-excitation and IBN-a"),
        (
            "caresnet18_ibn",
            {"attention": "coordinate", "ibn": True},
            "ResNet18 with coordinate attention, IBN-a",
        ),
        (
            "emaresnet18_ibn",
            {"attention": "ema", "ibn": True},
            "ResNet18 with multi-scale attention and IBN-a",
        ),
        (
            "taresnet18_ibn",
            {"attention": "triplet", "ibn": True},
            "ResNet18 with triplet attention and IBN-a",
        ),
        ("resnet18", {"pooling": "average"}, "ResNet18 with a BN-neck"),
        ("resnet50", {"depth": 50, "pooling": "average"}, "ResNet50 with a BN-neck"),
        (
            "resnet50_ibn",
            {"depth": 50, "ibn": True, "pooling": "average"},
            "ResNet50 with IBN-a and a BN-neck",
        ),
        (
            "resnet50_fc512",
            {
                "depth": 50,
                "pooling": "average",
                "last_stride": 2,
                "dim": 512,
                "dropout": 0.5,
                "free_bias": True,
            },
            "ResNet50 with a linear layer to 512 and dropout",
        ),
        ("agw_resnet50", {"depth": 50, "non_local": True}, "AGW: ResNet50 with non-local blocks and GeM"),
    )
}
"""The names of this family."""
