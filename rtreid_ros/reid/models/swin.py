"""Swin transformers v1 and v2 with side information (Liu et al., ICCV 2021 and CVPR 2022).

Parameters of the body are named as in timm's files; with the window those were trained with, they load.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.side_information import SideInformation
from rtreid_ros.reid.models.blocks.transformer import (
    MLP,
    StochasticDepth,
    initialise_transformer,
    resize_grid,
)
from rtreid_ros.reid.models.blocks.window_attention import (
    CosineWindowAttention,
    WindowAttention,
    join,
    may_ask,
    partition,
)
from rtreid_ros.reid.models.neck import bn_neck, classifier

PATCH = 4
"""Side of a patch, pixels."""

WEIGHTS = "https://github.com/SwinTransformer/storage/releases/download/v1.0.0/swin_{}_patch4_window7_224.pth"


@dataclass(frozen=True, slots=True)
class SwinOptions(ModelOptions):
    """Options of `Swin`."""

    version: int = option(1, "of the paper", ge=1, le=2)
    dim: int = option(96, "length of a token in stage 1; each stage doubles it", ge=8, le=512)
    depth: int = option(6, "blocks of stage 3; the others have two", ge=2, le=32)
    head: int = option(32, "length of a head; must divide dim", ge=4, le=128)
    window: int = option(8, "side of a window, tokens; smaller maps are one window", ge=2, le=32)
    mlp: float = option(4.0, "hidden vector of a block as a multiple of its tokens", ge=0.25, le=16)
    drop_path: float = option(0.1, "share of images that skip a branch, in the last block", ge=0, le=0.9)
    camera_factor: float = option(3.0, "scale of a camera's vector, where cameras are known", ge=0.001)


class SwinBlock(nn.Module):
    """Attention within windows and MLP, normalised before (v1) or after (v2), and added.

    Args:
        dim: of a token.
        options: of the network.
        shifted: whether windows lie half a window further down and to the right.
        drop_path: share of images that skip a branch in training.
    """

    def __init__(self, dim: int, options: SwinOptions, drop_path: float, *, shifted: bool) -> None:
        super().__init__()
        self.window, self.shifted, self.after = options.window, shifted, options.version > 1
        attention = CosineWindowAttention if self.after else WindowAttention
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attn = attention(dim, dim // options.head, options.window)
        self.mlp = MLP(dim, options.mlp)
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A map ``(B, H, W, D)``."""
        if self.after:
            x = x + self.drop_path(self.norm1(self.attend(x)))
            return x + self.drop_path(self.norm2(self.mlp(x)))
        x = x + self.drop_path(self.attend(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))

    def attend(self, x: torch.Tensor) -> torch.Tensor:
        """The attention's answers ``(B, H, W, D)``.

        A map no larger than the window is one window; a larger one is filled up to whole windows, and
        nobody asks the filling.
        """
        size = (x.shape[1], x.shape[2])
        shape = (min(size[0], self.window), min(size[1], self.window))
        padded = (-(-size[0] // shape[0]) * shape[0], -(-size[1] // shape[1]) * shape[1])
        shift = tuple(self.window // 2 if self.shifted and side > self.window else 0 for side in size)
        rows, columns = shift
        x = functional.pad(x, (0, 0, 0, padded[1] - size[1], 0, padded[0] - size[0]))
        x = torch.roll(x, (-rows, -columns), (1, 2))
        allowed = may_ask(size, padded, shape, (rows, columns), x.device)
        x = join(self.attn(partition(x, shape), shape, allowed), shape, padded)
        return torch.roll(x, shift, (1, 2))[:, : size[0], : size[1]]


class PatchMerging(nn.Module):
    """Four neighbours to one token of twice the length; v1 normalises before, v2 after."""

    def __init__(self, dim: int, version: int) -> None:
        super().__init__()
        self.after = version > 1
        self.norm = nn.LayerNorm(2 * dim if self.after else 4 * dim)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, H, W, D)`` to ``(B, H / 2, W / 2, 2 D)``, odd sides filled up."""
        x = functional.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        x = x.unflatten(1, (-1, 2)).unflatten(3, (-1, 2)).permute(0, 1, 3, 4, 2, 5).flatten(3)
        return self.norm(self.reduction(x)) if self.after else self.reduction(self.norm(x))


class SwinStage(nn.Module):
    """Merging, except in stage 1, then blocks with and without shifted windows in turn."""

    def __init__(self, dim: int, options: SwinOptions, drop_paths: list[float], *, first: bool) -> None:
        super().__init__()
        self.downsample = nn.Identity() if first else PatchMerging(dim // 2, options.version)
        self.blocks = nn.Sequential(
            *(SwinBlock(dim, options, share, shifted=index % 2 > 0) for index, share in enumerate(drop_paths))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, H, W, D)``."""
        return self.blocks(self.downsample(x))


class PatchEmbedding(nn.Module):
    """Pixels to tokens: one linear layer and a layer norm."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, PATCH, PATCH)
        self.norm = nn.LayerNorm(dim)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``(B, 3, H, W)`` to ``(B, H / 4, W / 4, D)``."""
        return self.norm(self.proj(images).permute(0, 2, 3, 1))


class Swin(ReIDModel):
    """Patches, four stages, layer norm, the mean of the last map, BN-neck and classifier.

    Where cameras are known, a camera's vector is added to all tokens before stage 1.

    Raises:
        ConfigError: a head that does not divide dim.
    """

    Options: ClassVar[type[ModelOptions]] = SwinOptions

    def __init__(self, classes: int, options: SwinOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        if options.dim % options.head:
            raise ConfigError(f"head must divide dim {options.dim}, got {options.head}")
        depths = (2, 2, options.depth, 2)
        growth = torch.linspace(0, options.drop_path, sum(depths), device="cpu").tolist()
        self.patch_embed = PatchEmbedding(options.dim)
        self.side = SideInformation(cameras, options.dim, options.camera_factor) if cameras else None
        stages: list[nn.Module] = []
        for index, depth in enumerate(depths):
            shares, growth = growth[:depth], growth[depth:]
            stages.append(SwinStage(options.dim << index, options, shares, first=index == 0))
        self.layers = nn.Sequential(*stages)
        self.window = options.window
        self.dim = options.dim << (len(depths) - 1)
        self.branches = (self.dim,)
        self.norm = nn.LayerNorm(self.dim)
        initialise_transformer(self)
        self.neck = bn_neck(self.dim)
        self.classifier = classifier(self.dim, classes)
        named = {6: "tiny", 18: "small"}.get(options.depth)
        if named and (options.version, options.dim, options.head) == (1, 96, 32):
            self.imagenet = WEIGHTS.format(named)

    def adapt(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights with the authors' names for merging layers or biases for another window, made to fit."""
        if "layers.0.downsample.norm.weight" in weights:  # there they end a stage, here they begin the next
            weights = {
                re.sub(
                    r"^layers\.(\d)\.downsample", lambda found: f"layers.{int(found[1]) + 1}.downsample", name
                ): value
                for name, value in weights.items()
            }
        return {name: self._table(name, value) for name, value in weights.items()}

    def _table(self, name: str, value: torch.Tensor) -> torch.Tensor:
        before, after = round(len(value) ** 0.5), 2 * self.window - 1
        if not name.endswith("relative_position_bias_table") or before**2 != len(value):
            return value
        return resize_grid(value.unflatten(0, (before, before)), (after, after)).flatten(0, 1)

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`."""
        x = self.patch_embed(images)
        if self.side is not None:
            x = self.side(x, cameras)
        embedding = self.norm(self.layers(x)).mean((1, 2))
        neck = self.neck(embedding)
        return ReIDOutput(embedding, neck, self.classifier(neck)) if self.training else neck


SWIN = {
    "swin_tiny": ModelEntry(Swin, {}, "Swin-T with side information"),
    "swin_small": ModelEntry(Swin, {"depth": 18}, "Swin-S with side information"),
    "swin_v2_tiny": ModelEntry(Swin, {"version": 2}, "Swin v2-T with side information"),
}
"""The names of this family."""
