"""A small network for small crops: inverted residuals, pooled in horizontal stripes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.mobile import MobileBlock, conv_layer
from rtreid_ros.reid.models.neck import bn_neck, classifier


@dataclass(frozen=True, slots=True)
class StripedMobileOptions(ModelOptions):
    """Options of `StripedMobile`."""

    width: float = option(1.0, "channels as a multiple of 24, 32, 64, 128", ge=0.25, le=8)
    stripes: int = option(4, "parts, from top to bottom", ge=1, le=16)
    dim: int = option(128, "length of an embedding", ge=8, le=8192)


class StripedMobile(ReIDModel):
    """Inverted residuals behind strided 3x3 convolutions; stripes share one projection.

    The map is pooled in stripes, so that shoes are no hats (Sun et al., Beyond Part Models, ECCV 2018,
    section 3.1, where each part has a classifier of its own); their means side by side are projected to
    one embedding, with one `bn_neck`.
    """

    Options: ClassVar[type[ModelOptions]] = StripedMobileOptions

    def __init__(self, classes: int, options: StripedMobileOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        self.dim, self.branches, self.stripes = options.dim, (options.dim,), options.stripes
        stem, one, two, three = (round(base * options.width) for base in (24, 32, 64, 128))
        self.trunk = nn.Sequential(
            conv_layer(3, stem, 3, 2),
            conv_layer(stem, one, 3, 2),
            *(MobileBlock(one, 3) for _ in range(2)),
            conv_layer(one, two, 3, 2),
            *(MobileBlock(two) for _ in range(3)),
            conv_layer(two, three, 3, 2),
            *(MobileBlock(three) for _ in range(2)),
        )
        self.project = nn.Linear(options.stripes * three, options.dim, bias=False)
        self.neck = bn_neck(options.dim)
        self.classifier = classifier(options.dim, classes)

    def features(self, images: torch.Tensor) -> torch.Tensor:
        """The last map ``(B, C, H/16, W/16)``."""
        features: torch.Tensor = self.trunk(images)
        return features

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; side information is not used."""
        embedding = self.project(
            functional.adaptive_avg_pool2d(self.features(images), (self.stripes, 1)).flatten(1)
        )
        neck = self.neck(embedding)
        if not self.training:
            return neck
        return ReIDOutput(embedding, neck, self.classifier(neck))


STRIPED_MOBILE = {
    "striped_mobile": ModelEntry(StripedMobile, {}, "inverted residuals in four stripes, 128 numbers")
}
"""The names of this family."""
