"""What is known besides the pixels: camera or view."""

from __future__ import annotations

import torch
from torch import nn


class SideInformation(nn.Module):
    """Adds a learned vector per camera (after He et al., TransReID, ICCV 2021, section 3.3).

    Args:
        rows: cameras or views.
        dim: length of what it is added to.
        factor: scale of what is added, the paper's lambda.
    """

    def __init__(self, rows: int, dim: int, factor: float) -> None:
        super().__init__()
        self.table = nn.Parameter(nn.init.trunc_normal_(torch.empty(rows, dim), std=0.02))
        self.factor = factor

    def forward(self, x: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
        """`x` ``(B, ..., D)`` plus its rows' vectors; None and numbers outside the table add nothing."""
        if rows is None:
            return x
        known = (rows >= 0) & (rows < len(self.table))
        vectors = self.factor * self.table[rows.where(known, 0)] * known[:, None]
        return x + vectors.view(x.shape[0], *(1,) * (x.dim() - 2), -1)


class KnownSide(nn.Module):
    """In place of a `SideInformation`: adds the vector of one row, whatever rows it is given.

    Args:
        side: whose vector; it stays as it is.
        row: the camera or view.
    """

    vector: torch.Tensor

    def __init__(self, side: SideInformation, row: int) -> None:
        super().__init__()
        self.register_buffer("vector", side.factor * side.table[row].detach())

    def forward(self, x: torch.Tensor, rows: torch.Tensor | None) -> torch.Tensor:
        """`x` ``(B, ..., D)`` plus the vector."""
        return x + self.vector
