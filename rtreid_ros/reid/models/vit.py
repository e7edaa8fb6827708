"""Vision transformers with side information (Dosovitskiy et al., ICLR 2021; TransReID, He et al., ICCV 2021).

Parameters of the body are named as in timm's and DeiT's files, so that their ImageNet weights load.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option
from rtreid_ros.reid.models.base import ModelEntry, ModelOptions, ReIDModel, ReIDOutput
from rtreid_ros.reid.models.blocks.ibn import IBN
from rtreid_ros.reid.models.blocks.side_information import SideInformation
from rtreid_ros.reid.models.blocks.transformer import (
    MLP,
    StochasticDepth,
    initialise_transformer,
    resize_grid,
)
from rtreid_ros.reid.models.neck import bn_neck, classifier

EPS = 1e-6
"""Of the layer norms, as in the published networks."""

STEM = 64
"""Channels of the convolutional stem."""

DEIT = "https://dl.fbaipublicfiles.com/deit/deit_{}_patch16_224-{}.pth"
WEIGHTS = {192: ("tiny", "a1311bcf"), 384: ("small", "cd65a155"), 768: ("base", "b5f2ef4d")}
"""Files of DeiT (Touvron et al., ICML 2021) by length of a token."""


@dataclass(frozen=True, slots=True)
class ViTOptions(ModelOptions):
    """Options of `ViT`."""

    dim: int = option(384, "length of a token and of the embedding", ge=8, le=2048)
    depth: int = option(12, "blocks", ge=1, le=48)
    heads: int = option(6, "attention heads; must divide dim", ge=1, le=64)
    mlp: float = option(4.0, "hidden vector of a block as a multiple of dim", ge=0.25, le=16)
    patch: int = option(16, "side of a patch, pixels", ge=2, le=64)
    stride: int = option(0, "pixels from patch to patch; 0 = patch; fewer make them overlap", ge=0, le=64)
    stem: str = option(
        "patch",
        "from pixels to tokens; patch: one linear layer; conv: three convolutions with instance norm first",
        choices=("patch", "conv"),
    )
    height: int = option(256, "of the images that positions are learned for, pixels", ge=16, le=2048)
    width: int = option(128, "of the same, pixels", ge=16, le=2048)
    pooling: str = option("token", "the class token, or the mean of all others", choices=("token", "mean"))
    dropout: float = option(0.0, "share of values dropped in blocks and after the positions", ge=0, le=0.9)
    drop_path: float = option(0.1, "share of images that skip a branch, in the last block", ge=0, le=0.9)
    camera_factor: float = option(3.0, "scale of a camera's vector, where cameras are known", ge=0.001)


class Attention(nn.Module):
    """Every token asks all tokens (Vaswani et al., 2017, section 3.2)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, N, D)``."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(query, key, value)
        return self.drop(self.proj(y.transpose(1, 2).flatten(2)))


