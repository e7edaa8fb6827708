"""The sum of losses a network learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.options import build
from rtreid_ros.registry import Registry
from rtreid_ros.reid.losses.base import Labels, Loss
from rtreid_ros.reid.losses.centre import Centre
from rtreid_ros.reid.losses.circle import Circle
from rtreid_ros.reid.losses.cluster_contrast import ClusterContrast, DualClusterContrast
from rtreid_ros.reid.losses.cross_entropy import CrossEntropy
from rtreid_ros.reid.losses.focal import Focal
from rtreid_ros.reid.losses.identification import Identification
from rtreid_ros.reid.losses.lsro import Lsro
from rtreid_ros.reid.losses.memory import CrossBatchMemory
from rtreid_ros.reid.losses.ranked_list import RankedList
from rtreid_ros.reid.losses.triplet import SemiHardTriplet, Triplet
from rtreid_ros.reid.losses.weighted_triplet import WeightedTriplet
from rtreid_ros.reid.models.base import ReIDOutput

LOSSES: Registry[type[Loss]] = Registry("loss")
LOSSES.register("cross_entropy", CrossEntropy)
LOSSES.register("focal", Focal)
LOSSES.register("lsro", Lsro)
LOSSES.register("triplet", Triplet)
LOSSES.register("semi_hard_triplet", SemiHardTriplet)
LOSSES.register("weighted_triplet", WeightedTriplet)
LOSSES.register("centre", Centre)
LOSSES.register("circle", Circle)
LOSSES.register("ranked_list", RankedList)
LOSSES.register("cluster_contrast", ClusterContrast)
LOSSES.register("dual_cluster_contrast", DualClusterContrast)
LOSSES.register("cross_batch_memory", CrossBatchMemory)


class Recipe(nn.Module):
    """Losses and their weights, on each branch of a network.

    ``state_dict`` holds all memories, so a training resumed with it goes on as if never interrupted.

    Args:
        specs: options by loss name, ``{"cross_entropy": {"smoothing": 0.1}, "triplet": {}}``.
        branches: D of each branch, as the network tells (`ReIDModel.branches`).
        classes: training identities C.
        images: images in the training set.
        counts: images of each training identity, for losses that weigh identities; None = not known.

    Attributes:
        judges_logits: whether any loss looks at logits; if not, they may be of any width.

    Raises:
        ConfigError: no loss, an unknown one, or an option it does not have or refuses.
    """

    def __init__(
        self,
        specs: Mapping[str, Mapping[str, Any]],
        branches: tuple[int, ...],
        classes: int,
        images: int,
        counts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if not specs:
            raise ConfigError(f"a recipe needs at least one loss; known: {', '.join(LOSSES)}")
        self.losses = nn.ModuleDict()
        for name, values in specs.items():
            loss = LOSSES[name]
            options = build(loss.Options, values)
            self.losses[name] = nn.ModuleList(loss(options, dim, classes, images, counts) for dim in branches)
        if not any(losses[0].active_in(epoch=0) for losses in self.losses.values()):
            raise ConfigError("no loss counts in epoch 0: one needs a weight above 0 and start 0")
        self.branches, self.classes = branches, classes
        self.judges_logits = any(isinstance(losses[0], Identification) for losses in self.losses.values())
        self._active: tuple[str, ...] = ()

    def forward(
        self, output: ReIDOutput, labels: Labels, epoch: int
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of a batch.

        Args:
            output: what the network gave in training mode; its branches are judged where it has any.
            labels: what is known of the batch.
            epoch: from 0 on; losses that start later are left out.

        Returns:
            the weighted sum, and by name what each active loss came to, unweighted and detached, summed
            over branches.

        Raises:
            InputError: shapes that do not fit each other, or not as many branches as announced.
        """
        parts = self._parts(output)
        for part, dim in zip(parts, self.branches, strict=True):
            # without a loss of logits a network needs no classifier
            _check(part, labels, dim, self.classes if self.judges_logits else part.logits.shape[1])
        self._active = tuple(name for name, losses in self.losses.items() if losses[0].active_in(epoch))
        total = torch.zeros((), device=output.embedding.device)
        values: dict[str, torch.Tensor] = {}
        for name in self._active:
            losses = self.losses[name]
            value = torch.stack([loss(part, labels) for loss, part in zip(losses, parts, strict=True)]).sum()
            total = total + losses[0].options.weight * value
            values[name] = value.detach()
        return total, values

    def after_step(self, output: ReIDOutput, labels: Labels) -> None:
        """Bring the memories of the losses that were just active up to date, after the optimizer's step.

        Where several processes share a batch, hand in what they gathered: their memories stay alike.
        """
        parts = self._parts(output)
        for name in self._active:
            for loss, part in zip(self.losses[name], parts, strict=True):
                loss.after_step(part, labels)

    def wants_features(self, epoch: int) -> bool:
        """Whether a loss starts in this epoch that gains from `initialise`."""
        return any(
            losses[0].wants_features and losses[0].active_in(epoch) and losses[0].options.start == epoch
            for losses in self.losses.values()
        )

    def initialise(self, necks: torch.Tensor, identities: torch.Tensor, epoch: int) -> None:
        """Begin the memories of losses that start in this epoch; without it they begin with their batches.

        Args:
            necks: ``(N, D)`` of the training set's images as the network gives them in evaluation mode:
                after the neck, those of its branches side by side.
            identities: ``(N,) int64`` training identities.
            epoch: the epoch that is about to begin.

        Raises:
            InputError: D is not that of the branches together, or rows and identities are not as many.
        """
        if tuple(necks.shape) != (len(identities), sum(self.branches)):
            wanted = (len(identities), sum(self.branches))
            raise InputError(f"features must be {wanted} beside these identities, got {tuple(necks.shape)}")
        for losses in self.losses.values():
            if losses[0].wants_features and losses[0].options.start == epoch:
                for loss, part in zip(losses, necks.split(self.branches, dim=1), strict=True):
                    loss.initialise(part, identities)

    def _parts(self, output: ReIDOutput) -> tuple[ReIDOutput, ...]:
        parts = output.branches or (output,)
        if len(parts) != len(self.branches):
            raise InputError(f"the recipe has {len(self.branches)} branches, the network gave {len(parts)}")
        return parts


def _check(output: ReIDOutput, labels: Labels, dim: int, classes: int) -> None:
    rows = len(labels.identities)
    wanted = {
        "embedding": (output.embedding, (rows, dim)),
        "neck": (output.neck, (rows, dim)),
        "logits": (output.logits, (rows, classes)),
        "indices": (labels.indices, (rows,)),
        "others": (labels.others, (rows,)),
        "shares": (labels.shares, (rows,)),
    }
    for name, (array, shape) in wanted.items():
        if array is not None and tuple(array.shape) != shape:
            raise InputError(f"{name} must be {shape} beside these labels, got {tuple(array.shape)}")
