"""Generated pictures beside real ones, during training."""

from __future__ import annotations

import numpy as np
import torch

from rtreid_ros.gan.distances import frechet_distance, kernel_distance, variety
from rtreid_ros.gan.features import FeatureNetwork
from rtreid_ros.gan.grid import tile
from rtreid_ros.gan.groups import Groups
from rtreid_ros.gan.networks import Generator
from rtreid_ros.gan.sampling import draw_groups, generate, latents
from rtreid_ros.gan.training.options import JudgingOptions
from rtreid_ros.types import Float32, Int64, UInt8

_SEED = 20
"""Of the noise of all judgements: they differ by the generator alone."""

_COLUMNS, _ROWS, _MOST_ROWS = 12, 6, 24


class Judge:
    """Compares what generators make with real pictures, always by the same noise.

    Args:
        options: how.
        reference: ``(N, 3, H, W) uint8`` real pictures.
        groups: of the training pictures; None = the generators are not conditional.
        network: whose features are compared.
        device: where generators compute.
    """

    def __init__(
        self,
        options: JudgingOptions,
        reference: torch.Tensor,
        groups: Groups | None,
        network: FeatureNetwork,
        device: torch.device,
    ) -> None:
        self._options, self._groups, self._network, self._device = options, groups, network, device
        self._real = network.of(reference)

    def figures(self, generator: Generator) -> dict[str, float]:
        """``kid`` with its ``kid_spread`` over subsets, ``fid`` and ``variety``; see `distances`.

        Of a conditional generator the variety is that of the least varied group, for one that always gives
        the same picture hardly shows in the others. ``group_accuracy`` is the share of its pictures whose
        features are nearer to the centre of the group asked for than to all others.
        """
        numbers, options = range(self._options.images), self._options
        asked = None if self._groups is None else draw_groups(_SEED, numbers, self._groups.counts)
        noise = latents(_SEED, numbers, generator.latent)
        made = self._network.of(generate(generator, noise, asked, self._device))
        kid = kernel_distance(self._real, made, subsets=options.subsets, size=options.subset_size)
        found = {"kid": kid.mean, "kid_spread": kid.spread, "fid": frechet_distance(self._real, made)}
        found["variety"] = self._least_variety(made, asked)
        if self._groups is not None:
            found["group_accuracy"] = float(np.mean(self._groups.nearest(made) == asked))
        return found

    def _least_variety(self, made: Float32, asked: Int64 | None) -> float:
        """Over groups of which there are pictures to compare; those of a real one are nearest to it."""
        if self._groups is None or asked is None:
            return variety(self._real, made)
        nearest = self._groups.nearest(self._real)
        groups = [(self._real[nearest == group], made[asked == group]) for group in np.unique(asked)]
        return min(
            (variety(real, fake) for real, fake in groups if min(len(real), len(fake)) > 1), default=1.0
        )

    def sheet(self, generator: Generator) -> UInt8:
        """Samples on one ``(h, w, 3) uint8`` BGR picture; of groups, a row each, all of the same noise."""
        return sample_sheet(generator, generator.groups, _SEED, self._device)


def sample_sheet(generator: Generator, groups: int, seed: int, device: torch.device) -> UInt8:
    """See `Judge.sheet`; at most 24 groups are shown."""
    if not groups:
        noise = latents(seed, range(_COLUMNS * _ROWS), generator.latent)
        return tile(generate(generator, noise, None, device), _COLUMNS)
    rows = min(groups, _MOST_ROWS)
    noise = latents(seed, list(range(_COLUMNS)) * rows, generator.latent)
    asked = torch.arange(rows).repeat_interleave(_COLUMNS).numpy()
    return tile(generate(generator, noise, asked, device), _COLUMNS)
