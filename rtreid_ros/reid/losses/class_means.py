"""Means of the embeddings of each identity."""

from __future__ import annotations

import torch


def class_sums(
    embeddings: torch.Tensor, identities: torch.Tensor, rows: torch.Tensor, classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums ``(C, D)`` of the embeddings of each identity, and how many they are ``(C, 1)``.

    A product of matrices: adding rows up by index is not reproducible on a GPU.

    Args:
        embeddings: ``(N, D)``.
        identities: ``(N,) int64``.
        rows: ``(N,) bool``, which of them count.
        classes: C.
    """
    member = (identities == torch.arange(classes, device=identities.device)[:, None]) & rows
    member = member.to(embeddings.dtype)
    return member @ embeddings, member.sum(1, keepdim=True)
