"""Which pictures make up a batch: a pure function of the labels, the seed and the epoch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.options import option
from rtreid_ros.types import Int64

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SamplerOptions:
    """Options of the sampler."""

    identities: int = option(16, "identities per batch (P)", ge=1)
    images: int = option(
        4, "images of each identity (K); 0 = no groups: `identities` images, shuffled, make a batch", ge=0
    )
    balance: bool = option(False, "every identity has equally many images per epoch: a subset, or repeated")
    base: int = option(
        0,
        "with balance: how many, rounded to whole groups of `images`; 0: as many as the median one has",
        ge=0,
    )


class PKSampler:
    """P identities times K images (Hermans et al., In Defense of the Triplet Loss, 2017, section 2).

    In every epoch each identity's images are shuffled and cut into groups of K; images left over wait
    for another epoch, and who has fewer than K lends some twice. Groups are dealt to batches so that
    none holds an identity twice and as many batches as possible are full; those come in random order.

    Args:
        classes: ``(N,) int64`` identity of every image; no image is touched.
        options: sizes of batches.
        seed: of everything random.

    Raises:
        InputError: no images, images without a label, or fewer identities than a batch holds.
    """

    def __init__(self, classes: Int64, options: SamplerOptions, seed: int = 0) -> None:
        self.options, self.seed = options, seed
        if not len(classes):
            raise InputError("no images to draw batches from")
        self._count = len(classes)
        if not options.images and not options.balance:
            self._check_batch(self._count)
            self._length = self._count // options.identities
            return
        if classes.min() < 0:
            raise InputError(
                f"{np.count_nonzero(classes < 0)} images have no identity; only a sampler without groups "
                "(sampler.images=0) draws such"
            )
        self._members = rows_of_each(classes)
        sizes = np.array([len(rows) for rows in self._members])
        base = options.base or float(np.median(sizes))
        if not options.images:
            self._base = max(round(base), 1)
            self._check_batch(self._base * len(sizes))
            self._length = self._base * len(sizes) // options.identities
            return
        if len(sizes) < options.identities:
            raise InputError(
                f"batches of {options.identities} identities need at least that many; there are "
                f"{len(sizes)}: choose a smaller sampler.identities"
            )
        single = int(np.count_nonzero(sizes == 1))
        if single:
            logger.warning(
                "%d of %d identities have one image, which is drawn again and again", single, len(sizes)
            )
        each = options.images
        self._groups = np.maximum(sizes // each, 1)
        if options.balance:
            self._groups[:] = max(round(base / each), 1)
        self._length = full_batches(self._groups, options.identities)

    def __len__(self) -> int:
        """Batches per epoch."""
        return self._length

    def epoch(self, number: int) -> Iterator[Int64]:
        """The batches of epoch `number`: rows ``(P * K,) int64``, the K of an identity side by side."""
        rng = np.random.default_rng((self.seed, number))
        if not self.options.images:
            size = self.options.identities
            rows = self._balanced(rng) if self.options.balance else np.arange(self._count)
            yield from rng.permutation(rows)[: self._length * size].reshape(-1, size)
            return
        yield from deal(self._cut(rng), self.options.identities, self._length, rng)

    def _check_batch(self, images: int) -> None:
        size = self.options.identities
        if images < size:
            raise InputError(
                f"a batch of {size} images needs as many; there are {images}: choose a smaller "
                "sampler.identities"
            )

    def _balanced(self, rng: np.random.Generator) -> Int64:
        """Rows of an epoch in which every identity has `_base` images."""
        pieces = []
        for rows in self._members:
            rounds = -(-self._base // len(rows))
            pieces.append(np.concatenate([rng.permutation(rows) for _ in range(rounds)])[: self._base])
        return np.concatenate(pieces)

    def _cut(self, rng: np.random.Generator) -> list[Int64]:
        """Groups ``(G, K)`` of the shuffled rows of every identity."""
        each = self.options.images
        pieces = []
        for rows, groups in zip(self._members, self._groups.tolist(), strict=True):
            wanted = groups * each
            shuffled = rng.permutation(rows)
            while len(shuffled) < wanted:
                again = rng.permutation(rows) if self.options.balance else rng.choice(rows, wanted)
                shuffled = np.concatenate([shuffled, again])
            pieces.append(shuffled[:wanted].reshape(groups, each))
        return pieces


def rows_of_each(numbers: Int64) -> list[Int64]:
    """For each distinct one of ``(N,)`` numbers, in ascending order, the rows where it stands, in theirs."""
    order = np.argsort(numbers, kind="stable")
    starts = np.unique(numbers[order], return_index=True)[1]
    return np.split(order, starts[1:]) if len(starts) else []


def full_batches(groups: Int64, size: int) -> int:
    """Most batches of `size` groups, none with two of one identity, from ``(C,)`` groups of each.

    B batches can be filled if and only if the sum of ``min(groups, B)`` reaches ``size * B``: an
    identity fits into a batch once.
    """
    most = int(groups.sum()) // size
    while most and np.minimum(groups, most).sum() < size * most:
        most = int(np.minimum(groups, most).sum()) // size
    return most


def deal(pieces: list[Int64], size: int, batches: int, rng: np.random.Generator) -> Int64:
    """``(batches, size * K)`` rows: groups ``(G, K)`` of every identity spread over batches.

    Identities come in random order; the groups of each go to the batches that have most room, chosen
    at random among equals. So the room of any two batches never differs by more than one group, and
    all are full before groups run out.
    """
    room = np.full(batches, size)
    dealt = np.empty((batches, size, pieces[0].shape[1]), np.int64)
    for identity in rng.permutation(len(pieces)):
        groups = pieces[identity]
        places = np.argsort(rng.random(batches) - room)[: len(groups)]
        places = places[room[places] > 0]
        room[places] -= 1
        dealt[places, room[places]] = groups[: len(places)]
    return dealt.reshape(batches, -1)
