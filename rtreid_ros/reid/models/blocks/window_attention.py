"""Attention within windows of a map, with biases by relative position (Swin v1 and v2)."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

MOST_SCALE = math.log(100)
"""Logarithm of the largest factor of a cosine in v2."""


class WindowAttention(nn.Module):
    """Every token asks those of its window; v1 (Liu et al., ICCV 2021, equation 4).

    The bias of each head depends on the distance between two tokens. A window may be smaller than the one
    the biases are kept for, and then uses those of the distances it has.

    Args:
        dim: of a token.
        heads: of the attention; must divide `dim`.
        window: side of the largest window.
    """

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.proj = nn.Linear(dim, dim)
        self._build(dim, heads)

    def _build(self, dim: int, heads: int) -> None:
        self.qkv = nn.Linear(dim, 3 * dim)
        table = torch.empty((2 * self.window - 1) ** 2, heads)
        self.relative_position_bias_table = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))

    def forward(self, x: torch.Tensor, shape: tuple[int, int], allowed: torch.Tensor | None) -> torch.Tensor:
        """Attention in each of B windows.

        Args:
            x: ``(B, N, D)`` with ``N = rows * columns``; windows of one image stand together.
            shape: rows and columns of the windows.
            allowed: ``(W, N, N)`` of bool, for the W windows of an image: who may ask whom; None = all.
        """
        query, key, value = self._projections(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        bias = self.bias(shape)[None]
        if allowed is not None:
            bias = bias.masked_fill(~allowed[:, None], -math.inf).repeat(
                x.shape[0] // allowed.shape[0], 1, 1, 1
            )
        return self.proj(self._attend(query, key, value, bias.to(query.dtype)).transpose(1, 2).flatten(2))

    def bias(self, shape: tuple[int, int]) -> torch.Tensor:
        """``(heads, N, N)``: what is added to the likeness of each pair of tokens."""
        row, column = self._distances(shape)
        side = 2 * self.window - 1
        rows = (row + self.window - 1) * side + column + self.window - 1
        return self.relative_position_bias_table[rows].permute(2, 0, 1)

    def _projections(self, x: torch.Tensor) -> torch.Tensor:
        return self.qkv(x)

    def _attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)

    def _distances(self, shape: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        device = self.proj.weight.device
        row, column = (
            axis.flatten()
            for axis in torch.meshgrid(*(torch.arange(side, device=device) for side in shape), indexing="ij")
        )
        return row[:, None] - row, column[:, None] - column


class CosineWindowAttention(WindowAttention):
    """The same in v2: likeness is a scaled cosine and an MLP makes the bias from the logarithm of distance.

    Liu et al., CVPR 2022, equations 2 to 4, with distances normalised as in the authors' code.
    """

    def _build(self, dim: int, heads: int) -> None:
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.logit_scale = nn.Parameter(torch.full((heads, 1, 1), math.log(10)))
        self.cpb_mlp = nn.Sequential(
            nn.Linear(2, 512), nn.ReLU(inplace=True), nn.Linear(512, heads, bias=False)
        )

    def bias(self, shape: tuple[int, int]) -> torch.Tensor:
        """See the base."""
        distances = torch.stack(self._distances(shape), 2).to(self.q_bias.dtype)
        distances = distances * (8 / max(self.window - 1, 1))
        distances = distances.sign() * (1 + distances.abs()).log2() / 3
        return 16 * torch.sigmoid(self.cpb_mlp(distances)).permute(2, 0, 1)

    def _projections(self, x: torch.Tensor) -> torch.Tensor:
        bias = torch.cat((self.q_bias, torch.zeros_like(self.q_bias), self.v_bias))
        return functional.linear(x, self.qkv.weight, bias)

    def _attend(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        query = functional.normalize(query, dim=-1) * self.logit_scale.clamp(max=MOST_SCALE).exp()
        key = functional.normalize(key, dim=-1)
        return functional.scaled_dot_product_attention(
            query.to(value.dtype), key.to(value.dtype), value, attn_mask=bias.to(value.dtype), scale=1.0
        )


def partition(x: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """A map ``(B, H, W, D)`` in windows ``(B * count, rows * columns, D)``; `shape` divides its sides."""
    batch, height, width, dim = x.shape
    rows, columns = shape
    x = x.view(batch, height // rows, rows, width // columns, columns, dim)
    return x.transpose(2, 3).reshape(-1, rows * columns, dim)


def join(windows: torch.Tensor, shape: tuple[int, int], size: tuple[int, int]) -> torch.Tensor:
    """The reverse of `partition`, to a map of `size` ``(H, W)``."""
    (rows, columns), (height, width) = shape, size
    x = windows.view(-1, height // rows, width // columns, rows, columns, windows.shape[2])
    return x.transpose(2, 3).reshape(-1, height, width, windows.shape[2])


def may_ask(
    size: tuple[int, int],
    padded: tuple[int, int],
    shape: tuple[int, int],
    shift: tuple[int, int],
    device: torch.device,
) -> torch.Tensor | None:
    """``(W, N, N)``: which tokens of a window were neighbours before the map was padded and rolled.

    Args:
        size: of the map.
        padded: of the map with what was added below and to the right.
        shape: of a window.
        shift: by how much the map was rolled up and to the left.
        device: of the answer.

    Returns:
        None where all may ask all.
    """
    if size == padded and shift == (0, 0):
        return None
    marks = []
    for side, whole, moved in zip(size, padded, shift, strict=True):
        before = (torch.arange(whole, device=device) + moved) % whole
        came_round = before < moved  # from the other end, into the last window
        marks.append(torch.where(before < side, came_round.long(), -1))
    rows, columns = torch.meshgrid(*marks, indexing="ij")
    region = torch.where((rows < 0) | (columns < 0), -1, 2 * rows + columns)
    region = partition(region[None, ..., None], shape)[..., 0]
    return region[:, :, None] == region[:, None]
