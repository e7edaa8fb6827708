"""Distances between embeddings, and who is whose positive and negative."""

from __future__ import annotations

import torch

from rtreid_ros.reid.losses.base import Labels

BLOCK = 1024
"""Columns computed at once: the gradient of `torch.cdist` takes rows x columns x D of memory on a GPU."""


def euclidean(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """``(A, B)`` Euclidean distances of the rows of ``(A, D)`` and ``(B, D)``.

    From differences, not from ``|x|^2 + |y|^2 - 2 x.y``: that form loses near neighbours to rounding,
    all the more where matrix products are in TF32. The gradient at distance 0 is 0.
    """
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cat([torch.cdist(x, part, compute_mode=exact) for part in y.split(BLOCK)], dim=1)


def unit(x: torch.Tensor) -> torch.Tensor:
    """Rows at length 1; a row of zeros stays."""
    return torch.nn.functional.normalize(x, dim=1)


def pairs_within(labels: Labels) -> tuple[torch.Tensor, torch.Tensor]:
    """Two ``(B, B) bool``: where column is another image of the row's identity, where it is another's.

    Images without a label, and mixed ones, have neither.
    """
    whole = labels.whole()
    known = whole[:, None] & whole
    same = labels.identities[:, None] == labels.identities
    itself = torch.eye(len(whole), dtype=torch.bool, device=whole.device)
    return known & same & ~itself, known & ~same


def pairs_across(
    labels: Labels, identities: torch.Tensor, indices: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same as ``(B, K) bool`` against a memory of identities (-1: empty) and rows in the data set.

    What the memory holds of the very same image is no positive of it.
    """
    known = labels.whole()[:, None] & (identities >= 0)
    same = labels.identities[:, None] == identities
    return known & same & (labels.indices[:, None] != indices), known & ~same


def softmax_over(values: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Softmax of each row over its set columns, 0 elsewhere; finite also where no column is set."""
    lowest = torch.finfo(values.dtype).min
    return torch.where(where, values.masked_fill(~where, lowest).softmax(1), 0)
