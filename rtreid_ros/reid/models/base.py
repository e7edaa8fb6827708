"""What every appearance network is: trunk, neck, classifier, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import nn


class ReIDOutput(NamedTuple):
    """What a network gives in training.

    Attributes:
        embedding: ``(B, D)`` before the neck: what metric losses work on.
        neck: ``(B, D)`` after it: what is compared in retrieval (before normalisation to unit length).
        logits: ``(B, C)`` of the training identities.
        branches: the outputs of each branch where a network learns several; the losses then judge these.
    """

    embedding: torch.Tensor
    neck: torch.Tensor
    logits: torch.Tensor
    branches: tuple[ReIDOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options of a network; each network's own `Options` derive from it."""


class ReIDModel(nn.Module):
    """Base of all networks.

    In training mode it gives a `ReIDOutput`, in evaluation mode ``(B, D)`` of `ReIDOutput.neck` alone,
    which is also what is exported.

    Args:
        classes: training identities C; 0 = no classifier (the logits are then ``(B, 0)``).
        options: the network's `Options`.
        cameras: cameras or views of the side information, where a network uses it.

    Attributes:
        dim: length D of an embedding.
        branches: D of each branch; ``(dim,)`` where there is one.
        imagenet: address of published ImageNet weights that fit; empty where there are none.
    """

    Options: ClassVar[type[ModelOptions]] = ModelOptions
    dim: int
    branches: tuple[int, ...]
    imagenet: str = ""

    def __init__(self, classes: int, options: ModelOptions, cameras: int = 0) -> None:
        super().__init__()
        self.classes, self.options, self.cameras = classes, options, cameras

    def forward(self, images: torch.Tensor, cameras: torch.Tensor | None = None) -> ReIDOutput | torch.Tensor:
        """See the class.

        Args:
            images: ``(B, 3, H, W)`` normalised pixels (clips: ``(B, T, 3, H, W)``).
            cameras: ``(B,)`` side information; -1 and None = unknown, which adds nothing.
        """
        raise NotImplementedError

    def published(self) -> dict[str, torch.Tensor] | None:
        """ImageNet weights that a library keeps for this network; None = those at `imagenet`, if any.

        Raises:
            ModelError: they cannot be had.
        """
        return None

    def deployed(self) -> ReIDModel:
        """The network that is exported: it embeds single pictures.

        Raises:
            InputError: there is none, and why.
        """
        return self

    def adapt(self, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Weights of a published file under this network's names and in its shapes, where they differ."""
        return weights


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A name a user can choose: a class, the options that make it this model, and what it is."""

    cls: type[ReIDModel]
    preset: Mapping[str, Any]
    summary: str
    takes_clips: bool = False
