"""OSNet: omni-scale networks (Zhou et al., ICCV 2019), with instance normalisation (AIN, TPAMI 2021).

Parameters are named as in Torchreid's published files, so that those load as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.omni_scale import ConvLayer, OSBlock
from rtreid_ros.reid.models.neck import classifier

NAMES = {
    ("batch", 0.25): "osnet_x0_25",
    ("batch", 0.5): "osnet_x0_5",
    ("batch", 0.75): "osnet_x0_75",
    ("batch", 1.0): "osnet_x1_0",
    ("batch", 1.25): "osnet_x1_25",
    ("ibn", 1.0): "osnet_ibn_x1_0",
    ("ain", 0.25): "osnet_ain_x0_25",
    ("ain", 0.5): "osnet_ain_x0_5",
    ("ain", 0.75): "osnet_ain_x0_75",
    ("ain", 1.0): "osnet_ain_x1_0",
}
"""What Torchreid calls a kind of normalisation and a width."""

WEIGHTS = "https://huggingface.co/kaiyangzhou/osnet/resolve/main/{}_imagenet.pth"
UNPUBLISHED = "osnet_x1_25"


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
        name = NAMES.get((options.norm, options.width), UNPUBLISHED)
        if name != UNPUBLISHED:
            self.imagenet = WEIGHTS.format(name)
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
    name: ModelEntry(
        OSNet,
        {"width": width, "norm": norm},
        " ".join(("OSNet", *(() if norm == "batch" else (norm.upper(),)), f"x{width:g}")),
    )
    for (norm, width), name in NAMES.items()
}
"""The names of this family."""
