"""A round of training in which clusters are identities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from rtreid_ros.reid.adaptation.config import AdaptationConfig
from rtreid_ros.reid.adaptation.observer import Observer, whole
from rtreid_ros.reid.adaptation.pictures import AdaptationPictures
from rtreid_ros.reid.adaptation.sampler import RoundSampler
from rtreid_ros.reid.data.augmentation import Augmenter
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.losses import Recipe
from rtreid_ros.reid.preprocessing import PRESETS
from rtreid_ros.reid.training.epoch import EpochLoop
from rtreid_ros.reid.training.placement import Placement
from rtreid_ros.reid.training.schedule import Schedule
from rtreid_ros.reid.training.state import State
from rtreid_ros.types import Int64


class Rounds:
    """Makes the loops of rounds, an epoch of a training each.

    Args:
        config: see there.
        pictures: of the adaptation.
        placement: where it trains.
        state: what learns.
        observer: looks at pictures.
    """

    def __init__(
        self,
        config: AdaptationConfig,
        pictures: AdaptationPictures,
        placement: Placement,
        state: State,
        observer: Observer,
    ) -> None:
        self._config, self._placement, self._state, self._observer = config, placement, state, observer
        self._pictures, self._all = pictures, joined(pictures.target, pictures.source)

    def loop(self, labels: Int64, number: int) -> EpochLoop:
        """Round `number`, from 0, on clusters ``(N,)`` of the target; losses begin anew."""
        config, learning, state = self._config, self._config.learning, self._state
        classes = self._classes(labels)
        counts = np.bincount(classes[classes >= 0])
        recipe = Recipe(
            learning.values()["losses"], state.model.branches, len(counts), len(classes), counts.tolist()
        )
        recipe.to(self._placement.device)
        state.recipe = recipe
        self._begin_memories(classes, number)
        images = replace(self._all, classes=classes)
        return EpochLoop(
            learning,
            self._placement,
            whole(images),
            sampler=RoundSampler(
                *(classes, len(labels), learning.sampler),
                *(config.adaptation.steps, config.adaptation.rehearsal, config.adaptation.seed),
            ),
            augmenter=Augmenter(
                learning.augmentation,
                PRESETS[learning.data.preprocessing],
                (learning.data.height, learning.data.width),
            ),
            schedule=Schedule(learning.schedule, config.adaptation.rounds, config.adaptation.steps),
            state=state,
            network=state.model,
        )

    def _classes(self, labels: Int64) -> Int64:
        """Clusters, -1 for noise, then identities of the source, numbered behind them."""
        source = self._pictures.source
        return labels if source is None else np.concatenate([labels, labels.max() + 1 + source.classes])

    def _begin_memories(self, classes: Int64, number: int) -> None:
        """Memories of losses that began in earlier rounds; of those that begin now, the loop sees to it."""
        recipe = self._state.recipe
        earlier = [begin for begin in range(number) if recipe.wants_features(begin)]
        if earlier:
            found = self._observer.necks(self._state.judged(), self._all).clone()
            known = torch.from_numpy(classes).to(found.device)
            for begin in earlier:
                recipe.initialise(found, known, begin)


def joined(target: ResidentImages, source: ResidentImages | None) -> ResidentImages:
    """Pictures of both, the target's first; their classes are those of a round."""
    if source is None:
        return target
    identities, classes, cameras, sequences = (
        np.concatenate([getattr(target, name), getattr(source, name)])
        for name in ("identities", "classes", "cameras", "sequences")
    )
    images, names = torch.cat([target.images, source.images]), (*target.names, *source.names)
    return ResidentImages(images, identities, classes, cameras, sequences, names)
