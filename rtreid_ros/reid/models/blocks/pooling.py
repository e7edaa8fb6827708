"""From a map to a vector."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from rtreid_ros.reid.models.blocks.precision import precise


def _places(x: torch.Tensor) -> tuple[int, ...]:
    return tuple(range(2, x.dim()))


class AveragePooling(nn.Module):
    """The mean over the map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, ...)`` to ``(B, C)``."""
        return precise(x).mean(_places(x))


class MaxPooling(nn.Module):
    """The largest value of the map."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)`` to ``(B, C)``."""
        return precise(x).amax((2, 3))


class GeM(nn.Module):
    """Generalised mean with a learned exponent (Radenović et al., TPAMI 2019, equation 3).

    Args:
        p: the exponent at the start; 1 is the mean, infinity the maximum.
        eps: smaller values count as this.
    """

    def __init__(self, p: float = 3.0, eps: float = 1e-6) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.full((1,), p))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, ...)`` to ``(B, C)``."""
        return precise(x).clamp(min=self.eps).pow(self.p).mean(_places(x)).pow(1 / self.p)


class AttentionPooling(nn.Module):
    """The map's mean asks all pixels and itself (Radford et al., CLIP, 2021, section 2.4).

    Args:
        dim: channels C of the map and length of the vector.
        grid: ``(H, W)`` of the map that the learned positions are kept for; they are interpolated to others.
        heads: of the attention; must divide `dim`.
    """

    def __init__(self, dim: int, grid: tuple[int, int] = (16, 8), heads: int = 8) -> None:
        super().__init__()
        self.heads = heads
        self.position = nn.Parameter(torch.randn(1, 1, dim) * dim**-0.5)  # of the mean
        self.positions = nn.Parameter(torch.randn(1, dim, *grid) * dim**-0.5)
        self.query, self.key, self.value, self.output = (nn.Linear(dim, dim) for _ in range(4))
        for layer in (self.query, self.key, self.value, self.output):
            nn.init.normal_(layer.weight, std=dim**-0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(B, C, H, W)`` to ``(B, C)``."""
        positions = self.positions
        if positions.shape[2:] != x.shape[2:]:
            positions = functional.interpolate(positions, x.shape[2:], mode="bilinear", align_corners=False)
        mean = x.mean((2, 3))[:, None] + self.position
        tokens = torch.cat((mean, (x + positions).flatten(2).transpose(1, 2)), 1)
        answer = functional.scaled_dot_product_attention(
            self._split(self.query(mean)), self._split(self.key(tokens)), self._split(self.value(tokens))
        )
        return precise(self.output(answer.transpose(1, 2).flatten(1)))

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)
