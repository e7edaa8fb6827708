"""PLR-OSNet: OSNet with a branch for parts and one for the whole (Xie et al., 2020, arXiv 2001.07442)."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.collaborative_attention import CollaborativeAttention
from rtreid_ros.reid.models.blocks.position_attention import PixelGate, PositionAttention
from rtreid_ros.reid.models.neck import bn_neck, classifier
from rtreid_ros.reid.models.osnet import OSNet, OSNetOptions


@dataclass(frozen=True, slots=True)
class PLROSNetOptions(ModelOptions):
    """Options of `PLROSNet`."""

    width: float = option(1.0, "channels as a multiple of 64, 256, 384, 512", ge=0.0625, le=4)
    dim: int = option(512, "length of the whole's embedding", ge=8, le=8192)
    stripes: int = option(4, "parts, from top to bottom", ge=1, le=16)
    attention: str = option(
        "position",
        "after stages 2 and 3; position: with a gate per pixel, the authors' code; mca: along all three axes",
        choices=("position", "mca", "none"),
    )


class PLROSNet(ReIDModel):
    """OSNet whose last stage is there twice.

    The first copy's map is cut into stripes, whose means side by side are the embedding of the parts. The
    second's maximum goes through a linear layer and is the embedding of the whole. Each has its own neck
    and classifier, and `ReIDOutput.branches` holds (parts, whole). Retrieval compares the two necks, each
    of unit length, side by side. The joint logits are the mean of the branches'.

    Attention follows the authors' code, where it differs from the modules it names: positions take the
    pixels themselves as values, and the gate sees one pixel each instead of the mean of all. Necks and
    classifiers have no biases, as everywhere here; theirs have.
    """

    Options: ClassVar[type[ModelOptions]] = PLROSNetOptions

    def __init__(self, classes: int, options: PLROSNetOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        trunk = OSNet(0, OSNetOptions(width=options.width))
        _, two, three, four = trunk.channels
        self.conv1, self.maxpool, self.conv2, self.conv3 = (
            trunk.conv1,
            trunk.maxpool,
            trunk.conv2,
            trunk.conv3,
        )
        self.attention2, self.attention3 = (_attention(options.attention, width) for width in (two, three))
        self.conv4, self.conv5 = trunk.conv4, trunk.conv5
        self.whole4, self.whole5 = copy.deepcopy(self.conv4), copy.deepcopy(self.conv5)
        self.imagenet = trunk.imagenet
        self.fc = nn.Linear(four, options.dim)
        nn.init.normal_(self.fc.weight, std=0.01)
        nn.init.zeros_(self.fc.bias)
        self.stripes = options.stripes
        self.branches = (four * options.stripes, options.dim)
        self.dim = sum(self.branches)
        self.necks = nn.ModuleList(bn_neck(dim) for dim in self.branches)
        self.classifiers = nn.ModuleList(classifier(dim, classes) for dim in self.branches)

    def adapt(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights of OSNet, whose last stage is here twice."""
        copies = {
            name.replace("conv", "whole", 1): name
            for name in weights
            if name.startswith(("conv4.", "conv5."))
        }
        return {copy: weights[name] for copy, name in copies.items()} | weights

    def features(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The last maps ``(B, C, H/16, W/16)`` for the parts and for the whole."""
        x = self.attention2(self.conv2(self.maxpool(self.conv1(images))))
        x = self.attention3(self.conv3(x))
        return self.conv5(self.conv4(x)), self.whole5(self.whole4(x))

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`; side information is not used."""
        parts, whole = self.features(images)
        stripes = functional.adaptive_avg_pool2d(parts, (self.stripes, 1))
        embeddings = (stripes[..., 0].transpose(1, 2).flatten(1), self.fc(whole.amax((2, 3))))
        necks = [neck(embedding) for neck, embedding in zip(self.necks, embeddings, strict=True)]
        joint = torch.cat([functional.normalize(neck) for neck in necks], 1)
        if not self.training:
            return joint
        logits = [layer(neck) for layer, neck in zip(self.classifiers, necks, strict=True)]
        branches = tuple(map(ReIDOutput, embeddings, necks, logits))
        return ReIDOutput(torch.cat(embeddings, 1), joint, (logits[0] + logits[1]) / 2, branches)


def _attention(kind: str, channels: int) -> nn.Module:
    if kind == "position":
        return nn.Sequential(PositionAttention(channels), PixelGate(channels))
    return CollaborativeAttention(channels) if kind == "mca" else nn.Identity()


PLR_OSNET = {
    "plr_osnet": ModelEntry(PLROSNet, {}, "PLR-OSNet: parts and whole, 2560 numbers"),
    "plr_osnet_x0_25": ModelEntry(PLROSNet, {"width": 0.25}, "PLR-OSNet, width 0.25, 1024 numbers"),
}
"""The names of this family."""
