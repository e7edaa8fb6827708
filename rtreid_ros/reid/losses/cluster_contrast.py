"""Contrast with memories of identities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.class_means import class_sums
from rtreid_ros.reid.losses.distances import unit
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class ClusterContrastOptions(LossOptions):
    """Published defaults."""

    temperature: float = option(0.05, "what cosines are divided by", ge=0.001)
    momentum: float = option(0.1, "share of itself that a memory keeps in an update", ge=0, le=1)
    smoothing: float = option(0.0, "share of the target spread over all identities", ge=0, le=1)


class ClusterContrast(Loss):
    """Cross-entropy of cosines to one remembered embedding for each identity.

    Dai et al., Cluster Contrast for Unsupervised Person Re-Identification, ACCV 2022, section 3,
    with the hardest instance: after each step the memory of an identity takes in the embedding of the
    batch that is least like it, ``c <- unit(momentum c + (1 - momentum) f)``.

    Embeddings are those after the neck, at unit length: what retrieval compares. Memories begin as unit
    means over the training set (`initialise`). Without that one begins with the first batch that its
    identity is in; until then it is a row of zeros, at right angles to everything, and its images are
    not judged.
    """

    Options = ClusterContrastOptions
    options: ClusterContrastOptions
    wants_features = True
    centroids: torch.Tensor
    started: torch.Tensor

    def build(self) -> None:
        """See `Loss.build`."""
        self.register_buffer("centroids", torch.zeros(self.classes, self.dim))
        self.register_buffer("started", torch.zeros(self.classes, dtype=torch.bool))

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        return self.contrast(unit(output.neck) @ self.centroids.T, labels)

    def remember(self, output: ReIDOutput, labels: Labels) -> None:
        """See `Loss.remember`."""
        embedding = unit(output.neck)
        self.start(embedding, labels.identities, labels.whole())
        self.update(embedding, labels)

    def update(self, embedding: torch.Tensor, labels: Labels) -> None:
        """Let memories take in ``(B, D)`` unit-length embeddings of a batch."""
        likeness = (embedding * self.centroids[labels.identities.clamp(min=0)]).sum(1)
        rows = torch.arange(len(likeness), device=likeness.device)
        harder = (likeness < likeness[:, None]) | ((likeness == likeness[:, None]) & (rows < rows[:, None]))
        hardest = labels.whole() & ~(harder & alike(labels)).any(1)
        self.take_in(self.centroids, embedding[hardest], labels.identities[hardest])

    def initialise(self, necks: torch.Tensor, identities: torch.Tensor) -> None:
        """See `Loss.initialise`."""
        self.started.zero_()
        self.start(unit(necks.to(self.centroids.dtype)), identities, identities >= 0)

    def start(self, embedding: torch.Tensor, identities: torch.Tensor, rows: torch.Tensor) -> None:
        """Give memories that have not begun the mean of those rows of ``(N, D)`` that are theirs."""
        sums, counts = class_sums(embedding, identities, rows, self.classes)
        fresh = (counts[:, 0] > 0) & ~self.started
        for memory in self.memories():
            memory.copy_(torch.where(fresh[:, None], unit(sums), memory))
        self.started |= fresh

    def memories(self) -> tuple[torch.Tensor, ...]:
        """The ``(C, D)`` memories, which begin alike."""
        return (self.centroids,)

    def contrast(self, cosines: torch.Tensor, labels: Labels) -> torch.Tensor:
        """Cross-entropy of ``(B, C)`` cosines over the temperature."""
        own = labels.identities.clamp(min=0)
        losses = functional.cross_entropy(
            cosines / self.options.temperature, own, reduction="none", label_smoothing=self.options.smoothing
        )
        return mean_of(losses, self.judged(labels))

    def judged(self, labels: Labels) -> torch.Tensor:
        """``(B,) bool``: images whose identity has a memory."""
        return labels.whole() & self.started[labels.identities.clamp(min=0)]

    def take_in(self, memory: torch.Tensor, embedding: torch.Tensor, identities: torch.Tensor) -> None:
        """Update the rows of `identities`, each of which is there once."""
        momentum = self.options.momentum
        memory[identities] = unit(momentum * memory[identities] + (1 - momentum) * embedding)


@dataclass(frozen=True, slots=True)
class DualClusterContrastOptions(ClusterContrastOptions):
    """Published defaults."""

    smoothing: float = option(0.1, "share of the target spread over all identities", ge=0, le=1)
    consistency: float = option(0.25, "factor of the difference between the two memories' logits", ge=0)


class DualClusterContrast(ClusterContrast):
    """Cluster contrast with two memories, one of centroids and one of single images (DCC).

    Yao and Xu, Dual Cluster Contrastive Learning for Object Re-Identification, arXiv 2112.04662, section 3:
    cross-entropy to either memory, and a smooth L1 between their logits, those of the single images
    without gradient. After each step a centroid takes in the unit mean of its images in the batch, a
    single-image memory each of its images in turn.
    """

    Options = DualClusterContrastOptions
    options: DualClusterContrastOptions
    singles: torch.Tensor

    def build(self) -> None:
        """See `Loss.build`."""
        super().build()
        self.register_buffer("singles", torch.zeros(self.classes, self.dim))

    def memories(self) -> tuple[torch.Tensor, ...]:
        """The ``(C, D)`` memories, which begin alike."""
        return self.centroids, self.singles

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        embedding = unit(output.neck)
        to_centroids, to_singles = embedding @ self.centroids.T, embedding @ self.singles.T
        scale = 1 / self.options.temperature
        apart = functional.smooth_l1_loss(
            scale * to_centroids, scale * to_singles.detach(), reduction="none"
        ).mean(1)
        return (
            self.contrast(to_centroids, labels)
            + self.contrast(to_singles, labels)
            + self.options.consistency * mean_of(apart, self.judged(labels))
        )

    def update(self, embedding: torch.Tensor, labels: Labels) -> None:
        """See `ClusterContrast.update`."""
        whole, identities = labels.whole(), labels.identities
        sums, counts = class_sums(embedding, identities, whole, self.classes)
        present = counts[:, 0].nonzero()[:, 0]
        self.take_in(self.centroids, unit(sums[present]), present)
        earlier = alike(labels).tril(-1).sum(1)
        for turn in range(int(torch.where(whole, earlier + 1, 0).max())):
            rows = whole & (earlier == turn)
            self.take_in(self.singles, embedding[rows], identities[rows])


def alike(labels: Labels) -> torch.Tensor:
    """``(B, B) bool``: two images, or twice the same, of one known identity."""
    whole = labels.whole()
    return (labels.identities[:, None] == labels.identities) & whole[:, None] & whole
