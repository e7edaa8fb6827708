"""Numbers of sufficient width."""

from __future__ import annotations

import torch


def precise(x: torch.Tensor) -> torch.Tensor:
    """`x` in at least single precision: sums over a map lose too much in half."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
