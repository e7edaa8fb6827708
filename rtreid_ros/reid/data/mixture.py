"""Batches of real pictures, each with generated ones behind them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.reid.data.sampler import PKSampler, SamplerOptions
from rtreid_ros.types import Int64

_STREAM = 3
"""What is drawn here from the seed, unlike by the sampler of real pictures."""


class MixedSampler:
    """The batches of a sampler, followed by `ratio` times as many rows of generated pictures.

    Real batches are those of the sampler itself, unchanged, so an epoch is over when its real pictures are.
    Generated ones go round and round within it. All is a function of the seed and the epoch.

    Args:
        real: batches of the first pictures.
        classes: ``(S,) int64`` of the pictures behind them; looked at only where they are `grouped`.
        first: row of the first of these.
        ratio: generated pictures for each real one.
        grouped: whether generated pictures come as P' identities times K, like real ones: identities of their
            own, which losses of pairs judge. Otherwise they are shuffled.

    Attributes:
        added: generated rows at the end of every batch.
        units: what these can be shared by among processes: identities where they are grouped, else rows.

    Raises:
        InputError: a batch would have none, or more than there are.
    """

    def __init__(
        self, real: PKSampler, classes: Int64, first: int, ratio: float, *, grouped: bool = False
    ) -> None:
        self._real, self._first = real, first
        options = real.options
        each = options.images if grouped else 0
        rows = options.identities * max(options.images, 1)
        self.units = round(ratio * (options.identities if each else rows))
        if not self.units:
            raise InputError(
                f"synthetic.ratio={ratio:g} gives batches of {rows} no generated picture; choose a larger one"
            )
        self.added = self.units * max(each, 1)
        known = classes if each else np.zeros_like(classes)
        seed = int(np.random.SeedSequence((real.seed, _STREAM)).generate_state(1)[0])
        try:
            self._generated = PKSampler(known, SamplerOptions(self.units, each), seed)
        except InputError as error:
            raise InputError(
                f"too few generated pictures for synthetic.ratio={ratio:g}, {self.added} in a batch: {error}"
            ) from None
        self._rounds = -(-len(real) // len(self._generated))

    def __len__(self) -> int:
        """Batches per epoch."""
        return len(self._real)

    def epoch(self, number: int) -> Iterator[Int64]:
        """The batches of epoch `number`: rows ``(B + added,) int64``, real ones first."""
        rounds = range(number * self._rounds, (number + 1) * self._rounds)
        generated = (batch for turn in rounds for batch in self._generated.epoch(turn))
        for batch, more in zip(self._real.epoch(number), generated, strict=False):
            yield np.concatenate([batch, self._first + more])
