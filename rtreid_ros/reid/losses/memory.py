"""Cross-batch memory: pairs with images of batches gone by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import option
from rtreid_ros.reid.losses.base import UNLABELLED, Labels, Loss, LossOptions, mean_of
from rtreid_ros.reid.losses.distances import euclidean, pairs_across, unit
from rtreid_ros.reid.losses.triplet import batch_hard
from rtreid_ros.reid.losses.weighted_triplet import weighted_regularised
from rtreid_ros.reid.models.base import ReIDOutput


@dataclass(frozen=True, slots=True)
class CrossBatchMemoryOptions(LossOptions):
    """The paper's contrastive loss over a memory of the whole training set."""

    pair: str = option(
        "contrastive", "the loss of pairs", choices=("contrastive", "triplet", "weighted_triplet")
    )
    margin: float = option(
        0.5,
        "contrastive: cosine above which a negative counts; triplet: how much nearer a positive must be",
        ge=0,
    )
    capacity: float = option(1.0, "embeddings it holds, as a share of the training set", ge=0, le=1)
    warmup: int = option(1000, "batches it takes in before it is used", ge=0)
    normalise: bool = option(True, "triplets compare embeddings of unit length")


class CrossBatchMemory(Loss):
    """A batch against embeddings of batches gone by, the oldest of which make place for new ones.

    Wang et al., Cross-Batch Memory for Embedding Learning, CVPR 2020, section 3. Embeddings drift slowly
    once the first thousand batches are over, so old ones still tell who is near. A batch enters after
    its step: pairs within it are left to the other losses. What the memory holds of an image itself is
    not its positive, whenever it was put there; empty places and images without a label belong to no pair.
    The loss of pairs is the contrastive one of the paper, ``sum_p (1 - s) + sum_n [s - margin]+`` of
    cosines for each image, or one of our triplets. Our own: pytorch-metric-learning's memory knows
    no indices of images, and its ring is not part of its state.
    """

    Options = CrossBatchMemoryOptions
    options: CrossBatchMemoryOptions
    embeddings: torch.Tensor
    identities: torch.Tensor
    indices: torch.Tensor
    batches: torch.Tensor
    place: torch.Tensor

    def build(self) -> None:
        """See `Loss.build`."""
        capacity, images = self.options.capacity, self.images
        size = round(capacity * images)
        if size < 1:
            raise ConfigError(
                f"a memory of {capacity:g} of {images} training images holds none; raise its capacity"
            )
        self.register_buffer("embeddings", torch.zeros(size, self.dim))
        self.register_buffer("identities", torch.full((size,), UNLABELLED))
        self.register_buffer("indices", torch.full((size,), -1))
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))
        self.register_buffer("place", torch.zeros((), dtype=torch.int64))

    def judge(self, output: ReIDOutput, labels: Labels) -> torch.Tensor:
        """See `Loss.judge`."""
        o = self.options
        positive, negative = pairs_across(labels, self.identities, self.indices)
        ready = self.batches >= o.warmup
        positive, negative = positive & ready, negative & ready
        embedding = self._compared(output)
        if o.pair == "contrastive":
            cosines = embedding @ self.embeddings.T
            attract = torch.where(positive, 1 - cosines, 0)
            repel = torch.where(negative, functional.relu(cosines - o.margin), 0)
            return mean_of((attract + repel).sum(1), positive.any(1) | negative.any(1))
        distances = euclidean(embedding, self.embeddings)
        if o.pair == "triplet":
            return batch_hard(distances, positive, negative, o.margin)
        return weighted_regularised(distances, positive, negative)

    def remember(self, output: ReIDOutput, labels: Labels) -> None:
        """See `Loss.remember`."""
        size = len(self.identities)
        identities = torch.where(labels.whole(), labels.identities, UNLABELLED)[-size:]
        places = (self.place + torch.arange(len(identities), device=identities.device)) % size
        self.embeddings[places] = self._compared(output)[-size:]
        self.identities[places] = identities
        self.indices[places] = labels.indices[-size:]
        self.place += len(identities)
        self.batches += 1

    def _compared(self, output: ReIDOutput) -> torch.Tensor:
        scaled = self.options.normalise or self.options.pair == "contrastive"
        return unit(output.embedding) if scaled else output.embedding
