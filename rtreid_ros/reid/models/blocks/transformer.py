"""What transformers for images share; parameters are named as in timm's files."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class MLP(nn.Module):
    """Two linear layers with GELU between them.

    Args:
        dim: of a token.
        ratio: length of the hidden vector as a multiple of `dim`.
        dropout: share of values dropped after each layer in training.
    """

    def __init__(self, dim: int, ratio: float, dropout: float = 0.0) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, round(dim * ratio))
        self.fc2 = nn.Linear(round(dim * ratio), dim)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(..., D)``."""
        return self.drop(self.fc2(self.drop(functional.gelu(self.fc1(x)))))


class StochasticDepth(nn.Module):
    """In training, drops what a branch adds to an image's tokens (Huang et al., ECCV 2016).

    Args:
        share: of the images; the rest is scaled up to make up for it.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, ...)``."""
        if not self.training or self.share == 0:
            return x
        keep = 1 - self.share
        return x * (x.new_empty(x.shape[0], *(1,) * (x.dim() - 1)).bernoulli_(keep) / keep)


def resize_grid(table: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """A learned table ``(H, W, D)`` for another grid, bicubic: ``(h, w, D)``."""
    if tuple(table.shape[:2]) == tuple(grid):
        return table
    planes = table.permute(2, 0, 1)[None]
    return functional.interpolate(planes, grid, mode="bicubic", align_corners=False)[0].permute(1, 2, 0)


def initialise_transformer(model: nn.Module) -> None:
    """Linear layers from a normal distribution of deviation 0.02, cut off at +-2; biases 0."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