class Block(nn.Module):
    """Attention and MLP, each normalised before and added."""

    def __init__(self, options: ViTOptions, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(options.dim, eps=EPS)
        self.attn = Attention(options.dim, options.heads, options.dropout)
        self.norm2 = nn.LayerNorm(options.dim, eps=EPS)
        self.mlp = MLP(options.dim, options.mlp, options.dropout)
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, N, D)``."""
        x = x + self.drop_path(self.attn(self.norm1(x)))
        return x + self.drop_path(self.mlp(self.norm2(x)))


class PatchEmbedding(nn.Module):
    """From pixels to a grid of tokens.

    The stem of convolutions follows TransReID-SSL (Luo et al., 2021, section 3.3): instance norm early on
    takes the picture's style out.
    """

    def __init__(self, options: ViTOptions) -> None:
        super().__init__()
        patch, stride = options.patch, options.stride or options.patch
        self.stem, channels = nn.Identity(), 3
        if options.stem == "conv":  # halves the picture
            self.stem, channels = _stem(), STEM
            patch, stride = patch // 2, stride // 2
        self.proj = nn.Conv2d(channels, options.dim, patch, stride)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """``(B, 3, H, W)`` to ``(B, D, rows, columns)``."""
        return self.proj(self.stem(images))


def _stem() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, STEM, 7, 2, 3, bias=False), IBN(STEM), nn.ReLU(inplace=True)]
    layers += [nn.Conv2d(STEM, STEM, 3, 1, 1, bias=False), IBN(STEM), nn.ReLU(inplace=True)]
    layers += [nn.Conv2d(STEM, STEM, 3, 1, 1, bias=False), nn.BatchNorm2d(STEM), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class ViT(ReIDModel):
    """Tokens of patches and a class token, blocks, layer norm, BN-neck and classifier.

    Where cameras are known, a camera's vector is added to all tokens before the first block.

    Raises:
        ConfigError: heads that do not divide dim; a patch or stride that a convolutional stem cannot halve.
    """

    Options: ClassVar[type[ModelOptions]] = ViTOptions

    def __init__(self, classes: int, options: ViTOptions, cameras: int = 0) -> None:
        super().__init__(classes, options, cameras)
        if options.dim % options.heads:
            raise ConfigError(f"heads must divide dim {options.dim}, got {options.heads}")
        if options.stem == "conv" and (options.patch % 2 or options.stride % 2):
            raise ConfigError("patch and stride must be even for the stem of convolutions")
        dim = options.dim
        stride = options.stride or options.patch
        self.grid = tuple(
            max((side - options.patch) // stride + 1, 1) for side in (options.height, options.width)
        )
        self.patch_embed = PatchEmbedding(options)
        self.cls_token = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, 1, dim), std=0.02))
        tokens = 1 + self.grid[0] * self.grid[1]
        self.pos_embed = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, tokens, dim), std=0.02))
        self.side = SideInformation(cameras, dim, options.camera_factor) if cameras else None
        self.drop = nn.Dropout(options.dropout)
        growth = torch.linspace(0, options.drop_path, options.depth, device="cpu").tolist()
        self.blocks = nn.Sequential(*(Block(options, share) for share in growth))
        self.norm = nn.LayerNorm(dim, eps=EPS)
        initialise_transformer(self)
        self.mean = options.pooling == "mean"
        self.dim, self.branches = dim, (dim,)
        self.neck = bn_neck(dim)
        self.classifier = classifier(dim, classes)
        if options.stem == "patch" and options.patch == 16 and dim in WEIGHTS and dim == 64 * options.heads:
            self.imagenet = DEIT.format(*WEIGHTS[dim])

    def positions(self, grid: tuple[int, int]) -> torch.Tensor:
        """The positions ``(1, 1 + rows * columns, D)`` of the class token and of a grid of patches."""
        if grid == self.grid:
            return self.pos_embed
        return _resize(self.pos_embed, self.grid, grid)

    def adapt(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights made for square images, with their positions moved to this network's grid."""
        table = weights.get("pos_embed")
        if table is None or table.dim() != 3 or table.shape == self.pos_embed.shape:
            return weights
        side = round((table.shape[1] - 1) ** 0.5)
        if side**2 != table.shape[1] - 1:
            return weights
        return {**weights, "pos_embed": _resize(table, (side, side), self.grid)}

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See `ReIDModel`."""
        patches = self.patch_embed(images)
        tokens = patches.flatten(2).transpose(1, 2)
        tokens = torch.cat((self.cls_token.expand(tokens.shape[0], -1, -1), tokens), 1)
        tokens = tokens + self.positions((patches.shape[2], patches.shape[3]))
        if self.side is not None:
            tokens = self.side(tokens, cameras)
        tokens = self.norm(self.blocks(self.drop(tokens)))
        embedding = tokens[:, 1:].mean(1) if self.mean else tokens[:, 0]
        neck = self.neck(embedding)
        return ReIDOutput(embedding, neck, self.classifier(neck)) if self.training else neck


def _resize(table: torch.Tensor, before: tuple[int, ...], after: tuple[int, ...]) -> torch.Tensor:
    first, rest = table[:, :1], table[0, 1:].unflatten(0, before)
    return torch.cat((first, resize_grid(rest, (after[0], after[1])).flatten(0, 1)[None]), 1)


VIT = {
    name: ModelEntry(ViT, preset, summary)
    for name, preset, summary in (
        ("vit_tiny", {"dim": 192, "heads": 3}, "ViT-Ti/16 with side information"),
        ("vit_small", {"dim": 384, "heads": 6}, "ViT-S/16 with side information"),
        ("vit_base", {"dim": 768, "heads": 12}, "ViT-B/16 with side information"),
        (
            "vit_small_ics",
            {"dim": 384, "heads": 6, "stem": "conv"},
            "ViT-S/16 with side information and a stem of convolutions",
        ),
    )
}
"""The names of this family."""
