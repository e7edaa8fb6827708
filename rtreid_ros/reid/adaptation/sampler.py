"""Batches of a round: of clusters, and now and then of the source."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from rtreid_ros.reid.data.sampler import PKSampler, SamplerOptions
from rtreid_ros.types import Int64

_PASSES = 10_000
"""More passes over all clusters than a round has."""


class RoundSampler(PKSampler):
    """A fixed number of batches, each of the target or of the source as a whole.

    So each is normalised by the statistics of its own kind of pictures. Batches of the source stand evenly
    between the others. Where there are fewer clusters than a batch holds identities, batches are smaller.

    Args:
        classes: ``(N + M,) int64`` clusters of N target pictures, -1 for noise, then identities of M source
            pictures.
        target: N.
        options: sizes of batches.
        steps: batches of a round.
        rehearsal: share of these that are of the source, where there is one.
        seed: of everything random.

    Raises:
        InputError: fewer source identities than a batch holds.
    """

    def __init__(
        self,
        classes: Int64,
        target: int,
        options: SamplerOptions,
        steps: int,
        rehearsal: float,
        seed: int,
    ) -> None:
        clusters = len(np.unique(classes[:target][classes[:target] >= 0]))
        if options.images:
            options = replace(options, identities=min(options.identities, clusters))
        self._rows = np.flatnonzero(classes[:target] >= 0)
        super().__init__(classes[self._rows], options, seed)
        self._steps, self._target = steps, target
        shared = round(steps * rehearsal) if len(classes) > target else 0
        # batch i is of the source where i * shared / steps passes a whole number
        ends = np.arange(1, steps + 1) * shared // steps
        self.of_source = np.diff(ends, prepend=0) > 0
        self._source = PKSampler(classes[target:], options, seed + 1) if shared else None

    def __len__(self) -> int:
        """Batches of a round."""
        return self._steps

    @property
    def size(self) -> int:
        """Pictures of a batch."""
        return self.options.identities * max(self.options.images, 1)

    def epoch(self, number: int) -> Iterator[Int64]:
        """The batches of round `number`: rows of all N + M pictures."""
        targets = (self._rows[batch] for batch in self._endless(super().epoch, number))
        sources = None if self._source is None else self._endless(self._source.epoch, number)
        for of_source in self.of_source:
            if of_source and sources is not None:
                yield self._target + next(sources)
            else:
                yield next(targets)

    @staticmethod
    def _endless(epoch: Callable[[int], Iterator[Int64]], number: int) -> Iterator[Int64]:
        for count in range(_PASSES):
            yield from epoch(number * _PASSES + count)
